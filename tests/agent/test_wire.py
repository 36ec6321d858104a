"""The ancestors' shapes: what comes in is read or refused in one sentence, what goes out has their types."""

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter
from pydantic_core import from_json, to_json

from agent import wire
from agent.conversation import Conversation
from agent.messages import (
    GoalSpec,
    Instruction,
    Notice,
    Plan,
    Proposal,
    ToolAnswer,
    ToolSpec,
    UserMessage,
)
from agent.text import are_arguments, sanitize_text

NOW = datetime(2030, 1, 1, tzinfo=UTC)
GOAL = GoalSpec(name="notes", title="Keep notes", starter_prompt="Greet.", tools=[ToolSpec(name="WriteNote")])
HISTORY: TypeAdapter[dict[str, list[dict[str, str | dict[str, Any]]]]] = TypeAdapter(
    dict[str, list[dict[str, str | dict[str, Any]]]]
)

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
like_a_signal = anything | st.dictionaries(
    st.sampled_from(["text", "id", "who", "insist", "proposal_id", "arguments", "reason"]), anything
)
like_a_start = anything | st.fixed_dictionaries(
    {},
    optional={
        "agent_goal": anything
        | st.dictionaries(st.sampled_from(["agent_name", "description", "tools", "id"]), anything | st.text()),
        "tool_params": anything | st.dictionaries(st.sampled_from(["conversation_summary", "prompt_queue"]), anything),
        "history_limit": anything,
        "window_bytes": anything,
        "resume": anything,
    },
)


@given(like_a_signal)
def test_whatever_a_signal_holds_it_is_read_or_refused(raw: Any) -> None:
    for read in (wire.read_prompt, wire.read_verdict, wire.read_model, wire.read_repair):
        with suppress(wire.Unreadable):
            to_json(read(raw))
    assert wire.read_since(raw) >= 0


@given(like_a_start)
def test_whatever_a_start_input_holds_it_is_read_or_refused(raw: Any) -> None:
    with suppress(wire.Unreadable):
        chat = wire.read_start(raw, "k")
        assert wire.read_start(from_json(to_json(wire.resume_input(chat))), "", continued=True) == chat


@given(st.text(st.characters()))
def test_clean_text_can_be_stored_and_is_as_clean_as_it_gets(text: str) -> None:
    cleaned = sanitize_text(text)
    cleaned.encode()
    assert sanitize_text(cleaned) == cleaned
    assert not any(ord(letter) < 32 and letter not in "\n\t" for letter in cleaned)


@given(st.dictionaries(st.text(st.characters()), anything))
def test_what_counts_as_arguments_can_be_written_and_read_again(value: dict[str, Any]) -> None:
    if are_arguments(value):
        assert from_json(to_json(value)) == value


@pytest.mark.parametrize(
    "value",
    [
        {"a": float("nan")},
        {"a": float("inf")},
        {"a": "\ud800"},
        {"\ud800": 1},
        {1: 2},
        {"a": "x" * 70_000},
        ["a"],
        None,
        "text",
        {"a": object()},
        {"a": 10**5000},
    ],
    ids=[
        "NaN",
        "infinity",
        "surrogate",
        "surrogate name",
        "number name",
        "long",
        "list",
        "None",
        "text",
        "odd",
        "huge",
    ],
)
def test_what_cannot_be_arguments(value: Any) -> None:
    assert not are_arguments(value)


def test_arguments_may_be_nested_50_deep_and_no_deeper() -> None:
    value: Any = 1
    for _ in range(49):
        value = [value]
    assert are_arguments({"a": value})
    assert not are_arguments({"a": [value]})


def test_our_start_input_is_read_as_it_was_meant() -> None:
    chat = wire.read_start(from_json(to_json(wire.start_input(GOAL, "model", window_bytes=5_000))), "k")
    assert (chat.goal, chat.model, chat.window_bytes, chat.key) == (GOAL, "model", 5_000, "k")
    assert [(message.kind, message.text) for message in chat.inbox] == [("instruction", "Greet.")]


