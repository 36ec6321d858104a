"""SpendingLedger: what was spent, and said, on one day (UTC). A workflow, so that every worker and page knows the same.

agent/ledger.py starts, tells and asks it. Its history is short: it continues as new before it grows long.
"""

from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from agent.messages import EPOCH, Record

MOST_VISITORS = 10_000
"""Visitors of one day who are told apart; beyond it, those who spent least are forgotten first."""

MINUTE = timedelta(minutes=1)


class Spent(Record):
    """tokens, and dollars as a decimal number as text; what has no known price costs none."""

    tokens: int = 0
    usd: str = "0"

    def plus(self, tokens: int, usd: str) -> "Spent":
        return Spent(tokens=self.tokens + tokens, usd=str(Decimal(self.usd) + Decimal(usd)))


class LedgerState(Record):
    """Handed on by continue-as-new. said: when each visitor's messages of the last minute were sent."""

    closes: datetime = EPOCH
    total: Spent = Spent()
    visitors: dict[str, Spent] = {}
    said: dict[str, list[datetime]] = {}


class Spendings(Record):
    """The answer of the query."""

    total: Spent = Spent()
    visitor: Spent = Spent()


@workflow.defn(name="SpendingLedger")
class SpendingLedger:
    """One for each day and task queue."""

    @workflow.init
    def __init__(self, state: LedgerState) -> None:
        self._state = state

    @workflow.run
    async def run(self, state: LedgerState) -> None:
        """Until the day is over."""
        try:
            await workflow.wait_condition(
                workflow.info().is_continue_as_new_suggested,
                timeout=max(state.closes - workflow.now(), timedelta(seconds=1)),
            )
        except TimeoutError:
            return
        workflow.continue_as_new(self._state)

    @workflow.signal
    def spend(self, visitor: str = "", tokens: int = 0, usd: str = "0", *_: Any) -> None:
        """Somebody's chat used this; what makes no sense is ignored."""
        try:
            valid = tokens >= 0 and Decimal(usd) >= 0
        except (InvalidOperation, TypeError):
            return
        if not valid:
            return
        state = self._state
        state.total = state.total.plus(tokens, usd)
        state.visitors[visitor] = state.visitors.get(visitor, Spent()).plus(tokens, usd)
        if len(state.visitors) > MOST_VISITORS:
            del state.visitors[min(state.visitors, key=lambda each: state.visitors[each].tokens)]

    @workflow.update
    def say(self, visitor: str, most: int) -> float:
        """Count a message, unless the visitor has sent the most in the last minute: then the seconds until the next."""
        now, said = workflow.now(), self._state.said
        for each in [each for each, times in said.items() if times[-1] <= now - MINUTE]:
            del said[each]
        recent = [at for at in said.get(visitor, []) if at > now - MINUTE]
        if len(recent) >= most:
            return max(0.1, (recent[-most] + MINUTE - now).total_seconds())
        said[visitor] = [*recent, now]
        return 0.0

    @workflow.query
    def spent(self, visitor: str = "") -> Spendings:
        """By all, and by this visitor."""
        return Spendings(total=self._state.total, visitor=self._state.visitors.get(visitor, Spent()))
