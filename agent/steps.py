"""What Temporal's own UI shows of a chat: a line for each activity, and the last lines of the transcript. Pure."""

import re
from collections.abc import Sequence

from agent.messages import (
    AgentMessage,
    Decision,
    Json,
    Message,
    Notice,
    PlanRequest,
    Proposal,
    ProposalMessage,
    ToolResult,
    UserMessage,
)

LINE_BYTES = 200
"""The longest summary of an activity (Temporal takes 400 bytes)."""

_LINES = 6
_VALUE = 40
_CODES = re.compile(r"\(([A-Z]{3})\)")
_PAIRS = (("origin", "destination"), ("from", "to"), ("source", "target"), ("start_date", "end_date"))


def plan_line(request: PlanRequest) -> str:
    """What the model is asked: `Reply to "an event in San Francisco"`."""
    match request.messages[-1] if request.messages else None:
        case UserMessage(text=text):
            return _cut(f'Reply to "{_one_line(text)}"')
        case ToolResult(tool=tool, outcome=outcome):
            return _cut(f"Go on after {_words(tool).lower()}" + ("" if outcome == "ok" else f" ({outcome})"))
        case Decision(tool=tool, verdict=verdict) if verdict != "confirmed":
            return _cut(f"Go on: {_words(tool).lower() or 'the question'} was {verdict}")
        case _:
            return "Greet" if len(request.messages) <= 1 and not request.summary else "Go on"


def tool_line(tool: str, arguments: dict[str, Json]) -> str:
    """The tool and its main arguments: `Search flights AUS → SFO, 2026-03-01`."""
    values = {name: shown for name, value in arguments.items() if (shown := _value(value))}
    parts = []
    for one, other in _PAIRS:
        first, second = (next((name for name in values if _is_named(name, part)), "") for part in (one, other))
        if first and second and first != second:
            parts.append(f"{values.pop(first)} → {values.pop(second)}")
    return _cut(f"{_words(tool)} {', '.join([*parts, *values.values()])}".strip())


def last_lines(messages: Sequence[Message], waiting: Proposal | None) -> str:
    """The end of the transcript as Markdown: in a block of code, because nothing that somebody wrote may be Markdown."""
    lines = [line for message in messages[-2 * _LINES :] if (line := _line(message))][-_LINES:]
    if waiting is not None:
        lines.append(f"Waits for a decision: {tool_line(waiting.tool, waiting.arguments) or waiting.kind}")
    return "\n".join(["~~~text", *(_cut(line).replace("~", "-") for line in lines), "~~~"]) if lines else ""


def _line(message: Message) -> str:
    match message:
        case UserMessage(text=text):
            return f"You: {_one_line(text)}"
        case AgentMessage(text=text):
            return f"Agent: {_one_line(text)}"
        case ProposalMessage(proposal=proposal):
            return f"Agent: {_one_line(proposal.text) or tool_line(proposal.tool, proposal.arguments)}"
        case Decision(tool=tool, verdict=verdict):
            return f"You: {verdict} {_words(tool).lower()}".strip()
        case ToolResult(tool=tool, outcome=outcome, error=error):
            return f"{_words(tool)}: {'done' if outcome == 'ok' else _one_line(error) or outcome}"
        case Notice(text=text):
            return f"Note: {_one_line(text)}"
        case _:
            return ""


def _is_named(name: str, part: str) -> bool:
    return name.lower() == part or name.lower().startswith(f"{part}_") or name.lower().endswith(f"_{part}")


def _value(value: Json) -> str:
    """A value as it stands in a summary; lists and objects are left out, and so is no."""
    if isinstance(value, bool) or value is None or isinstance(value, dict | list):
        return ""
    text = _one_line(str(value))
    code = _CODES.search(text)
    return code[1] if code else text if len(text) <= _VALUE else text[: _VALUE - 1] + "…"


def _words(name: str) -> str:
    """`SearchFlights` -> `Search flights`."""
    parts = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name).replace("_", " ").split()
    words = " ".join(part if part.isupper() and len(part) > 1 else part.lower() for part in parts)
    return words[:1].upper() + words[1:]


def _one_line(text: str) -> str:
    return " ".join(text[:1_000].split())


def _cut(line: str) -> str:
    if len(line.encode()) <= LINE_BYTES:
        return line
    return line.encode()[: LINE_BYTES - 3].decode(errors="ignore") + "…"
