"""Whatever happens to a chat, in whatever order: its invariants, as properties over random sequences of events."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from agent.conversation import Conversation
from agent.messages import (
    EPOCH,
    AgentMessage,
    Decision,
    GoalSpec,
    Message,
    ModelUse,
    Plan,
    Proposal,
    ProposalMessage,
    Rule,
    ToolAnswer,
    UserMessage,
    Verdict,
)

USE = ModelUse(model="m", prompt_tokens=3, completion_tokens=2, cost_usd="0.01")
GOAL = GoalSpec(name="g")

texts = st.text(min_size=1, max_size=30) | st.just("word " * 150)
tools = st.builds(
    Proposal,
    tool=st.sampled_from(["Read", "Post"]),
    arguments=st.dictionaries(st.sampled_from("ab"), st.integers() | texts, max_size=2),
    effect=st.sampled_from(["read", "idempotent", "once"]),
    needs_confirm=st.booleans(),
)
others = st.builds(Proposal, kind=st.just("budget")) | st.just(
    Proposal(kind="switch_goal", goal=GoalSpec(name="other"))
)
plans = (
    st.builds(Plan, text=texts, by=st.none() | st.just(USE), notice=st.sampled_from(["", "Another model answered."]))
    | st.builds(Plan, proposals=st.lists(tools, min_size=1, max_size=3), by=st.just(USE))
    | st.builds(Plan, proposals=st.lists(others, min_size=1, max_size=1))
)
endings = st.builds(Plan, text=texts, next=st.just("done"))


class Chat(RuleBasedStateMachine):
    """A chat whose model, tools, person and runs do as they please, within what the workflow allows."""

    batch = False
    linger = 0

    def __init__(self) -> None:
        super().__init__()
        self.chat = Conversation(goal=GOAL, key="k", window_bytes=2_000, batch=self.batch, linger=self.linger)
        self.now = datetime(2030, 1, 1, tzinfo=UTC)
        self.earlier: list[Message] = []
        self.seen: list[str] = []
        self.heard: list[str] = []
        self.begun: list[str] = []
        self.stale = ["never-proposed"]
        self.runs = 0

    @property
    def transcript(self) -> list[Message]:
        return [*self.earlier, *self.chat.messages]

    def tick(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now

    # What the person does

    @rule(text=texts, again=st.booleans())
    def hear(self, text: str, again: bool) -> None:
        before = self.chat.dropped.count
        said_id = f"id-{len(self.heard)}" if not again else "id-same"
        is_new = not self.chat.ended and said_id not in self.chat.heard_ids
        self.chat.receive_message(UserMessage(text=text, id=said_id), self.tick())
        if is_new and self.chat.dropped.count == before:
            self.heard.append(text)

    @precondition(lambda self: self.chat.proposal)
    @rule(
        edited=st.none() | st.dictionaries(st.sampled_from("ab"), st.integers(), max_size=2),
        bare=st.booleans(),
        which=st.integers(0, 7),
    )
    def confirm(self, edited: dict[str, Any] | None, bare: bool, which: int) -> None:
        waiting = self.chat.waiting
        proposal = waiting[which % len(waiting)]
        before, dropped = len(self.transcript), self.chat.dropped.count
        self.chat.confirm(self.tick(), "" if bare else proposal.id, edited)
        if bare and len(waiting) > 1:
            assert (len(self.transcript), self.chat.dropped.count) == (before, dropped + 1)
            return
        decision = [message for message in self.chat.messages if isinstance(message, Decision)][-1]
        assert (decision.proposal_id, decision.verdict) == (proposal.id, "confirmed")
        self.stale.append(proposal.id)

    @precondition(lambda self: self.chat.proposal)
    @rule(reason=texts, which=st.integers(0, 7))
    def decline(self, reason: str, which: int) -> None:
        waiting = self.chat.waiting
        proposal = waiting[which % len(waiting)]
        self.stale.append(proposal.id)
        self.chat.decline(self.tick(), proposal.id, reason)

    @precondition(lambda self: self.chat.proposal)
    @rule(accepts=st.lists(st.booleans(), min_size=8, max_size=8), stale=st.booleans())
    def decide_at_once(self, accepts: list[bool], stale: bool) -> None:
        verdicts = [Verdict(proposal_id=one.id, accepts=accepts[n]) for n, one in enumerate(self.chat.waiting)]
        before, dropped = len(self.transcript), self.chat.dropped.count
        if stale:
            verdicts.append(Verdict(proposal_id=self.stale[-1]))
            self.chat.decide(verdicts, self.tick())
            assert (len(self.transcript), self.chat.dropped.count) == (before, dropped + 1), "all or nothing"
            return
        self.chat.decide(verdicts, self.tick())
        assert not self.chat.waiting
        self.stale += [verdict.proposal_id for verdict in verdicts]

    @rule(name=st.sampled_from(["Read", "Post"]), seconds=st.sampled_from([0, 5]), number=st.integers(0, 3))
    def add_rule(self, name: str, seconds: int, number: int) -> None:
        until = self.now + timedelta(seconds=seconds) if seconds else EPOCH
        self.chat.add_rule(Rule(id=f"rule-{number}", tool=name, until=until), self.tick())

    @rule(number=st.integers(0, 3))
    def revoke_rule(self, number: int) -> None:
        self.chat.revoke_rule(f"rule-{number}", self.tick())

    @rule(which=st.integers(0, 1_000), accept=st.booleans())
    def decide_what_does_not_wait(self, which: int, accept: bool) -> None:
        before, dropped = len(self.transcript), self.chat.dropped.count
        decide = self.chat.confirm if accept else self.chat.decline
        decide(self.tick(), self.stale[which % len(self.stale)])
        assert len(self.transcript) == before
        assert self.chat.dropped.count == dropped + 1

    @precondition(lambda self: self.chat.next_seq > 25)
    @rule()
    def end(self) -> None:
        self.chat.end(self.tick())

    @rule()
    def stop(self) -> None:
        before, writing = len(self.transcript), self.chat.working == "plan" and not self.chat.ended
        self.chat.stop(self.tick())
        assert (len(self.transcript), self.chat.stopping) == (before, writing)

    @rule(stale=st.booleans())
    def regenerate(self, stale: bool) -> None:
        before = len(self.transcript)
        self.chat.regenerate(self.tick(), self.chat.next_seq if stale else 0)
        assert len(self.transcript) == before

    @rule()
    def close_by_itself(self) -> None:
        before, reached = len(self.transcript), self.chat.closes_at != EPOCH and not self.chat.has_work
        was_over = bool(self.chat.ended)
        self.chat.close()
        assert bool(self.chat.ended) == (was_over or reached)
        assert len(self.transcript) == before

    @rule(model=st.sampled_from(["", "other"]))
    def pick_model(self, model: str) -> None:
        self.chat.pick_model(model)

    # What the workflow does

    @precondition(lambda self: self.chat.has_work and not self.chat.working)
    @rule()
    def take_the_next_step(self) -> None:
        if self.chat.receipt:
            proposal, receipt = self.chat.begin_tool()
            assert proposal.id == receipt.proposal_id
            self.begun.append(receipt.proposal_id)
        else:
            request = self.chat.begin_plan(self.tick())
            assert request.messages or request.summary, "all of it may be in the summary by now"

    @precondition(lambda self: self.chat.working == "plan")
    @rule(plan=plans)
    def plan(self, plan: Plan) -> None:
        self.chat.finish_plan(plan.model_copy(deep=True), self.tick())

    @precondition(lambda self: self.chat.working == "plan" and self.chat.next_seq > 25)
    @rule(plan=endings)
    def plan_the_end(self, plan: Plan) -> None:
        self.chat.finish_plan(plan.model_copy(deep=True), self.tick())

    @precondition(lambda self: self.chat.working == "plan")
    @rule(text=st.just("") | texts)
    def plan_is_stopped(self, text: str) -> None:
        self.chat.stop(self.tick())
        self.chat.finish_plan(Plan(text=text, stopped=True), self.tick())
        assert not self.chat.stopping

    @precondition(lambda self: self.chat.working == "plan")
    @rule(cancelled=st.booleans())
    def plan_fails(self, cancelled: bool) -> None:
        if cancelled:
            self.chat.stop_plan(again=not self.chat.ended)
        else:
            self.chat.fail_plan("The model refuses.", self.tick())

    @precondition(lambda self: self.chat.working == "tool")
    @rule(how=st.sampled_from(["finish", "fail", "lose"]))
    def tool_ends(self, how: str) -> None:
        if how == "finish":
            self.chat.finish_tool(ToolAnswer(result={"n": 1, "text": "x" * 200}), self.tick())
        elif how == "fail":
            self.chat.fail_tool("The tool failed.", self.tick())
        else:
            self.chat.lose_tool("It did not answer.", self.tick())

    @rule()
    def summarize(self) -> None:
        backlog = self.chat.backlog()
        if backlog:
            messages, through = backlog
            assert messages[0].seq > self.chat.summarized
            self.chat.summarize(f"Up to {through}.", through, USE)

    @precondition(lambda self: not self.chat.working and not self.chat.ended)
    @rule()
    def continue_as_new(self) -> None:
        self.runs += 1
        following = self.chat.next_run_state(f"run-{self.runs}")
        self.earlier = self.transcript
        self.chat = Conversation.model_validate_json(following.model_dump_json())

    # What is always so

    @invariant()
    def sequence_numbers_count_from_one(self) -> None:
        assert [message.seq for message in self.transcript] == list(range(1, self.chat.next_seq))

    @invariant()
    def the_transcript_only_grows(self) -> None:
        now = [message.model_dump_json() for message in self.transcript]
        assert now[: len(self.seen)] == self.seen
        self.seen = now

    @invariant()
    def nothing_that_was_heard_is_lost(self) -> None:
        told = [m.text for m in [*self.transcript, *self.chat.inbox] if isinstance(m, UserMessage)]
        assert told == self.heard

    @invariant()
    def a_receipt_is_used_once(self) -> None:
        confirmed = [m.proposal_id for m in self.transcript if isinstance(m, Decision) and m.verdict == "confirmed"]
        assert len(set(confirmed)) == len(confirmed)
        assert len(set(self.begun)) == len(self.begun)
        assert set(self.begun) <= set(confirmed)

    @invariant()
    def only_proposals_of_one_answer_wait_together(self) -> None:
        proposed = [m.proposal.id for m in self.transcript if isinstance(m, ProposalMessage)]
        decided = [m.proposal_id for m in self.transcript if isinstance(m, Decision)]
        assert len(set(proposed)) == len(proposed)
        assert len(set(decided)) == len(decided)
        waiting = [proposal.id for proposal in self.chat.waiting]
        assert len(waiting) <= (3 if self.batch else 1)
        assert [one for one in proposed if one not in decided] == waiting
        assert not (waiting and (self.chat.inbox or self.chat.working or self.chat.receipt or self.chat.ended))

    @invariant()
    def every_receipt_has_one_result_or_is_at_work_or_due(self) -> None:
        asked = {m.proposal.id: m.proposal.kind for m in self.transcript if isinstance(m, ProposalMessage)}
        confirmed = [m.proposal_id for m in self.transcript if isinstance(m, Decision) and m.verdict == "confirmed"]
        running = [one for one in confirmed if asked[one] in ("tool", "lost_result")]
        results = [m.proposal_id for m in self.transcript if m.kind == "result"]
        pending = [self.chat.receipt.proposal_id] if self.chat.receipt else []
        pending += [each.receipt.proposal_id for each in self.chat.approved]
        assert sorted([*results, *pending]) == sorted(running)

    @invariant()
    def no_rule_decides_about_what_cannot_be_retried(self) -> None:
        asked = {m.proposal.id: m.proposal for m in self.transcript if isinstance(m, ProposalMessage)}
        ruled = [asked[m.proposal_id] for m in self.transcript if isinstance(m, Decision) and m.rule]
        assert all(proposal.kind == "tool" and proposal.effect != "once" for proposal in ruled)

    @invariant()
    def a_chat_is_never_left_without_a_next_step(self) -> None:
        chat = self.chat
        if not (chat.ended or chat.working or chat.has_work or chat.proposal) and self.transcript:
            newest = self.transcript[-1]
            assert newest.kind not in ("user", "instruction", "result")
            if isinstance(newest, Decision):
                asked = {m.proposal.id: m.proposal.kind for m in self.transcript if isinstance(m, ProposalMessage)}
                assert asked[newest.proposal_id] == "budget", "a declined budget waits for the person"

    @invariant()
    def a_reply_is_replaced_by_one_that_follows_it(self) -> None:
        replies = {m.seq: m.replaces for m in self.transcript if isinstance(m, AgentMessage | ProposalMessage)}
        replaced = [seq for seq in replies.values() if seq]
        assert len(set(replaced)) == len(replaced)
        assert all(replies[seq] >= 0 and seq < later for later, seq in replies.items() if seq)

    @invariant()
    def a_stop_is_of_a_reply_under_way(self) -> None:
        assert not self.chat.stopping or self.chat.working == "plan"

    @invariant()
    def the_state_survives_json(self) -> None:
        assert Conversation.model_validate_json(self.chat.model_dump_json()) == self.chat
        assert self.chat.inbox_bytes == sum(len(m.model_dump_json().encode()) for m in self.chat.inbox)

    @invariant()
    def an_ended_chat_does_nothing_more(self) -> None:
        if self.chat.ended:
            assert not self.chat.has_work
            assert not self.chat.inbox


class ChatOfAClientThatDecidesSeveral(Chat):
    batch = True
    linger = 60


_SETTINGS = settings(
    max_examples=60, stateful_step_count=60, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestChat = Chat.TestCase
TestChat.settings = _SETTINGS
TestChatOfAClientThatDecidesSeveral = ChatOfAClientThatDecidesSeveral.TestCase
TestChatOfAClientThatDecidesSeveral.settings = _SETTINGS
