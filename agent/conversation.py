"""The state of one chat, and what each event does to it. Pure: no Temporal, no I/O, no clock.

One object serves the workflow's start, its queries and continue-as-new. Every method that takes `now` is an event.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal

from agent import fork, links, rules, window
from agent.messages import (
    EPOCH,
    Accepted,
    AgentMessage,
    Decision,
    Dropped,
    GoalSpec,
    Instruction,
    Interruption,
    Json,
    Link,
    ListedIn,
    Message,
    ModelUse,
    Notice,
    Notification,
    PastCall,
    Plan,
    PlanRequest,
    Proposal,
    ProposalMessage,
    Record,
    Repair,
    Rule,
    ToolAnswer,
    ToolResult,
    UserMessage,
    Verdict,
)

INBOX_BYTES = 300_000
"""Unanswered messages beyond this are refused, so that continue-as-new can always carry them."""

HANDED_ON_BYTES = 300_000
"""How much of what no summary covers yet goes into the next run."""

SUMMARY_BYTES = 2_000
"""The longest summary, or a quarter of the window if that is more."""

STATE_BYTES = 1_500_000
"""A larger state drops what is not essential before it continues as new (Temporal's limit is 2 MiB)."""

UNATTENDED_RUNS = 10
"""After so many tools without input of the person, the next one asks, whatever SHOW_CONFIRM says."""

WINDOW_BYTES = 16_000
"""How much of the transcript the model is sent, as JSON, unless the start input says otherwise."""

NOTIFIED_FOR = timedelta(days=7)
"""How long the link of a notification is in force."""

ASK_TO_END = "Nothing has been done yet. Shall we end here?"
GOODBYE = "Goodbye!"
GO_ON = "All right, we go on. What can I do for you?"
ENDED_BEFORE = "The chat was ended before this began, so it did not run."
STOPPED = "Stopped before anything was written."
FORKED = "Everything above was said in another chat. What was done there stays done, and is not done again here."
IMPORTED = "Everything above was imported from a file."
REPAIRED = "This chat could not go on, so it was repaired. What you wrote last is answered again; no tool runs twice."

KEPT_INTERRUPTIONS = 40
"""Of calls whose outcome was dropped, told with the next message."""

_REMEMBERED_IDS = 500
_END_WORDS = "end conversation"
_NO = {"no", "nope", "nah", "no thanks", "no thank you"}


class Conversation(Record):
    """What a run of the workflow knows of its chat: stored as it is, so fields are only ever added, with defaults.

    messages: this run's segment of the transcript. context: what the model still sees of earlier runs. inbox: what was
    sent and not consumed yet. queue: what will be proposed next. accepted: the proposal that `receipt` decided.
    unattended: tools that ran since the person last did something. heard_ids: of messages, to recognize a repeated one.
    hashed_keys: idempotency keys do not name the chat (those of chats that began before do, for as long as they live).
    listed_in, listed: where a list of chats finds what this chat waits for, and what it says there now.
    confirm_end: the client can ask whether to end. achieved: a tool has returned a result since the goal was set.
    batch: the client can decide several proposals of one answer at once: those `beside` the `proposal` wait with it.
    linger: seconds for which a chat whose goal is reached stays open (0 = it is over then); closes_at: when it closes.
    stopping: the reply under way is to stop. replaces: the seq of the reply that is written again; replaced: of those that were.
    interrupted: of the step under way, until the message that it comes to tells of it.
    approved: accepted, and run one after another once nothing waits. rules: what needs no decision of the person. links: what others may do.
    notify_after: seconds for which a proposal waits before somebody is told; notify_at: when that is due.
    title: given by the person.
    Invariants: seq grows by one a message; only proposals of one answer wait together; a receipt is used once.
    """

    goal: GoalSpec
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
    ended: Literal["", "done", "person", "imported"] = ""
    revision: int = 0
    previous_run_id: str = ""
    window_bytes: int = WINDOW_BYTES
    history_limit: int = 512 * 1024
    tokens: int = 0
    cost_usd: str | None = "0"
    extensions: int = 0
    working: Literal["", "plan", "tool"] = ""
    hashed_keys: bool = False
    confirm_end: bool = False
    achieved: bool = False
    listed_in: ListedIn = ""
    listed: str = ""
    batch: bool = False
    beside: list[Proposal] = []
    approved: list[Accepted] = []
    rules: list[Rule] = []
    links: list[Link] = []
    notify_after: int = 0
    notify_at: datetime = EPOCH
    interrupted: list[Interruption] = []
    linger: int = 0
    closes_at: datetime = EPOCH
    stopping: bool = False
    replaces: int = 0
    replaced: list[int] = []
    title: str = ""

    def welcome(self, text: str, now: datetime) -> None:
        """What the agent said before there was a chat is its first message."""
        self._add(AgentMessage(text=text), now)

    def inherit(self, messages: Sequence[Message], now: datetime, *, read_only: bool = False) -> None:
        """What was said in another chat is told here: nothing in it waits, and no receipt of it permits anything.

        read_only: the chat is over with it. Else a message of the person that nobody has answered is answered.
        """
        self.messages = fork.renumbered(messages)
        self.next_seq = len(self.messages) + 1
        replies = (each for each in self.messages if isinstance(each, AgentMessage | ProposalMessage))
        self.replaced = [each.replaces for each in replies if each.replaces]
        self.achieved = any(isinstance(each, ToolResult) and each.outcome == "ok" for each in self.messages)
        newest = next((each for each in reversed(self.messages) if not isinstance(each, Notice)), None)
        self._add(Notice(text=IMPORTED if read_only else FORKED), now)
        self.ended = "imported" if read_only else ""
        self.reply_due = not read_only and isinstance(newest, UserMessage | ToolResult)

    # Events from the person

    def receive_message(self, message: UserMessage, now: datetime) -> None:
        """A message of the person: queued until the agent's next step; it withdraws a proposal that waits."""
        if message.id and message.id in self.heard_ids:
            return None
        if self.ended:
            return self.reject_input("The chat has ended; start a new one.", now)
        message = message.model_copy(update={"at": now})
        if self.inbox_bytes + window.size(message) > INBOX_BYTES:
            return self.reject_input("Too many messages are waiting. Wait for the answers, then send it again.", now)
        if message.id:
            self.heard_ids = [*self.heard_ids[1 - _REMEMBERED_IDS :], message.id]
        self._withdraw(now)
        self.unattended, self.closes_at = 0, EPOCH
        self.enqueue(message)
        if message.text.strip().rstrip(".!").lower() == _END_WORDS:
            self.end(now)
        return None

    def enqueue(self, message: UserMessage | Instruction) -> None:
        """Queue a message for the agent's next step."""
        self.inbox.append(message)
        self.inbox_bytes += window.size(message)
        self.revision += 1

    def confirm(
        self, now: datetime, proposal_id: str = "", arguments: dict[str, Json] | None = None, who: str = ""
    ) -> None:
        """Accept the waiting proposal, perhaps with edited arguments. Any other confirm only counts as ignored input."""
        proposal = self._decidable(proposal_id, now)
        if proposal is not None:
            self._confirm(proposal, now, arguments, who)

    def decline(self, now: datetime, proposal_id: str = "", reason: str = "", who: str = "") -> None:
        """Refuse the waiting proposal; the model is told, with the reason."""
        proposal = self._decidable(proposal_id, now)
        if proposal is not None:
            self._decline(proposal, now, reason, who)

    def decide(self, verdicts: Sequence[Verdict], now: datetime) -> None:
        """Decide several waiting proposals at once: all of these, or none if one of them waits no longer."""
        waiting = {proposal.id: proposal for proposal in self.waiting}
        ids = [verdict.proposal_id for verdict in verdicts]
        if not ids or len(set(ids)) < len(ids) or not set(ids) <= waiting.keys():
            return self.reject_input("Those proposals no longer wait together. Decide on the newest ones.", now)
        for verdict in verdicts:
            proposal = waiting[verdict.proposal_id]
            if verdict.accepts:
                self._confirm(proposal, now, verdict.arguments, verdict.who)
            else:
                self._decline(proposal, now, verdict.reason, verdict.who)
        return None

    def add_rule(self, rule: Rule, now: datetime, proposal_id: str = "") -> None:
        """Let proposals of a tool run without a question from now on, and this one, which waits, with them."""
        if any(known.id == rule.id for known in self.rules):
            return None
        if self.ended:
            return self.reject_input("The chat has ended; start a new one.", now)
        if len(rules.in_force(self.rules, now)) >= rules.IN_FORCE:
            return self.reject_input("This chat has too many rules. Revoke one first.", now)
        proposal = self._decidable(proposal_id, now) if proposal_id else None
        if proposal_id and proposal is None:
            return None
        if proposal is not None and not rules.covers(rule, proposal):
            return self.reject_input("That rule does not cover this proposal, so nothing was decided.", now)
        self.rules = rules.remembered([*self.rules, rule], now)
        self._add(Notice(text=f"No longer asked about: {rules.describe(rule)}. You can revoke this rule."), now)
        if proposal is not None:
            self._confirm(proposal, now, who=rule.who)
        return None

    def revoke_rule(self, rule_id: str, now: datetime) -> None:
        """Ask again from now on."""
        rule = next((rule for rule in rules.in_force(self.rules, now) if rule.id == rule_id), None)
        if rule is None:
            return self.reject_input("That rule is no longer in force.", now)
        self.rules = [known.model_copy(update={"revoked": now}) if known is rule else known for known in self.rules]
        self._add(Notice(text=f"Asked about again: {rules.describe(rule)}."), now)
        return None

    def add_link(self, link: Link, now: datetime) -> None:
        """Permit what this link permits, until it is used, revoked or expired."""
        if any(known.id == link.id for known in self.links):
            return None
        if self.ended:
            return self.reject_input("The chat has ended; start a new one.", now)
        if len(links.in_force(self.links, now)) >= links.IN_FORCE:
            return self.reject_input("This chat has too many links. Revoke one first.", now)
        if link.proposal_id and all(proposal.id != link.proposal_id for proposal in self.waiting):
            return self.reject_input("That proposal is no longer open. Decide on the newest one.", now)
        self.links = [*self.links, link][-links.KEPT :]
        self.revision += 1
        return None

    def revoke_link(self, link_id: str, now: datetime) -> None:
        """The link opens nothing from now on."""
        if not any(link.id == link_id for link in links.in_force(self.links, now)):
            return self.reject_input("That link is no longer in force.", now)
        return self._end_link(link_id, "revoked")

    def hand_over(self, link_id: str, who: str, now: datetime) -> bool:
        """Whether the link hands the chat over: once."""
        if not links.find(self.links, link_id, "owner", now):
            self.reject_input("That link is no longer in force.", now)
            return False
        self._end_link(link_id, "used")
        for link in links.in_force(self.links, now):
            self._end_link(link.id, "revoked")
        self._add(Notice(text=f"This chat was handed over to {who or 'somebody else'}."), now)
        return True

    def decide_by_link(self, link_id: str, verdict: Verdict, now: datetime) -> None:
        """Decide the proposal of the link: once."""
        link = links.find(self.links, link_id, "decide", now)
        if link is None:
            return self.reject_input("That link is no longer in force.", now)
        self._end_link(link_id, "used")
        if verdict.accepts:
            return self.confirm(now, link.proposal_id, None, verdict.who)
        return self.decline(now, link.proposal_id, verdict.reason, verdict.who)

    def _end_link(self, link_id: str, why: Literal["used", "revoked"]) -> None:
        self.links = [each.model_copy(update={"over": why}) if each.id == link_id else each for each in self.links]
        self.revision += 1

    def end(self, now: datetime) -> None:
        """End the chat, whatever else is under way. A tool that was accepted and has not begun does not run."""
        if self.ended:
            return
        self._withdraw(now)
        if self.receipt and self.working != "tool":
            self._fail(ENDED_BEFORE, now)
        self.cancel_approved(ENDED_BEFORE, now)
        self._consume_inbox(len(self.inbox), now)
        self.ended, self.reply_due = "person", False
        self.revision += 1

    def open_for(self, now: datetime) -> timedelta | None:
        """How long a chat whose goal is reached stays open from now on; None: until somebody ends it."""
        return None if self.closes_at == EPOCH else max(self.closes_at - now, timedelta(seconds=1))

    def notify_in(self, now: datetime) -> timedelta | None:
        """In how long somebody is to be told that a proposal waits; None: nobody is."""
        return None if self.notify_at == EPOCH or not self.proposal else max(self.notify_at - now, timedelta())

    def notified(self, link_id: str, now: datetime) -> Notification | None:
        """What somebody is told now, with a link by which they can decide."""
        self.notify_at = EPOCH
        if self.proposal is None:
            return None
        expires = (now + NOTIFIED_FOR).replace(microsecond=0)
        link = Link(id=link_id, kind="decide", expires=expires, proposal_id=self.proposal.id, who="a notification")
        self.add_link(link, now)
        title = self.title or self.goal.title or self.goal.name
        return Notification(tool=self.proposal.name, title=title, link=link)

    def close(self) -> None:
        """Its goal was reached, and nobody said anything more."""
        if self.closes_at != EPOCH and not self.has_work:
            self.ended = "done"
            self.revision += 1

    def cancel_approved(self, sentence: str, now: datetime) -> None:
        """What was accepted and has not begun does not run."""
        approved, self.approved = self.approved, []
        for each in approved:
            proposal = each.proposal
            self._add(ToolResult(proposal_id=proposal.id, tool=proposal.tool, outcome="failed", error=sentence), now)

    def stop(self, now: datetime) -> None:
        """Stop the reply that is being written; what there is of it stays."""
        if self.working != "plan" or self.ended:
            running = self.working == "tool" and not self.ended
            why = "A tool that runs cannot be stopped halfway." if running else "Nothing was being written."
            return self.reject_input(why, now)
        self.stopping = True
        self.revision += 1
        return None

    def regenerate(self, now: datetime, seq: int = 0) -> None:
        """Write the newest reply again, or answer what was left without one. seq: of that reply, 0 = whichever it is."""
        said = (each for each in reversed([*self.context, *self.messages]) if not isinstance(each, Notice))
        newest = next(said, None)
        idle = not (self.ended or self.working or self.has_work or self.proposal)
        answerable = isinstance(newest, AgentMessage | UserMessage | Instruction | ToolResult)
        if not idle or newest is None or not answerable or seq not in (0, newest.seq):
            return self.reject_input("Only the newest reply can be written again.", now)
        self.replaces = newest.seq if isinstance(newest, AgentMessage) else 0
        self.unattended, self.reply_due, self.closes_at = 0, True, EPOCH
        self.revision += 1
        return None

    def pick_model(self, model: str) -> None:
        """Answer with another model from now on ("" = the first of the settings)."""
        if model != self.model:
            self.model = model
            self.revision += 1

    def rename(self, title: str) -> None:
        """Call the chat this from now on."""
        self.title = title
        self.revision += 1

    def reject_input(self, reason: str, now: datetime) -> None:
        """Ignore input: counted, and the reason shown, but never part of the transcript."""
        self.dropped = Dropped(count=self.dropped.count + 1, reason=reason, at=now)
        self.revision += 1

    # Steps of the agent

    @property
    def has_work(self) -> bool:
        """Whether the agent's next step is due."""
        return not self.ended and (self.receipt is not None or self.reply_due or bool(self.inbox))

    @property
    def waits_for(self) -> str:
        """The decision that is waited for: a tool's name, else the kind of question; "" = none."""
        return self.proposal.name if self.proposal else ""

    @property
    def is_listed_wrongly(self) -> bool:
        """Whether a list of chats says something else of this one."""
        return bool(self.listed_in) and self.listed != self.waits_for

    def begin_plan(self, now: datetime) -> PlanRequest:
        """Consume what was sent, as much as fits half the window, and ask the model for its next step."""
        said, _ = window.fitting(self.inbox, self.window_bytes // 2)
        self._consume_inbox(len(said), now)
        self.working = "plan"
        self.revision += 1
        return PlanRequest(
            goal=self.goal.model_copy(update={"client_fields": {}}),
            summary=self.summary,
            messages=window.newest(self._visible(), self._room),
            model=self.model,
            tokens=self.tokens,
            cost_usd=self.cost_usd,
            extensions=self.extensions,
        )

    def finish_plan(self, plan: Plan, now: datetime) -> None:
        """The model's plan: text, proposals, or the end. A newer message of the person outdates the latter two."""
        self.count_usage(plan.by)
        self.interrupted = [*self.interrupted, *plan.interruptions]
        stopping, self.stopping = self.stopping, False
        self.working, self.reply_due = "", False
        self.revision += 1
        if plan.notice:
            self._add(Notice(text=plan.notice), now)
        if self.ended:
            return None
        if plan.stopped or (stopping and (plan.proposals or plan.next == "done")):
            return self._add_stopped(plan, now)
        if self.proposal and (plan.proposals or plan.next == "done"):
            return None  # a repair asks first what became of a tool
        if self.inbox and (plan.proposals or plan.next == "done"):
            self.reply_due = True
        elif plan.proposals:
            self.queue = plan.proposals
            self._propose_next(now, plan.by)
        elif plan.next == "done" and self.linger and self._is_end_declined():
            self._add(AgentMessage(text=GO_ON, by=plan.by), now)
        elif plan.next == "done" and self.confirm_end and not (self.achieved or self._wants_to_stop(plan)):
            text = f"{plan.text} {ASK_TO_END}".strip()
            self.queue = [Proposal(kind="end", tool="finish", text=text, effect="read")]
            self._propose_next(now, plan.by)
        else:
            self._add(AgentMessage(text=plan.text, next=plan.next, off_goal=plan.off_goal, by=plan.by), now)
            if plan.next == "done" and self.linger and not self._wants_to_stop(plan):
                self.closes_at = now + timedelta(seconds=self.linger)
            elif plan.next == "done":
                self.ended = "done"
        return None

    def _wants_to_stop(self, plan: Plan) -> bool:
        """Whether the model says that the person does. In a chat that lingers, a mere "no" is no such wish."""
        said = next((message for message in reversed(self.messages) if isinstance(message, UserMessage)), None)
        is_no = said is not None and " ".join(re.sub(r"[^\w\s]+", " ", said.text.lower()).split()) in _NO
        return plan.stop_requested and not (self.linger and is_no)

    def _is_end_declined(self) -> bool:
        """Whether the person declined to end the chat, and has said nothing since."""
        said = (message for message in reversed(self.messages) if isinstance(message, UserMessage | Decision))
        newest = next(said, None)
        return isinstance(newest, Decision) and newest.tool == "finish" and newest.verdict == "declined"

    def _add_stopped(self, plan: Plan, now: datetime) -> None:
        if plan.text:
            return self._add(AgentMessage(text=plan.text, stopped=True, by=plan.by), now)
        self.replaces = 0
        return self._add(Notice(text=STOPPED), now)

    def fail_plan(self, sentence: str, now: datetime, use: ModelUse | None = None) -> None:
        """The model cannot answer this, however often it is asked: say why, and wait for the person."""
        self.count_usage(use)
        self.working, self.reply_due, self.stopping, self.replaces = "", False, False, 0
        self.revision += 1
        if not self.ended:
            self._add(Notice(text=sentence, level="error"), now)

    def stop_plan(self, *, again: bool) -> None:
        """The call under way was cancelled; `again`: ask again."""
        self.working, self.reply_due, self.stopping = "", again, False
        self.revision += 1

    def begin_tool(self) -> tuple[Proposal, Decision]:
        """The proposal and the receipt under which its tool runs now."""
        assert self.receipt is not None
        assert self.accepted is not None
        self.working = "tool"
        self.unattended += 1
        self.revision += 1
        return self.accepted, self.receipt

    @staticmethod
    def effect_id(proposal: Proposal, receipt: Decision) -> str:
        """Identifies an effect. An idempotent tool that is retried with the same arguments means the same effect."""
        again = proposal.effect == "idempotent" and receipt.arguments == proposal.arguments
        return proposal.about if again and proposal.about else proposal.id

    def finish_tool(self, answer: ToolAnswer, now: datetime) -> None:
        """The tool returned."""
        self.achieved = True
        self.interrupted = [*self.interrupted, *answer.interruptions]
        self._record(now, ToolResult(proposal_id="", result=answer.result, source=answer.source, view=answer.view))
        if self.queue and not self.inbox and not self.ended:
            self._propose_next(now, None)
        else:
            self._go_on()

    def fail_tool(self, sentence: str, now: datetime) -> None:
        """The tool failed for good, and reported so itself."""
        self._fail(sentence, now)
        self._go_on()

    def lose_tool(self, sentence: str, now: datetime, interruptions: Sequence[Interruption] = ()) -> None:
        """A tool with side effects did not answer: its outcome is unknown, and the person decides."""
        self.interrupted = [*self.interrupted, *interruptions]
        lost, receipt = self.accepted, self.receipt
        assert lost is not None
        assert receipt is not None
        self._record(now, ToolResult(proposal_id="", outcome="unknown", error=sentence))
        if self.ended or self.inbox:
            self._go_on()  # a newer message outdates the question; the model sees that the outcome is unknown
            return
        text = f"{sentence} It may or may not have taken effect. Try again, or treat it as done?"
        asked = {"kind": "lost_result", "about": self.effect_id(lost, receipt), "needs_confirm": True, "text": text}
        self.queue = [lost.model_copy(update={**asked, "arguments": receipt.arguments})]
        self._propose_next(now, None)

    def repair(self, repair: Repair, now: datetime) -> None:
        """Go on where the run was reset to. What ran after that point is recorded here, and does not run again."""
        self.proposed += repair.proposals
        self._add(Notice(text=REPAIRED, level="warning"), now)
        known = {message.proposal_id: message.outcome for message in self.messages if isinstance(message, ToolResult)}
        running = self.accepted.id if self.accepted and self.working == "tool" else ""
        for past in repair.calls:
            if past.call.proposal_id != running and known.get(past.call.proposal_id) != past.outcome:
                self._withdraw(now)
                self._record_past(past, now)
        self._run_next()

    def _record_past(self, past: PastCall, now: datetime) -> None:
        call, working, held = past.call, self.working, (self.receipt, self.accepted)
        approved = {each.proposal.id: each for each in self.approved}
        self.approved = []
        if self.accepted and self.accepted.id == call.proposal_id:
            held = None, None
        elif known := approved.pop(call.proposal_id, None):
            self.receipt, self.accepted = known.receipt, known.proposal
        else:
            ran = {"id": call.proposal_id, "tool": call.tool, "arguments": call.arguments, "effect": call.effect}
            self.accepted = Proposal(**ran, timeout=past.timeout)
            self._add(ProposalMessage(proposal=self.accepted), now)
            self.receipt = self._decide(self.accepted, "confirmed", now, arguments=call.arguments)
        self.reply_due = False
        if past.outcome == "ok":
            self.finish_tool(past.answer, now)
        elif past.outcome == "failed":
            self.fail_tool(past.error, now)
        else:
            self.lose_tool(past.error, now)
        self.working, (self.receipt, self.accepted) = working, held
        self.approved = [*approved.values()]

    # The summary, and the next run of the workflow

    def backlog(self) -> tuple[list[Message], int] | None:
        """What to summarize next, with the seq it ends at; None while there is room."""
        piece = window.backlog(self._visible(), self.window_bytes, len(self.summary.encode()))
        return (piece, piece[-1].seq) if piece else None

    def summarize(self, summary: str, through: int, use: ModelUse | None) -> None:
        """The summary now covers everything up to the message `through`; an empty one changes nothing."""
        self.count_usage(use)
        if summary:
            longest = max(self.window_bytes // 4, SUMMARY_BYTES)
            self.summary, self.summarized = window.shorten(summary, longest), through
            self.context = [message for message in self.context if message.seq > through]
        self.revision += 1

    def next_run_state(self, run_id: str) -> "Conversation":
        """The state of the next run: everything that waits, and what no summary covers yet."""
        unsummarized = max(self.window_bytes, min(4 * self.window_bytes, HANDED_ON_BYTES))
        context = window.newest(self._visible(), unsummarized)
        following = self.model_copy(
            update={"context": context, "messages": [], "previous_run_id": run_id, "working": "", "replaced": []}
        )
        if window.size(following) > STATE_BYTES:
            following = following.model_copy(update={"context": [], "queue": [], "heard_ids": []})
        return following

    # Shared steps

    @property
    def waiting(self) -> list[Proposal]:
        """What the person is to decide now."""
        return [self.proposal, *self.beside] if self.proposal else []

    def _propose_next(self, now: datetime, use: ModelUse | None) -> None:
        """Propose what comes next: one proposal, or all that need a decision where the client can decide several."""
        free = next((proposal for proposal in self.queue if self._permit(proposal, now)), None) if self.batch else None
        chosen = [free] if free else self.queue if self.batch else self.queue[:1]
        self.queue = [proposal for proposal in self.queue if not any(proposal is one for one in chosen)]
        proposed: list[Proposal] = []
        for proposal in chosen:
            self.proposed += 1
            proposed.append(proposal.model_copy(update={"id": f"{self.key}-{self.proposed}"}))
            self._add(ProposalMessage(proposal=proposed[-1], by=use), now)
            use = None
        self.proposal, self.beside = proposed[0], proposed[1:]
        self.notify_at = now + timedelta(seconds=self.notify_after) if self.notify_after else EPOCH
        if len(proposed) == 1 and (permit := self._permit(proposed[0], now)):
            who, rule_id = permit
            self._confirm(proposed[0], now, who=who, rule_id=rule_id)

    def _permit(self, proposal: Proposal, now: datetime) -> tuple[str, str] | None:
        """Who, and which rule, lets this run without a question; None: the person decides."""
        if proposal.kind != "tool" or self.unattended >= UNATTENDED_RUNS:
            return None
        if not proposal.needs_confirm:
            return "settings", ""
        rule = rules.covering(self.rules, proposal, now)
        return (f"your rule: {rules.describe(rule)}", rule.id) if rule else None

    def _confirm(
        self,
        proposal: Proposal,
        now: datetime,
        arguments: dict[str, Json] | None = None,
        who: str = "",
        rule_id: str = "",
    ) -> None:
        editable = proposal.runs_tool
        decided = arguments if editable and arguments is not None else proposal.arguments
        receipt = self._decide(proposal, "confirmed", now, arguments=decided, who=who, rule_id=rule_id)
        if editable:
            schemaless = proposal.model_copy(update={"parameters": {}})  # the card needed it; it may be large
            accepted = Accepted(proposal=schemaless, receipt=receipt)
            again = proposal.kind == "lost_result"
            self.approved = [accepted, *self.approved] if again else [*self.approved, accepted]
            self._run_next()
            return
        if proposal.kind == "switch_goal" and proposal.goal is not None:
            self.goal, self.achieved = proposal.goal, False
            self._add(Notice(text=f"The goal is now: {proposal.goal.title or proposal.goal.name}."), now)
        elif proposal.kind == "budget":
            self.extensions += 1
        elif proposal.kind == "end":
            self._add(AgentMessage(text=GOODBYE, next="done"), now)
            self.ended = "done"
            return
        self.reply_due = True

    def _decline(self, proposal: Proposal, now: datetime, reason: str, who: str) -> None:
        self._decide(proposal, "declined", now, reason=reason, who=who)
        self.queue = []
        if not self.proposal and not self._run_next():
            self.reply_due = proposal.kind != "budget"

    def _run_next(self) -> bool:
        """Whether what was accepted next runs now: nothing runs while something waits for a decision."""
        if self.proposal or self.receipt or not self.approved:
            return False
        first, self.approved = self.approved[0], self.approved[1:]
        self.receipt, self.accepted = first.receipt, first.proposal
        return True

    def _go_on(self) -> None:
        """A tool is done with: the next that was accepted, or the model's turn."""
        self.queue = []
        if not self._run_next():
            self.reply_due = not self.ended

    def _decidable(self, proposal_id: str, now: datetime) -> Proposal | None:
        found = [proposal for proposal in self.waiting if proposal_id in ("", proposal.id)]
        if not self.proposal:
            self.reject_input("Nothing was waiting for your decision.", now)
        elif not found:
            self.reject_input("That proposal is no longer open. Decide on the newest one.", now)
        elif len(found) > 1:
            self.reject_input("Several proposals are waiting. Decide each of them.", now)
        else:
            return found[0]
        return None

    def _add(self, message: Message, now: datetime, *, keep_time: bool = False) -> None:
        message.seq = self.next_seq
        if self.interrupted and isinstance(message, AgentMessage | ProposalMessage | ToolResult | Notice):
            message.interruptions, self.interrupted = self.interrupted[-KEPT_INTERRUPTIONS:], []
        if self.replaces and isinstance(message, AgentMessage | ProposalMessage):
            self.replaced = [*self.replaced, self.replaces]
            message.replaces, self.replaces = self.replaces, 0
        if not keep_time or message.at == EPOCH:
            message.at = now
        self.messages.append(message)
        self.next_seq += 1
        self.revision += 1

    def _consume_inbox(self, count: int, now: datetime) -> None:
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
        rule_id: str = "",
    ) -> Decision:
        left = [waiting for waiting in self.waiting if waiting.id != proposal.id]
        self.proposal, self.beside = (left[0], left[1:]) if left else (None, [])
        if who != "settings" and not rule_id:
            self.unattended = 0
        decision = Decision(
            proposal_id=proposal.id,
            tool=proposal.tool,
            verdict=verdict,
            arguments=arguments or {},
            reason=reason,
            who=who,
            rule=rule_id,
        )
        self._add(decision, now)
        return decision

    def _withdraw(self, now: datetime) -> None:
        for proposal in self.waiting:
            self._decide(proposal, "withdrawn", now)
        self.queue = []
        self._run_next()

    def _fail(self, sentence: str, now: datetime) -> None:
        self._record(now, ToolResult(proposal_id="", outcome="failed", error=sentence))

    def _record(self, now: datetime, result: ToolResult) -> None:
        assert self.accepted is not None
        result.proposal_id, result.tool = self.accepted.id, self.accepted.tool
        self.receipt, self.accepted, self.working = None, None, ""
        self._add(result, now)

    def count_usage(self, use: ModelUse | None) -> None:
        """Add to what the chat has used of models."""
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
        """Newest first, without replies that are written again."""
        hidden = {self.replaces, *self.replaced}
        seen = window.visible(self.messages, self.context, self.summarized)
        return (message for message in seen if message.seq not in hidden)
