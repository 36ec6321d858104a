"""From a model's reply to a plan."""

import dataclasses
import json
from typing import Any

import pytest

from agent import planning
from agent.messages import ArgumentSpec, GoalSpec, ToolSpec
from agent.model import CalledTool, Reply
from tests.workflow.harness import USE, call, calls, recording_tools, say

TOOLBOX = planning.Toolbox(
    tools=recording_tools([], {}).tools,
    foreign={"BookTaxi": ToolSpec(name="BookTaxi", arguments=[ArgumentSpec(name="when", type="datetime")])},
    goals={"other": GoalSpec(name="other", title="Another goal")},
)


def raw(arguments: str, name: str = "WriteNote") -> Reply:
    return Reply("", [CalledTool("c1", name, arguments)], USE)


def test_words_are_words() -> None:
    assert planning.interpret(say(" Hello. "), TOOLBOX).text == "Hello."


def test_a_reply_without_words_or_calls_says_something() -> None:
    assert planning.interpret(Reply(" ", [], USE), TOOLBOX).text.endswith("Please rephrase it.")


def test_a_call_becomes_a_proposal_with_the_tools_own_effect_and_schema() -> None:
    proposal = planning.interpret(call("PostNote", text="milk"), TOOLBOX).proposals[0]
    assert (proposal.tool, proposal.arguments, proposal.effect) == ("PostNote", {"text": "milk"}, "once")
    assert proposal.parameters == TOOLBOX.tools["PostNote"].parameters
    assert proposal.text == "Let me post a note (milk)."


def test_the_models_own_words_stand_above_the_first_of_its_proposals() -> None:
    first, second = planning.interpret(
        Reply("I'd post it.", calls("PostNote", "ReadNote", text="a").calls, USE), TOOLBOX
    ).proposals
    assert (first.text, second.text) == ("I'd post it.", "Let me read a note (a).")


def test_eight_calls_of_one_answer_are_enough() -> None:
    assert len(planning.interpret(calls(*["ReadNote"] * 20, text="a"), TOOLBOX).proposals) == 8


@pytest.mark.parametrize(
    ("show_confirm", "asks"),
    [("true", [True, True, True]), ("effects", [False, True, True]), ("false", [False, False, False])],
)
def test_which_tools_ask_first(show_confirm: Any, asks: list[bool]) -> None:
    toolbox = planning.Toolbox(TOOLBOX.tools, {}, {}, show_confirm)
    plan = planning.interpret(calls("ReadNote", "WriteNote", "PostNote", text="a"), toolbox)
    assert [proposal.needs_confirm for proposal in plan.proposals] == asks


def test_a_tool_that_only_a_server_calls_read_only_asks_where_effects_ask() -> None:
    alleged = {"ReadNote": dataclasses.replace(TOOLBOX.tools["ReadNote"], vouched=False)}
    for show_confirm, asks in (("true", True), ("effects", True), ("false", False)):
        toolbox = planning.Toolbox(alleged, {}, {}, show_confirm)  # type: ignore[arg-type]
        assert planning.interpret(call("ReadNote", text="a"), toolbox).proposals[0].needs_confirm is asks


def test_a_tool_that_only_the_goal_describes_counts_as_once() -> None:
    proposal = planning.interpret(call("BookTaxi", when="now"), TOOLBOX).proposals[0]
    assert (proposal.effect, proposal.needs_confirm) == ("once", True)


@pytest.mark.parametrize(
    ("reply", "missing", "wrong"),
    [
        (call("WriteNote"), ["text"], ""),
        (call("WriteNote", text=""), ["text"], ""),
        (call("BookTaxi"), ["when"], ""),
        (call("BurnNotes"), [], "There is no tool BurnNotes."),
        (raw("{"), [], "are not JSON"),
        (raw("[1]"), [], "are not a JSON object"),
        (raw('{"text": NaN}'), [], "are not a JSON object"),
        (raw('{"text": "\\ud800"}'), [], "are not a JSON object"),
        (raw('{"text": ' + "[" * 300 + "]" * 300 + "}"), [], "are not a JSON object"),
        (raw("[" * 100_000), [], "are not JSON"),
        (raw('{"goal": "no such"}', "switch_goal"), [], "There is no such goal. There are: other."),
    ],
)
def test_a_call_that_cannot_be_proposed_says_what_is_wrong(reply: Reply, missing: list[str], wrong: str) -> None:
    with pytest.raises(planning.InvalidToolCall) as unusable:
        planning.interpret(reply, TOOLBOX)
    assert unusable.value.missing == missing
    assert wrong in str(unusable.value)
    assert planning.ask_person(unusable.value, reply).text.endswith("What should it be?")


