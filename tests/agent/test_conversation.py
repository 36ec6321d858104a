"""What each event does to a chat. Sequences of them: test_properties.py."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from pydantic_core import to_json

from agent import wire
from agent.conversation import Conversation
from agent.messages import (
    Decision,
    GoalSpec,
    ModelUse,
    Notice,
    PastCall,
    Plan,
    Proposal,
    Repair,
    ToolAnswer,
    ToolCall,
    UserMessage,
    Verdict,
)

NOW = datetime(2030, 1, 1, tzinfo=UTC)
LATER = datetime(2030, 1, 2, tzinfo=UTC)
USE = ModelUse(model="m", prompt_tokens=10, completion_tokens=5, cost_usd="0.001")


def chat(**fields: object) -> Conversation:
    return Conversation.model_validate({"goal": {"name": "g"}, "key": "k", **fields})


def asked(*proposals: Proposal) -> Conversation:
    """A chat in which these were proposed."""
    made = chat()
    made.receive_message(UserMessage(text="Do it"), NOW)
    made.begin_plan(NOW)
    made.finish_plan(Plan(proposals=list(proposals)), NOW)
    return made


def kinds(made: Conversation) -> list[str]:
    return [message.kind for message in made.messages]


def test_a_message_keeps_the_time_at_which_it_came() -> None:
    made = chat()
    made.receive_message(UserMessage(text="Hello"), NOW)
    made.begin_plan(LATER)
    assert (made.messages[0].seq, made.messages[0].at) == (1, NOW)


@pytest.mark.parametrize("text", ["end conversation", " End conversation. ", "END CONVERSATION!"])
def test_the_words_that_end_a_chat(text: str) -> None:
    made = chat()
    made.receive_message(UserMessage(text=text), NOW)
    assert (made.ended, kinds(made), made.inbox) == ("person", ["user"], [])


def test_a_message_that_only_speaks_of_the_end_does_not_end() -> None:
    made = chat()
    made.receive_message(UserMessage(text="How do I end conversation?"), NOW)
    assert not made.ended


def test_the_last_500_ids_are_remembered() -> None:
    made = chat()
    for number in range(501):
        made.receive_message(UserMessage(text="a", id=str(number)), NOW)
    made.receive_message(UserMessage(text="again", id="1"), NOW)
    assert len(made.inbox) == 501
    made.receive_message(UserMessage(text="again", id="0"), NOW)
    assert len(made.inbox) == 502


def test_a_refused_message_can_be_sent_again_under_its_id() -> None:
    made = chat()
    while not made.dropped.count:
        made.receive_message(UserMessage(text="x" * 8_000, id=f"{len(made.inbox)}"), NOW)
    refused = str(len(made.inbox))
    made.begin_plan(NOW)
    made.finish_plan(Plan(text="Yes?"), NOW)
    made.receive_message(UserMessage(text="x", id=refused), NOW)
    assert made.inbox[-1].text == "x"


def test_as_much_is_taken_up_as_fits_half_the_window() -> None:
    made = chat(window_bytes=2_000)
    for _ in range(4):
        made.receive_message(UserMessage(text="x" * 400), NOW)
    made.begin_plan(NOW)
    assert (len(made.messages), len(made.inbox)) == (2, 2)


def test_switching_the_goal_is_told_and_goes_on() -> None:
    made = asked(Proposal(kind="switch_goal", tool="switch_goal", goal=GoalSpec(name="other", title="The other")))
    made.confirm(NOW, arguments={"goal": "a third one"})
    assert (made.goal.name, made.reply_due) == ("other", True)
    assert isinstance(made.messages[-2], Decision)
    assert made.messages[-2].arguments == {}, "only a tool's arguments can be edited"
    assert isinstance(made.messages[-1], Notice)
    assert made.messages[-1].text == "The goal is now: The other."


def test_edited_arguments_count_for_tools_only() -> None:
    made = asked(Proposal(kind="budget"))
    made.confirm(NOW, arguments={"a": 1})
    decision = made.messages[-1]
    assert decision.kind == "decision"
    assert decision.arguments == {}
    assert made.extensions == 1


def test_a_declined_budget_waits_for_the_person() -> None:
    made = asked(Proposal(kind="budget"))
    made.decline(NOW)
    assert not made.has_work
    assert wire.chat_status(made) == "waiting"


def test_the_same_effect_keeps_its_id_when_tried_again_and_again() -> None:
    made = asked(Proposal(tool="Pay", effect="idempotent", arguments={"sum": 1}))
    ids = []
    for _ in range(3):
        made.confirm(NOW)
        ids.append(made.effect_id(*made.begin_tool()))
        made.lose_tool("No answer.", NOW)
    assert ids == ["k-1", "k-1", "k-1"]


def test_an_edited_effect_has_an_id_of_its_own_that_it_keeps() -> None:
    made = asked(Proposal(tool="Pay", effect="idempotent", arguments={"sum": 1}))
    ids = []
    for edited in (None, {"sum": 2}, None):
        made.confirm(NOW, arguments=edited)
        ids.append(made.effect_id(*made.begin_tool()))
        made.lose_tool("No answer.", NOW)
    assert ids == ["k-1", "k-2", "k-2"]


def test_a_once_effect_that_is_tried_again_is_a_new_one() -> None:
    made = asked(Proposal(tool="Post", effect="once"))
    ids = []
    for _ in range(2):
        made.confirm(NOW)
        ids.append(made.effect_id(*made.begin_tool()))
        made.lose_tool("No answer.", NOW)
    assert ids == ["k-1", "k-2"]


def test_a_tool_that_needs_no_confirm_has_a_receipt_all_the_same() -> None:
    made = asked(Proposal(tool="Read", effect="read", needs_confirm=False))
    assert made.receipt
    assert (made.receipt.verdict, made.receipt.who) == ("confirmed", "settings")


def test_words_of_the_person_allow_ten_more_tools_without_asking() -> None:
    made = chat()
    made.receive_message(UserMessage(text="Read on"), NOW)
    ran = 0
    while not made.proposal:
        made.begin_plan(NOW)
        made.finish_plan(Plan(proposals=[Proposal(tool="Read", needs_confirm=False)]), NOW)
        if made.receipt:
            made.begin_tool()
            made.finish_tool(ToolAnswer(), NOW)
            ran += 1
    assert ran == 10
    made.confirm(NOW)
    assert made.unattended == 0


def test_an_unknown_price_makes_the_sum_unknown_and_tokens_go_on_counting() -> None:
    made = chat()
    for use in (USE, USE.model_copy(update={"cost_usd": None}), USE):
        made.receive_message(UserMessage(text="Hm"), NOW)
        made.begin_plan(NOW)
        made.finish_plan(Plan(text="Hm", by=use), NOW)
    assert (made.tokens, made.cost_usd) == (45, None)


def test_a_summary_without_words_is_none() -> None:
    made = chat(summary="Before.", summarized=0)
    made.summarize("", 5, None)
    assert (made.summary, made.summarized) == ("Before.", 0)


def test_a_plan_that_ends_while_the_chat_has_ended_says_nothing() -> None:
    made = chat()
    made.receive_message(UserMessage(text="Hello"), NOW)
    made.begin_plan(NOW)
    made.end(NOW)
    made.finish_plan(Plan(text="Too late", by=USE), NOW)
    made.fail_plan("Too late", NOW)
    assert kinds(made) == ["user"]
    assert made.tokens == 15, "what it cost is counted"


@pytest.mark.parametrize(
    ("events", "status"),
    [
        (["hear"], "thinking"),
        (["hear", "begin"], "thinking"),
        (["hear", "begin", "propose"], "deciding"),
        (["hear", "begin", "propose", "confirm"], "running"),
        (["hear", "begin", "propose", "confirm", "run"], "running"),
        (["hear", "begin", "propose", "confirm", "run", "end"], "ending"),
        (["hear", "begin", "end"], "ended"),
        ([], "waiting"),
    ],
)
def test_what_a_chat_is_doing_in_one_word(events: list[str], status: str) -> None:
    made = chat()
    steps: dict[str, Callable[[], object]] = {
        "hear": lambda: made.receive_message(UserMessage(text="Hello"), NOW),
        "begin": lambda: made.begin_plan(NOW),
        "propose": lambda: made.finish_plan(Plan(proposals=[Proposal(tool="T")]), NOW),
        "confirm": lambda: made.confirm(NOW),
        "run": made.begin_tool,
        "end": lambda: made.end(NOW),
    }
    for event in events:
        steps[event]()
    assert wire.chat_status(made) == status


def test_a_page_of_messages_is_cut_to_what_a_query_can_carry() -> None:
    made = chat()
    for number in range(120):
        made.receive_message(UserMessage(text=f"{number} " + "x" * 3_900), NOW)
        made.begin_plan(NOW)
        made.finish_plan(Plan(text="Yes"), NOW)
    first = wire.chat_view(made)
    assert first.more
    assert len(to_json(first)) < 300_000
    rest = wire.chat_view(made, first.messages[-1].seq)
    assert rest.messages[0].seq == first.messages[-1].seq + 1
    assert wire.chat_view(made, 10_000).messages == []


@pytest.mark.parametrize("decided", ["none", "all", "one by one"])
def test_the_fullest_state_there_can_be_fits_into_a_payload(decided: str) -> None:
    made = chat(goal={"name": "g", "description": "x" * 99_000}, window_bytes=300_000, batch=decided != "one by one")
    for number in range(600):
        made.receive_message(UserMessage(text="é" * 40, id=f"{number}" + "😀" * 120, who="😀" * 128), NOW)
        made.begin_plan(NOW)
        made.finish_plan(Plan(text="x" * 2_000), NOW)
    made.receive_message(UserMessage(text="Do it"), NOW)
    made.begin_plan(NOW)
    wide = Proposal(tool="T", arguments={"a": "x" * 60_000}, parameters={"p": "y" * 100_000})
    made.finish_plan(Plan(proposals=[wide] * 8), NOW)
    if decided != "none":
        made.decide([Verdict(proposal_id=proposal.id) for proposal in made.waiting], NOW)
        made.begin_tool()
    else:
        assert len(to_json(wire.chat_view(made))) < 2_000_000
        assert len(to_json(wire.resume_input(made.next_run_state("run")))) < 2_000_000
        return
    while not made.dropped.count:
        made.receive_message(UserMessage(text='"' * 8_000), NOW)
    following = wire.resume_input(made.next_run_state("run"))
    assert len(to_json(following)) < 2_000_000
    assert wire.read_start(following, "", continued=True).inbox == made.inbox


def past(proposal_id: str, **fields: object) -> PastCall:
    return PastCall.model_validate(
        {"call": ToolCall(proposal_id=proposal_id, tool="Post", idempotency_key="c"), **fields}
    )


def results(made: Conversation) -> list[tuple[str, str]]:
    return [(message.proposal_id, message.outcome) for message in made.messages if message.kind == "result"]


def test_a_repair_uses_the_receipt_of_a_tool_that_had_run() -> None:
    made = asked(Proposal(tool="Post"))
    made.confirm(NOW, "k-1")
    made.repair(Repair(calls=[past("k-1", outcome="ok", answer=ToolAnswer(result=1))]), NOW)
    assert results(made) == [("k-1", "ok")]
    assert made.receipt is None
    assert made.reply_due


def test_a_repair_leaves_a_receipt_of_another_tool_in_use() -> None:
    made = asked(Proposal(tool="Post"))
    made.confirm(NOW, "k-1")
    made.repair(Repair(calls=[past("k-2", outcome="ok")]), NOW)
    assert results(made) == [("k-2", "ok")]
    assert made.begin_tool()[0].id == "k-1"


def test_a_repair_never_uses_an_id_again() -> None:
    made = asked(Proposal(tool="Post"))
    made.repair(Repair(proposals=3), NOW)
    made.decline(NOW, "k-1")
    made.begin_plan(NOW)
    made.finish_plan(Plan(proposals=[Proposal(tool="Post")]), NOW)
    assert made.proposal
    assert made.proposal.id == "k-5"


def test_a_repair_asks_about_an_unknown_outcome_before_anything_else_is_proposed() -> None:
    made = chat()
    made.receive_message(UserMessage(text="Do it"), NOW)
    made.begin_plan(NOW)
    made.repair(Repair(calls=[past("k-1", error="It was cut off.")], proposals=2), NOW)
    made.finish_plan(Plan(proposals=[Proposal(tool="Post")]), NOW)
    assert made.proposal
    assert (made.proposal.kind, made.proposal.about) == ("lost_result", "k-1")
    assert not made.has_work


def test_a_repair_of_an_ended_chat_tells_what_was_unknown_and_asks_nothing() -> None:
    made = asked(Proposal(tool="Post"))
    made.confirm(NOW, "k-1")
    made.end(NOW)
    made.repair(Repair(calls=[past("k-1", error="It was cut off.")]), NOW)
    assert results(made) == [("k-1", "failed"), ("k-1", "unknown")]
    assert made.proposal is None
    assert not made.has_work


def test_a_repair_that_comes_twice_tells_once() -> None:
    made = chat()
    for _ in range(2):
        made.repair(Repair(calls=[past("k-1", outcome="ok")]), NOW)
    assert results(made) == [("k-1", "ok")]
