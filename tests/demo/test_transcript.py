"""Whatever a chat holds, the demo model reads it and answers something."""

import json
import random
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest

import agent.demo
from agent import prompts
from agent.demo.dialogue import Dialogue
from agent.demo.transcript import Said, lines_of, read, summarize
from agent.messages import GoalSpec
from tests.demo.harness import Chat
from tools import load


def call(name: str, arguments: str, outcome: Any, call_id: str = "p1") -> list[dict[str, Any]]:
    function = {"name": name, "arguments": arguments}
    return [
        {"role": "assistant", "content": "", "tool_calls": [{"id": call_id, "type": "function", "function": function}]},
        {"role": "tool", "tool_call_id": call_id, "content": outcome if isinstance(outcome, str) else json.dumps(outcome)},
    ]  # fmt: skip


def said_in(messages: list[dict[str, Any]]) -> list[Said]:
    return [event for event in read(messages).events if isinstance(event, Said)]


def test_a_change_of_goal_leaves_the_old_one_behind() -> None:
    messages = [
        {"role": "user", "content": "events in Boston"},
        *call("FindEvents", "{}", {"ok": True, "result": {}}, "p1"),
        {"role": "user", "content": "I'd rather book time off"},
        *call("switch_goal", "{}", {"ok": True}, "p2"),
    ]
    story = read(messages)
    assert [said.text for said in said_in(messages)] == ["I'd rather book time off"]
    assert len(story.events) == 1


def test_an_instruction_is_no_persons_word() -> None:
    assert read([{"role": "user", "content": "### Greet."}]).events == []
    assert read([{"role": "user", "content": " ### Greet."}]).fresh is not None


def test_of_a_long_text_the_beginning_and_the_end_are_read() -> None:
    [said] = said_in([{"role": "user", "content": "Boston " + " \n" * 9_000 + "x " * 3_000 + "in May"}])
    assert (said.text[:8], said.text[-6:], len(said.text)) == ("Boston x", "in May", 1_003)


def with_summary(text: str) -> list[dict[str, Any]]:
    return [{"role": "system", "content": prompts.system(GoalSpec(name="x"), text, date(2026, 11, 23))}]


def test_a_summary_of_a_summary_keeps_both() -> None:
    first = summarize("", [{"user": "from Salt Lake City"}])
    second = summarize(first, [{"assistant": "In which month?"}, {"user": "in March"}])
    said = said_in(with_summary(second))
    assert [(one.asked, one.text) for one in said] == [("", "from Salt Lake City"), ("In which month?", "in March")]


def test_a_summary_in_prose_is_no_obstacle() -> None:
    assert read(with_summary("They like milk.\n{not JSON")).events == []
    assert lines_of(summarize("They like milk.", [{"user": "Oat milk"}])) == [{"user": "Oat milk"}]


def test_a_summary_stays_below_its_limit() -> None:
    text = summarize("", [{"user": f"fact {number} " + "x" * 200} for number in range(200)])
    assert len(text) <= 4_000
    assert "fact 0 " in text
    assert "fact 199 " in text


def test_the_system_message_tells_title_and_day() -> None:
    story = read(
        [{"role": "system", "content": prompts.system(GoalSpec(name="x", title="Buy milk"), "", date(2026, 11, 23))}]
    )
    assert (story.title, story.today) == ("Buy milk", date(2026, 11, 23))


RESULTS: list[Any] = [None, 3, "text", [], [1, 2], {}, {"events": None}, {"events": ["a", 7, None]}, {"events": [{}]}, {"flights": [{"price": None}]}]  # fmt: skip
FAILURES: list[Any] = [{"ok": False, "error": None}, {"ok": False}, {"declined": True}, {"withdrawn": True}, {"unknown": True}, [], "no JSON", ""]  # fmt: skip
OUTCOMES = [*FAILURES, *({"ok": True, "result": result} for result in RESULTS)]
WORDS = ["yes", "no", "", "###", "2", "the last one", "in March", "to Boston", "from 1/1 to 2/2", "\x00", "stop?", "help", "💥", "{airline}", "é" * 300]  # fmt: skip


@pytest.mark.parametrize("seed", range(60))
def test_no_chat_is_too_strange(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    chat = Chat(load(), chance.choice(["event_flight_invoice", "bank", "food", "orders", "time_off"]), tmp_path)
    tools = chat.tools()
    names = [tool["function"]["name"] for tool in tools] + ["Nobody"]
    messages: list[dict[str, Any]] = [{"role": "user", "content": "### Greet."}]
    for number in range(12):
        if chance.random() < 0.5:
            messages.append({"role": "user", "content": chance.choice(WORDS)})
        else:
            arguments = chance.choice(["{}", "", "[]", "{", '{"city": null, "month": 7}'])
            messages += call(chance.choice(names), arguments, chance.choice(OUTCOMES), f"p{number}")
        move = Dialogue(messages, tools).move()
        assert move.text or move.calls
        if move.text:
            messages.append({"role": "assistant", "content": move.text})
        summarize('{"user": "x"}\n{\n\n', prompts.entries(messages))


def test_strange_tools_are_asked_about_too() -> None:
    for parameters in ({}, {"type": "object"}, {"properties": {"x": {}}, "required": ["x", "y"]}, {"required": ["x"], "properties": {"x": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/X"}]}}, "$defs": {"X": {"enum": ["a"]}}}):  # fmt: skip
        tool = {"type": "function", "function": {"name": "Odd", "parameters": parameters}}
        move = Dialogue([{"role": "user", "content": "### Go."}], [tool]).move()
        assert move.text


def test_the_demo_model_names_no_tool_and_no_goal() -> None:
    toolset = load()
    code = "".join(path.read_text() for path in Path(agent.demo.__file__).parent.glob("*.py"))
    assert [name for name in [*toolset.tools, *toolset.goals] if re.search(rf"\b{name}\b", code)] == []
