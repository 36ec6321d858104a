"""A chat as files."""

import json
from datetime import UTC, datetime

import pytest

from agent.errors import Unreadable
from agent.export import VERSION, Transcript, read_json, to_json, to_markdown
from agent.messages import (
    AgentMessage,
    Decision,
    GoalSpec,
    Instruction,
    Message,
    Proposal,
    ProposalMessage,
    ToolResult,
    UserMessage,
)

AT = datetime(2030, 3, 1, 12, 0, tzinfo=UTC)
MESSAGES: list[Message] = [
    Instruction(seq=1, at=AT, text="secret instruction"),
    UserMessage(seq=2, at=AT, text="# Not a heading\nsecond line"),
    ProposalMessage(seq=3, at=AT, proposal=Proposal(id="p-1", tool="WriteNote", arguments={"text": "```\nout"})),
    Decision(seq=4, at=AT, proposal_id="p-1", tool="WriteNote", verdict="confirmed", arguments={"text": "```\nout"}),
    ToolResult(seq=5, at=AT, proposal_id="p-1", tool="WriteNote", result={"id": 7}),
    AgentMessage(seq=6, at=AT, text="Half a", stopped=True),
]


def _transcript(*, complete: bool = True) -> Transcript:
    return Transcript(
        version=VERSION,
        chat_id="chat-1",
        goal=GoalSpec(name="g", title="Notes"),
        exported_at=AT,
        complete=complete,
        messages=MESSAGES,
    )


def test_json_is_read_back_as_it_was() -> None:
    text = to_json(_transcript())
    assert json.loads(text)["version"] == 1
    assert read_json(text.encode()) == _transcript()


def test_markdown_tells_everything_in_order_but_for_instructions() -> None:
    text = to_markdown(_transcript())
    said = [
        "# Notes",
        "**You** · 2030-03-01 12:00:00",
        "WriteNote: confirmed",
        "WriteNote: ok",
        '"id": 7',
        "· stopped",
        "Half a",
    ]
    places = [text.index(one) for one in said]
    assert places == sorted(places)
    assert "secret instruction" not in text


def test_what_was_typed_cannot_pose_as_something_else_in_markdown() -> None:
    lines = to_markdown(_transcript()).splitlines()
    assert "> # Not a heading" in lines
    assert lines.count("```") == 2, "only the two blocks of ours end"


def test_markdown_says_that_the_beginning_is_missing() -> None:
    assert "no longer has the beginning" in to_markdown(_transcript(complete=False))
    assert "no longer has the beginning" not in to_markdown(_transcript())


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"\xff\xfe", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "not an exported chat"),
        (b'{"version": 9, "chat_id": "c"}', "newer version"),
        (b'{"version": 1, "chat_id": "c"}', "goal cannot be read"),
        (to_json(_transcript()).replace('"user"', '"someone"').encode(), "messages.1 cannot be read"),
        (to_json(_transcript()).replace("Half a", "\\ud800").encode(), "not an exported chat"),
    ],
)
def test_another_file_is_refused_with_a_sentence(data: bytes, why: str) -> None:
    with pytest.raises(Unreadable, match=why):
        read_json(data)