def test_finish_ends_and_off_goal_asks_again() -> None:
    end = planning.interpret(call("finish", message="Bye!\x00"), TOOLBOX)
    off = planning.interpret(call("off_goal", message="No burgers."), TOOLBOX)
    assert (end.next, end.text) == ("done", "Bye!")
    assert (off.next, off.text, off.off_goal) == ("question", "No burgers.", True)


def test_a_tool_beside_finish_is_proposed_first() -> None:
    plan = planning.interpret(Reply("", [*call("finish").calls, *call("ReadNote", text="a").calls], USE), TOOLBOX)
    assert plan.next == "question"
    assert [proposal.tool for proposal in plan.proposals] == ["ReadNote"]


def test_another_goal_is_proposed_with_its_title() -> None:
    proposal = planning.interpret(call("switch_goal", goal="other", message=""), TOOLBOX).proposals[0]
    assert (proposal.kind, proposal.arguments) == ("switch_goal", {"goal": "Another goal"})
    assert proposal.goal == TOOLBOX.goals["other"]


def test_the_correction_answers_every_call_and_sends_no_broken_json_back() -> None:
    reply = Reply("", [CalledTool("c1", "WriteNote", "{"), CalledTool("c2", "ReadNote", '{"text": "a"}')], USE)
    with pytest.raises(planning.InvalidToolCall) as unusable:
        planning.interpret(reply, TOOLBOX)
    asked, first, second = planning.correction(reply, unusable.value)
    assert [json.loads(made["function"]["arguments"]) for made in asked["tool_calls"]] == [{}, {"text": "a"}]
    assert [first["tool_call_id"], second["tool_call_id"]] == ["c1", "c2"]
    assert "not JSON" in first["content"]
    assert "Not done." in second["content"]


def test_the_model_is_offered_the_goals_tools_and_the_built_in_ones() -> None:
    names = [offered["function"]["name"] for offered in TOOLBOX.functions()]
    assert names == ["ReadNote", "WriteNote", "PostNote", "BookTaxi", "finish", "off_goal", "switch_goal"]
    assert "off_goal" not in [offered["function"]["name"] for offered in TOOLBOX.functions(insisted=True)]


@pytest.mark.parametrize(
    ("stopped", "text", "shown", "notice"),
    [
        ("length", "Half a rep", "Half a rep", "test reached LLM_MAX_TOKENS, so its reply is cut off."),
        ("length", "", "I ran out of room before I could answer.", "test reached LLM_MAX_TOKENS"),
        ("content_filter", "", "I can't answer that.", "The content filter of test's provider stopped this reply."),
        ("refusal", "I won't say.", "I won't say.", "test declined to answer."),
    ],
)
def test_a_reply_that_is_not_whole_says_why(stopped: Any, text: str, shown: str, notice: str) -> None:
    plan = planning.interpret(Reply(text, [], USE, stopped), TOOLBOX)
    assert plan.text.startswith(shown)
    assert plan.notice.startswith(notice)


def test_a_call_that_the_filter_stopped_is_not_proposed() -> None:
    stopped = dataclasses.replace(call("WriteNote", text="milk"), stopped="content_filter")
    assert planning.interpret(stopped, TOOLBOX).proposals == []


@pytest.mark.parametrize(
    ("reply", "objection"),
    [
        (call("verdict", fits=True), ""),
        (call("verdict", fits=False, message="Only notes here."), "Only notes here."),
        (call("verdict", fits="no"), "That does not fit what we are doing here."),
        (raw("{broken", "verdict"), ""),
        (say("YES"), ""),
        (say("No: only notes here."), "only notes here."),
        (say("Nothing against it."), ""),
        (Reply("", [], USE, "refusal"), "That does not fit what we are doing here."),
    ],
)
def test_a_verdict_is_read_from_the_call_else_from_text(reply: Reply, objection: str) -> None:
    assert planning.objection(reply) == objection
