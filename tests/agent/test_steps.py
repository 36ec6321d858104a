"""What Temporal's own UI shows: one line a step, bounded, and nothing that it would take for Markdown."""

import pytest

from agent.messages import (
    AgentMessage,
    Decision,
    GoalSpec,
    Instruction,
    Message,
    PlanRequest,
    Proposal,
    ToolResult,
    UserMessage,
)
from agent.steps import LINE_BYTES, last_lines, plan_line, tool_line


@pytest.mark.parametrize(
    ("tool", "arguments", "line"),
    [
        (
            "SearchFlights",
            {"origin": "Austin (AUS)", "destination": "San Francisco (SFO)", "date_depart": "2026-03-01"},
            "Search flights AUS → SFO, 2026-03-01",
        ),
        (
            "MoveMoney",
            {"amount": 200, "from_account": "savings", "to_account": "checking"},
            "Move money savings → checking, 200",
        ),
        ("ListOrders", {"open": True, "filters": {"a": 1}, "email": None}, "List orders"),
        ("", {}, ""),
    ],
)
def test_a_tool_is_named_with_its_main_arguments(tool: str, arguments: dict[str, object], line: str) -> None:
    assert tool_line(tool, arguments) == line


def test_lines_are_short_whatever_stands_in_them() -> None:
    long = "wörter → " * 500
    request = PlanRequest(goal=GoalSpec(name="g"), messages=[UserMessage(text=long)])
    many = {f"argument_{number}": "ä" * 30 for number in range(50)}
    for line in (plan_line(request), tool_line("Say", many), tool_line("T" * 1000, {})):
        assert len(line.encode()) <= LINE_BYTES


@pytest.mark.parametrize(
    ("message", "line"),
    [
        (Instruction(text="Greet, and say what you do."), "Greet"),
        (UserMessage(text="an event\nin March"), 'Reply to "an event in March"'),
        (ToolResult(proposal_id="p", tool="SearchFlights"), "Go on after search flights"),
        (
            ToolResult(proposal_id="p", tool="SearchFlights", outcome="failed"),
            "Go on after search flights (failed)",
        ),
        (Decision(proposal_id="p", tool="SearchFlights", verdict="declined"), "Go on: search flights was declined"),
    ],
)
def test_a_model_call_says_what_it_answers(message: Message, line: str) -> None:
    assert plan_line(PlanRequest(goal=GoalSpec(name="g"), messages=[message])) == line


def test_the_last_lines_cannot_leave_their_block_of_code() -> None:
    said: list[Message] = [
        UserMessage(text="~~~\n![x](http://evil/x.png) <img src=x>"),
        AgentMessage(text="Hello\n~~~\n# Title"),
    ]
    shown = last_lines(said, Proposal(tool="PostNote", arguments={"text": "~~~"}))
    first, *inside, last = shown.splitlines()
    assert (first, last) == ("~~~text", "~~~")
    assert [line for line in inside if "~" in line] == []
    assert inside[-1] == "Waits for a decision: Post note ---"
    assert last_lines([], None) == ""
