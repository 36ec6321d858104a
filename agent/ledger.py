"""Ledger: how workers and pages keep to the budgets of a day and to the messages of a minute (agent/spending.py)."""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from temporalio.client import Client, WithStartWorkflowOperation, WorkflowUpdateRPCTimeoutOrCancelledError
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.service import RPCError, RPCStatusCode

from agent import visibility
from agent.errors import BudgetSpent, ModelUnavailable
from agent.messages import ModelUse
from agent.settings import Settings
from agent.spending import LedgerState, SpendingLedger, Spendings, Spent
from agent.visitor import OWNER

_LOG = logging.getLogger(__name__)
_TIMEOUT = timedelta(seconds=3)
_EXEMPT = ("", OWNER.id)
"""Chats of nobody, and of the installation's owner, count for all, and for no visitor."""


class Ledger:
    """Belongs to the event loop that its client belongs to."""

    def __init__(self, client: Client, settings: Settings) -> None:
        self._client, self._settings = client, settings

    @property
    def counts(self) -> bool:
        """Whether there is any budget of a day."""
        s = self._settings
        return bool(s.daily_budget_usd or s.daily_budget_tokens or s.visitor_budget_usd or s.visitor_budget_tokens)

    async def check(self, chat_id: str) -> None:
        """Raise BudgetSpent when nothing may be spent for this chat today any more."""
        if not self.counts:
            return
        visitor = await self._visitor(chat_id)
        try:
            handle = self._client.get_workflow_handle_for(SpendingLedger.run, self._id(_now()))
            found = await handle.query(SpendingLedger.spent, visitor, rpc_timeout=_TIMEOUT)
        except RPCError as error:
            if error.status != RPCStatusCode.NOT_FOUND:
                raise ModelUnavailable("What was spent today cannot be read. It is tried again by itself.") from None
            found = Spendings()  # nothing was spent today
        s = self._settings
        if _is_over(found.total, s.daily_budget_usd, s.daily_budget_tokens):
            raise BudgetSpent(f"Today's budget of this page is spent. {_opens()}")
        if visitor not in _EXEMPT and _is_over(found.visitor, s.visitor_budget_usd, s.visitor_budget_tokens):
            raise BudgetSpent(f"Your budget for today is spent. {_opens()}")

    async def spend(self, chat_id: str, uses: Sequence[ModelUse]) -> None:
        """Count what calls of models used; nothing is lost by it if that fails, so it fails in the log only."""
        if not self.counts or not uses:
            return
        tokens = sum((use.prompt_tokens or 0) + (use.completion_tokens or 0) for use in uses)
        usd = str(sum((Decimal(use.cost_usd or 0) for use in uses), Decimal()))
        now = _now()
        try:
            await self._client.start_workflow(
                SpendingLedger.run,
                LedgerState(closes=_midnight(now)),
                id=self._id(now),
                task_queue=self._settings.temporal_task_queue,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                start_signal="spend",
                start_signal_args=[await self._visitor(chat_id), tokens, usd],
                rpc_timeout=_TIMEOUT,
            )
        except (RPCError, ModelUnavailable):
            _LOG.warning("What %s used could not be counted: %d tokens.", chat_id, tokens)

    async def wait(self, visitor: str) -> float:
        """Count a message of this visitor; the seconds until it may be sent, 0 = now.

        No worker: 0. Without one nothing is spent, and the message waits in its chat.
        """
        most = self._settings.messages_per_minute
        if not most or visitor in _EXEMPT:
            return 0.0
        now = _now()
        start = WithStartWorkflowOperation(
            SpendingLedger.run,
            LedgerState(closes=_midnight(now)),
            id=self._id(now),
            task_queue=self._settings.temporal_task_queue,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        )
        try:
            return await self._client.execute_update_with_start_workflow(
                SpendingLedger.say, args=[visitor, most], start_workflow_operation=start, rpc_timeout=_TIMEOUT
            )
        except WorkflowUpdateRPCTimeoutOrCancelledError:
            return 0.0

    async def _visitor(self, chat_id: str) -> str:
        try:
            described = await self._client.get_workflow_handle(chat_id).describe(rpc_timeout=_TIMEOUT)
            return str(await described.memo_value(visibility.MEMO_OWNER, ""))
        except RPCError as error:
            if error.status == RPCStatusCode.NOT_FOUND:  # it was just deleted
                return ""
            raise ModelUnavailable("The server does not say whose chat this is. It is tried again by itself.") from None

    def _id(self, now: datetime) -> str:
        return f"spending-{self._settings.temporal_task_queue}-{now:%Y-%m-%d}"


def _is_over(spent: Spent, dollars: Decimal | None, tokens: int | None) -> bool:
    return bool((dollars and Decimal(spent.usd) >= dollars) or (tokens and spent.tokens >= tokens))


def _opens() -> str:
    return f"It opens again on {_midnight(_now()):%d %B} at 00:00 UTC. What you wrote is kept."


def _now() -> datetime:
    return datetime.now(UTC)


def _midnight(now: datetime) -> datetime:
    """The next one: when the day's budget opens again."""
    return (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
