"""A chat as a file: Markdown for people, JSON for programs. Pure."""

import json
from collections.abc import Sequence
from datetime import datetime

from pydantic import ValidationError

from agent.errors import Unreadable
from agent.messages import (
    AgentMessage,
    Decision,
    GoalSpec,
    Json,
    Message,
    Notice,
    ProposalMessage,
    Record,
    ToolResult,
    UserMessage,
)
from agent.text import is_plain_json

VERSION = 1
"""Of the JSON file's format."""


class Transcript(Record):
    """Everything that was said in a chat, of all its runs. complete: no earlier run was deleted by the server."""

    version: int
    chat_id: str
    goal: GoalSpec
    exported_at: datetime
    complete: bool
    messages: list[Message]


def to_json(transcript: Transcript) -> str:
    """The file that a program reads: a Transcript."""
    return transcript.model_dump_json(indent=2)


def read_json(data: bytes) -> Transcript:
    """What `to_json` wrote. Raises Unreadable with a sentence for whoever chose the file."""
    try:
        raw = json.loads(data)
    except (ValueError, RecursionError):
        raise Unreadable("This file is not JSON. Choose one that was exported as JSON.") from None
    if not isinstance(raw, dict) or not is_plain_json(raw):
        raise Unreadable("This file is not an exported chat. Choose one that was exported as JSON.")
    if isinstance(raw.get("version"), int) and raw["version"] > VERSION:
        raise Unreadable("This file was exported by a newer version of this app, which this one cannot read.")
    try:
        return Transcript.model_validate(raw)
    except ValidationError as error:
        where = ".".join(map(str, error.errors(include_url=False, include_input=False)[0]["loc"]))
        raise Unreadable(
            f"This file is not an exported chat: {where} cannot be read. Choose one that was exported as JSON."
        ) from None


def to_markdown(transcript: Transcript) -> str:
    """The file that a person reads; times are UTC."""
    goal = transcript.goal
    lines = [f"# {goal.title or goal.name}", f"Exported {_time(transcript.exported_at)} UTC."]
    if not transcript.complete:
        lines.append("The server no longer has the beginning of this chat.")
    arguments: dict[str, Json] = {}
    for message in transcript.messages:
        if isinstance(message, ProposalMessage):
            arguments[message.proposal.id] = message.proposal.arguments
        lines += _lines(message, arguments)
    return "\n\n".join(lines) + "\n"


def _lines(message: Message, arguments: dict[str, Json]) -> Sequence[str]:
    when = _time(message.at)
    match message:
        case UserMessage():
            return [f"**You** · {when}", _quoted(message.text)]
        case AgentMessage():
            note = (
                " · stopped"
                if message.stopped
                else f" · instead of message {message.replaces}" * bool(message.replaces)
            )
            return [f"**Agent** · {when}{note}", message.text]
        case ProposalMessage():
            return [f"**Agent** · {when}", message.proposal.text or f"Shall I run {message.proposal.tool}?"]
        case Decision():
            used = message.arguments or arguments.get(message.proposal_id, {})
            reason = [_quoted(message.reason)] if message.reason else []
            return [f"**{message.tool}: {message.verdict}** · {when}", _fenced(used), *reason]
        case ToolResult():
            found = _fenced(message.result) if message.outcome == "ok" else message.error
            return [f"**{message.tool}: {message.outcome}** · {when}", found]
        case Notice():
            return [f"*{message.text}*"]
        case _:
            return []


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}" for line in text.splitlines())


def _fenced(value: Json) -> str:
    """As JSON in a code block; its lines are indented or escaped, so that none of them can end the block."""
    return f"```json\n{json.dumps(value, indent=2, ensure_ascii=False)}\n```"


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S")