def test_hashes_are_an_instruction_in_the_start_input_alone() -> None:
    start = {"agent_goal": {}, "tool_params": {"prompt_queue": ["### Greet.", "Hello", "", "  "]}}
    chat = wire.read_start(start, "k")
    assert [type(message) for message in chat.inbox] == [Instruction, UserMessage]
    assert wire.read_prompt("### Greet.") == UserMessage(text="### Greet.")


@pytest.mark.parametrize(("asked", "got"), [(1, 2_000), (10**9, 300_000), (None, 16_000), (5_000, 5_000)])
def test_a_window_is_neither_too_small_nor_too_large(asked: int | None, got: int) -> None:
    assert wire.read_start({"agent_goal": {}, "window_bytes": asked}, "k").window_bytes == got


def test_a_resume_counts_only_where_a_run_continued() -> None:
    resumed = wire.resume_input(Conversation(goal=GOAL, key="before"))
    assert wire.read_start(resumed, "k", continued=True).key == "before"
    with pytest.raises(wire.Unreadable):
        wire.read_start(resumed, "k")


def test_every_message_of_a_history_is_of_texts_and_dicts() -> None:
    chat = _full_chat()
    for with_context in (True, False):
        HISTORY.validate_python(from_json(to_json(wire.history(chat, with_context=with_context))), strict=True)
    actors = [message["actor"] for message in wire.history(chat)["messages"]]
    assert actors == [
        "conversation_summary",
        "user",
        "agent",
        "user_confirmed_tool_run",
        "tool_result",
        "agent",
        "user",
        "agent",
        "user_confirmed_tool_run",
        "tool_result",
        "agent",
        "user",
    ]


def test_a_failed_result_says_so_to_the_ancestors() -> None:
    results = [m["response"] for m in wire.history(_full_chat())["messages"] if m["actor"] == "tool_result"]
    assert results == [
        {"result": [1, None, "a"], "tool": "Read"},
        {"error": "It failed.", "outcome": "failed", "tool": "Post"},
    ]


def test_a_history_is_cut_at_its_oldest_end_to_what_a_query_can_carry() -> None:
    chat = Conversation(goal=GOAL)
    for number in range(400):
        chat.receive_message(UserMessage(text=f"{number} " + "x" * 7_000), NOW)
        chat.begin_plan(NOW)
        chat.finish_plan(Plan(text="Yes"), NOW)
    found = wire.history(chat)
    assert len(to_json(found)) < 1_500_000
    assert found["messages"][-2]["response"].startswith("399 ")


def test_the_newest_tool_data_is_the_agents_newest_word() -> None:
    chat = _full_chat()
    data = wire.latest_tool_data(chat)
    assert data is not None
    assert data["tool"] == "Post"
    assert wire.latest_tool_data(Conversation(goal=GOAL)) is None


def _full_chat() -> Conversation:
    """One message of every kind."""
    chat = wire.read_start(
        {
            "agent_goal": {"agent_name": "g"},
            "tool_params": {"conversation_summary": "Before.", "prompt_queue": ["### Greet.", "Hello"]},
        },
        "k",
    )
    chat.begin_plan(NOW)
    chat.finish_plan(Plan(proposals=[Proposal(tool="Read", text="Shall I?"), Proposal(tool="Post")]), NOW)
    chat.confirm(NOW)
    chat.begin_tool()
    chat.finish_tool(ToolAnswer(result=[1, None, "a"]), NOW)
    chat.decline(NOW, reason="No.")
    chat.confirm(NOW)
    chat.begin_plan(NOW)
    chat.finish_plan(Plan(proposals=[Proposal(tool="Post", needs_confirm=False)]), NOW)
    chat.begin_tool()
    chat.fail_tool("It failed.", NOW)
    chat.begin_plan(NOW)
    chat.fail_plan("No model.", NOW)
    assert isinstance(chat.messages[-1], Notice)
    chat.receive_message(UserMessage(text="Still there?"), NOW)
    return chat
