"""What a run of the workflow knows of its chat, and the steps that every event is made of. Pure, and stored as it is."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Literal

from agent import window
from agent.messages import (
    EPOCH,
    Decision,
    Dropped,
    Goal,
    Instruction,
    Json,
    Message,
    ModelUse,
    Proposal,
    Record,
    ToolResult,
    UserMessage,
)

WINDOW_BYTES = 16_000
"""How much of the transcript the model is sent, as JSON, unless the start input says otherwise."""


class State(Record):
    """`messages` is this run's segment; `context` what the model still sees of earlier ones; `inbox` what was said and
    not taken up yet; `queue` what will be proposed next; `accepted` the proposal that `receipt` decided."""

    goal: Goal
    key: str = ""
    model: str = ""
    summary: str = ""
    summarized: int = 0
    context: list[Message] = []
    messages: list[Message] = []
    next_seq: int = 1
    inbox: list[UserMessage | Instruction] = []
    inbox_bytes: int = 0
    reply_due: bool = False
    proposal: Proposal | None = None
    queue: list[Proposal] = []
    receipt: Decision | None = None
    accepted: Proposal | None = None
    proposed: int = 0
    unattended: int = 0
    heard_ids: list[str] = []
    dropped: Dropped = Dropped()
    ended: Literal["", "done", "person"] = ""
    revision: int = 0
    previous_run_id: str = ""
    window_bytes: int = WINDOW_BYTES
    history_limit: int = 512 * 1024
    tokens: int = 0
    cost_usd: str | None = "0"
    extensions: int = 0
    working: Literal["", "plan", "tool"] = ""

    def _add(self, message: Message, now: datetime, *, keep_time: bool = False) -> None:
        message.seq = self.next_seq
        if not keep_time or message.at == EPOCH:
            message.at = now
        self.messages.append(message)
        self.next_seq += 1
        self.revision += 1

    def _take_up(self, count: int, now: datetime) -> None:
        taken, self.inbox = self.inbox[:count], self.inbox[count:]
        self.inbox_bytes -= sum(map(window.size, taken))
        for message in taken:
            self._add(message, now, keep_time=True)

    def _decide(
        self,
        proposal: Proposal,
        verdict: Literal["confirmed", "declined", "withdrawn"],
        now: datetime,
        arguments: dict[str, Json] | None = None,
        reason: str = "",
        who: str = "",
    ) -> Decision:
        self.proposal = None
        if who != "settings":
            self.unattended = 0
        decision = Decision(
            proposal_id=proposal.id,
            tool=proposal.tool,
            verdict=verdict,
            arguments=arguments or {},
            reason=reason,
            who=who,
        )
        self._add(decision, now)
        return decision

    def _withdraw(self, now: datetime) -> None:
        if self.proposal is not None:
            self._decide(self.proposal, "withdrawn", now)
        self.queue = []

    def _fail(self, sentence: str, now: datetime) -> None:
        self._record(now, ToolResult(proposal_id="", outcome="failed", error=sentence))

    def _record(self, now: datetime, result: ToolResult) -> None:
        assert self.accepted is not None
        result.proposal_id, result.tool = self.accepted.id, self.accepted.tool
        self.receipt, self.accepted, self.working = None, None, ""
        self._add(result, now)

    def _count(self, use: ModelUse | None) -> None:
        if use is None:
            return
        self.tokens += (use.prompt_tokens or 0) + (use.completion_tokens or 0)
        known = self.cost_usd is not None and use.cost_usd is not None
        self.cost_usd = str(Decimal(self.cost_usd or 0) + Decimal(use.cost_usd or 0)) if known else None

    @property
    def _room(self) -> int:
        """What the summary leaves of the window: together they do not grow with the chat."""
        return max(self.window_bytes - len(self.summary.encode()), self.window_bytes // 4)

    def _visible(self) -> Iterator[Message]:
        """Newest first."""
        return window.visible(self.messages, self.context, self.summarized)
