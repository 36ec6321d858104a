"""The state of one chat, and what each event does to it. Pure: no Temporal, no I/O, no clock.

One object serves the workflow's start, its queries and continue-as-new. Every method that takes `now` is an event.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import chain
from typing import Literal

from agent.messages import (
    EPOCH,
    AgentMessage,
    ChatView,
    Decision,
    Dropped,
    Goal,
    Instruction,
    Json,
    Message,
    ModelUse,
    Notice,
    Plan,
    PlanRequest,
    Proposal,
    ProposalMessage,
    Record,
    ToolAnswer,
    ToolResult,
    UserMessage,
)

WINDOW_BYTES = 16_000
"""How much of the transcript the model is sent, as JSON, unless the start input says otherwise."""

INBOX_BYTES = 400_000
"""Unanswered words beyond this are refused, so that continue-as-new can always carry them (its limit is 2 MiB)."""

VIEW_BYTES = 256_000
"""One page of messages in a query's answer (Temporal's limit is 2 MiB)."""

RESULT_BYTES = 4_000
"""How much of one tool result the model is shown; the page keeps all of it."""

UNATTENDED_RUNS = 10
"""After so many tools without a word of the person, the next one asks, whatever SHOW_CONFIRM says."""

_REMEMBERED_IDS = 500
_END_WORDS = "end conversation"


def size(record: Record) -> int:
    """Bytes of a record as JSON."""
    return len(record.model_dump_json())


class Conversation(Record):
    """Everything a run of the workflow knows. `messages` is this run's segment; `context` what the model still sees of
    earlier ones. Invariants: seq grows by one a message; at most one proposal waits; a receipt is used once."""

    goal: Goal
    key: str = ""
    model: str = ""
    summary: str = ""
    summarized: int = 0
    context: list[Message] = []
    messages: list[Message] = []
    next_seq: int = 1
    inbox: list[UserMessage | Instruction] = []
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

    # What people do

    def hear(self, message: UserMessage, now: datetime) -> None:
        """A message of the person: queued until the agent takes it up; it withdraws a proposal that waits."""
        if self.ended:
            return self.drop("The chat has ended; start a new one.", now)
        if message.id and message.id in self.heard_ids:
            return None
        if sum(len(waiting.text.encode()) for waiting in self.inbox) + len(message.text.encode()) > INBOX_BYTES:
            return self.drop("Too much was said at once; wait for the answers, then say it again.", now)
        if message.id:
            self.heard_ids = [*self.heard_ids[1 - _REMEMBERED_IDS :], message.id]
        self._withdraw(now)
        self.unattended = 0
        self.inbox.append(message.model_copy(update={"at": now}))
        self.revision += 1
        if message.text.strip().rstrip(".!").lower() == _END_WORDS:
            self.end(now)
        return None

    def confirm(
        self, now: datetime, proposal_id: str = "", arguments: dict[str, Json] | None = None, who: str = ""
    ) -> None:
        """Accept the waiting proposal, perhaps with other arguments. Any other confirm changes nothing but `dropped`."""
        proposal = self._decidable(proposal_id, now)
        if proposal is None:
            return
        decided = proposal.arguments if arguments is None else arguments
        receipt = self._decide(proposal, "confirmed", now, arguments=decided, who=who)
        if proposal.kind in ("tool", "lost_result"):
            self.receipt, self.accepted = receipt, proposal
            return
        if proposal.kind == "switch_goal" and proposal.goal is not None:
            self.goal = proposal.goal
            self._add(Notice(text=f"The goal is now: {proposal.goal.title or proposal.goal.name}."), now)
        elif proposal.kind == "budget":
            self.extensions += 1
        self.reply_due = True

    def decline(self, now: datetime, proposal_id: str = "", reason: str = "", who: str = "") -> None:
        """Refuse the waiting proposal; the model is told, with the reason."""
        proposal = self._decidable(proposal_id, now)
        if proposal is None:
            return
        self._decide(proposal, "declined", now, reason=reason, who=who)
        self.queue = []
        self.reply_due = proposal.kind != "budget"

    def end(self, now: datetime) -> None:
        """End the chat, whatever else is under way."""
        if self.ended:
            return
        self._withdraw(now)
        self._take_up_all(now)
        self.ended, self.reply_due = "person", False
        self.revision += 1

    def pick_model(self, model: str) -> None:
        """Answer with another model from now on ("" = the first of the settings)."""
        if model != self.model:
            self.model = model
            self.revision += 1

    def drop(self, reason: str, now: datetime) -> None:
        """Input that is not taken up: counted and shown, never part of the transcript."""
        self.dropped = Dropped(count=self.dropped.count + 1, reason=reason, at=now)
        self.revision += 1

    # What the agent does

    @property
    def has_work(self) -> bool:
        """Whether the agent's next step is due."""
        return self.receipt is not None or self.reply_due or (bool(self.inbox) and not self.ended)

    def begin_plan(self, now: datetime) -> PlanRequest:
        """Take up what was said, as much as fits half the window, and ask the model for its next step."""
        taken = 0
        while self.inbox and (not taken or taken + size(self.inbox[0]) <= self.window_bytes // 2):
            taken += size(self.inbox[0])
            self._add(self.inbox.pop(0), now, keep_time=True)
        self.working = "plan"
        self.revision += 1
        return PlanRequest(
            goal=self.goal,
            summary=self.summary,
            messages=self.window(),
            model=self.model,
            tokens=self.tokens,
            cost_usd=self.cost_usd,
            extensions=self.extensions,
        )

    def finish_plan(self, plan: Plan, now: datetime) -> None:
        """What the model came to: words, proposals, or the end. Newer words of the person outdate the latter two."""
        self._count(plan.by)
        self.working, self.reply_due = "", False
        self.revision += 1
        if plan.notice:
            self._add(Notice(text=plan.notice), now)
        if self.ended:
            return
        if self.inbox and (plan.proposals or plan.next == "done"):
            self.reply_due = True
        elif plan.proposals:
            self.queue = plan.proposals
            self._propose_next(now, plan.by)
        else:
            self._add(AgentMessage(text=plan.text, next=plan.next, off_goal=plan.off_goal, by=plan.by), now)
            if plan.next == "done":
                self.ended = "done"

    def fail_plan(self, sentence: str, now: datetime) -> None:
        """The model will not answer this, however often it is asked: say why, and wait for the person."""
        self.working, self.reply_due = "", False
        self._add(Notice(text=sentence, level="error"), now)

    def stop_plan(self, *, again: bool) -> None:
        """The call under way was cancelled; `again`: ask anew."""
        self.working, self.reply_due = "", again
        self.revision += 1

    def begin_tool(self) -> tuple[Proposal, Decision]:
        """The receipt under which a tool runs now."""
        assert self.receipt is not None
        assert self.accepted is not None
        self.working = "tool"
        self.unattended += 1
        self.revision += 1
        return self.accepted, self.receipt

    def finish_tool(self, answer: ToolAnswer, now: datetime) -> None:
        """The tool returned."""
        self._record(now, ToolResult(proposal_id="", result=answer.result, source=answer.source, view=answer.view))
        if self.queue and not self.inbox and not self.ended:
            self._propose_next(now, None)
        else:
            self.queue, self.reply_due = [], not self.ended

    def fail_tool(self, sentence: str, now: datetime) -> None:
        """The tool failed for good, without effect or with an effect it told of itself."""
        self._record(now, ToolResult(proposal_id="", outcome="failed", error=sentence))
        self.queue, self.reply_due = [], not self.ended

    def lose_tool(self, sentence: str, now: datetime) -> None:
        """A tool that must not run twice gave no answer: say what is unknown, and let the person decide."""
        lost = self.accepted
        assert lost is not None
        arguments = self.receipt.arguments if self.receipt else lost.arguments
        self._record(now, ToolResult(proposal_id="", outcome="unknown", error=sentence))
        self.queue = []
        if self.ended:
            return
        text = f"{sentence} It may or may not have taken effect. Try again, or treat it as done?"
        about = {"kind": "lost_result", "about": lost.about or lost.id, "needs_confirm": True, "text": text}
        self.queue = [lost.model_copy(update={**about, "arguments": arguments})]
        self._propose_next(now, None)

    # What readers and the model get

    def window(self) -> list[Message]:
        """The newest messages that fit the window and are not yet in the summary, results cut, oldest first."""
        budget, chosen = self.window_bytes, list[Message]()
        for message in self._visible_to_model():
            budget -= size(message)
            if chosen and budget < 0:
                break
            chosen.append(message)
        chosen.reverse()
        return chosen

    def backlog(self) -> tuple[list[Message], int] | None:
        """What to summarize next, with the seq it ends at; None while most of the window is free."""
        visible = list(self._visible_to_model())
        if sum(map(size, visible)) < self.window_bytes * 3 // 4:
            return None
        kept, old = 0, list[Message]()
        for message in visible:
            kept += size(message)
            if kept > self.window_bytes * 2 // 5:
                old.append(message)
        old.reverse()
        budget, piece = self.window_bytes, list[Message]()
        for message in old:
            budget -= size(message)
            if piece and budget < 0:
                break
            piece.append(message)
        return (piece, piece[-1].seq) if piece else None

    def summarize(self, summary: str, through: int, use: ModelUse | None) -> None:
        """The summary now covers everything up to the message `through`."""
        self.summary, self.summarized = summary, through
        self._count(use)
        self.context = [message for message in self.context if message.seq > through]
        self.revision += 1

    def view(self, since: int = 0) -> ChatView:
        """What a page draws; see ChatView."""
        page, more = _first(_after(self.messages, since), VIEW_BYTES)
        running = self.accepted if self.working == "tool" else None
        return ChatView(
            goal=self.goal,
            status=self.status,
            revision=self.revision,
            messages=page,
            more=more,
            first_seq=self.messages[0].seq if self.messages else self.next_seq,
            next_seq=self.next_seq,
            waiting=self.proposal,
            queued=[message for message in self.inbox if isinstance(message, UserMessage)][:50],
            running=running.tool if running else "",
            running_id=running.id if running else "",
            dropped=self.dropped,
            previous_run_id=self.previous_run_id,
            model=self.model,
            ended=self.ended,
            tokens=self.tokens,
            cost_usd=self.cost_usd,
        )

    @property
    def status(self) -> Literal["thinking", "running", "deciding", "waiting", "ending", "ended"]:
        if self.ended:
            return "ending" if self.working == "tool" else "ended"
        if self.working == "tool" or self.receipt:
            return "running"
        if self.proposal:
            return "deciding"
        return "thinking" if self.working or self.has_work else "waiting"

    def hand_on(self, run_id: str) -> "Conversation":
        """What the next run of the workflow begins with: everything that waits, and the model's window."""
        update = {"context": self.window(), "messages": [], "previous_run_id": run_id, "working": ""}
        return self.model_copy(update=update)

    # Steps

    def _add(self, message: Message, now: datetime, *, keep_time: bool = False) -> None:
        message.seq = self.next_seq
        if not keep_time or message.at == EPOCH:
            message.at = now
        self.messages.append(message)
        self.next_seq += 1
        self.revision += 1

    def _take_up_all(self, now: datetime) -> None:
        for message in self.inbox:
            self._add(message, now, keep_time=True)
        self.inbox = []

    def _propose_next(self, now: datetime, use: ModelUse | None) -> None:
        self.proposed += 1
        proposal = self.queue[0].model_copy(update={"id": f"{self.key}-{self.proposed}"})
        self.queue = self.queue[1:]
        self._add(ProposalMessage(proposal=proposal, by=use), now)
        self.proposal = proposal
        if not proposal.needs_confirm and proposal.kind == "tool" and self.unattended < UNATTENDED_RUNS:
            self.confirm(now, proposal.id, who="settings")

    def _decidable(self, proposal_id: str, now: datetime) -> Proposal | None:
        if self.proposal is None:
            self.drop("There was nothing to decide, so the click changed nothing.", now)
        elif proposal_id and proposal_id != self.proposal.id:
            self.drop("That card is no longer open; decide on the newest one.", now)
        else:
            return self.proposal
        return None

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

    def _visible_to_model(self) -> Iterator[Message]:
        """Newest first, with what only the page needs left out."""
        for message in chain(reversed(self.messages), reversed(self.context)):
            if message.seq <= self.summarized:
                return
            if not isinstance(message, Notice):
                yield _for_model(message)


def _for_model(message: Message) -> Message:
    if isinstance(message, ToolResult):
        return message.model_copy(update={"at": EPOCH, "result": shorten(message.result, RESULT_BYTES)})
    if isinstance(message, ProposalMessage):
        proposal = message.proposal.model_copy(update={"parameters": {}, "goal": None})
        return message.model_copy(update={"at": EPOCH, "by": None, "proposal": proposal})
    if isinstance(message, AgentMessage):
        return message.model_copy(update={"at": EPOCH, "by": None})
    if isinstance(message, UserMessage):
        return message.model_copy(update={"at": EPOCH, "id": "", "who": ""})
    return message.model_copy(update={"at": EPOCH})


def shorten(value: Json, limit: int) -> Json:
    """A JSON value cut to about `limit` characters: long lists lose their tail, long texts their end."""
    if isinstance(value, str):
        return value if len(value) <= limit else value[:limit] + "…"
    if isinstance(value, dict):
        if len(str(value)) <= limit:
            return value
        share = max(limit // max(len(value), 1), 40)
        return {key: shorten(item, share if len(str(item)) > share else limit) for key, item in value.items()}
    if isinstance(value, list):
        kept: list[Json] = []
        for item in value:
            limit -= len(str(item))
            if limit < 0 and kept:
                return [*kept, f"… {len(value) - len(kept)} more"]
            kept.append(shorten(item, max(limit, 40)))
        return kept
    return value


def _after(messages: Sequence[Message], since: int) -> Sequence[Message]:
    """Those with seq > since; seq grows by one a message, so this is a slice."""
    if not messages:
        return messages
    return messages[max(0, since - messages[0].seq + 1) :]


def _first(messages: Sequence[Message], limit: int) -> tuple[list[Message], bool]:
    chosen: list[Message] = []
    for message in messages:
        limit -= size(message)
        if chosen and limit < 0:
            return chosen, True
        chosen.append(message)
    return chosen, False
