"""A request's messages as events: what the person said, which tools were called, what came of it."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from agent.prompts import entries

REFUSAL = "That does not fit"
_SHORTHAND = {
    "u": "you",
    "ur": "your",
    "r": "are",
    "pls": "please",
    "plz": "please",
    "thx": "thanks",
    "wanna": "want to",
}
_FIRST = 8
"""Statements from the beginning of a chat that a summary keeps longest."""


@dataclass(frozen=True, eq=False)
class Said:
    """A person's words. asked: our last words before them; card: the tool whose proposal they withdrew."""

    text: str
    asked: str = ""
    card: str = ""


@dataclass(frozen=True, eq=False)
class Called:
    """A decided call. outcome: the tool message, {"ok": true, "result": …} and so on; result: {} where it is no object."""

    tool: str
    arguments: dict[str, Any]
    outcome: dict[str, Any]

    @property
    def result(self) -> dict[str, Any]:
        return _dict(self.outcome.get("result"))

    @property
    def done(self) -> bool:
        return bool(self.outcome.get("ok") or self.outcome.get("unknown"))

    def rows(self, name: str) -> list[Any]:
        """The list of this name in the result, [] where there is none."""
        found = self.result.get(name)
        return found if isinstance(found, list) else []


@dataclass
class Transcript:
    """goal: its title and description; fresh: words not answered yet; returned: the call whose outcome has just arrived."""

    goal: str = ""
    today: date = date.min
    events: list[Said | Called] = field(default_factory=list)
    fresh: Said | None = None
    returned: Called | None = None

    @property
    def title(self) -> str:
        return self.goal.partition("\n")[0]


def read(messages: Sequence[Mapping[str, Any]]) -> Transcript:
    """The events of a chat; what was summed up before is read from our own lines in the system message."""
    system = "\n".join(str(one.get("content") or "") for one in messages if one.get("role") == "system")
    goal = system.partition("# The goal: ")[2].partition("\n\n# ")[0]
    day = re.search(r"Today is \w+, (\d{4}-\d\d-\d\d)", system)
    found = Transcript(goal, date.fromisoformat(day[1]) if day else date.today())
    summary = system.partition("# What was said before the messages below")[2]
    _fold(found, [*lines_of(summary), *entries(messages)])
    return found


def lines_of(text: str) -> list[dict[str, Any]]:
    """The lines of a text that are JSON objects: {"user": …}, {"assistant": …} or {"called": …, "outcome": …}."""
    found = []
    for line in text.splitlines():
        try:
            found.append(_dict(json.loads(line)))
        except (ValueError, RecursionError):
            continue
    return [entry for entry in found if entry]


def summarize(so_far: str, since: Iterable[Mapping[str, Any]], limit: int = 3_900) -> str:
    """A line for each statement of the person, with the question it answers, and for each tool's newest result."""
    story = Transcript()
    _fold(story, [*lines_of(so_far), *since])
    newest = {event.tool: event for event in story.events if isinstance(event, Called) and event.done}
    lines: list[tuple[bool, str]] = []
    for event in story.events:
        if isinstance(event, Said):
            question = [_line(assistant=event.asked[-300:])] if event.asked else []
            lines.append((False, "\n".join([*question, _line(user=event.text[:300])])))
        elif event in newest.values():
            lines.append((True, _line(called=event.tool, arguments=event.arguments, outcome=_short(event.outcome))))
    lines = [(kept, line) for kept, line in lines if len(line) <= limit // 2]
    while sum(len(line) + 1 for _, line in lines) > limit:
        less = [at for at, (kept, _) in enumerate(lines) if not kept] or [0]
        del lines[less[min(_FIRST, len(less) - 1)]]
    return "\n".join(line for _, line in lines)


def _fold(found: Transcript, entries: Iterable[Mapping[str, Any]]) -> None:
    asked = card = ""
    for entry in entries:
        if "assistant" in entry:
            asked, card = str(entry["assistant"]), ""
            if asked.startswith(REFUSAL) and found.fresh:
                found.events.remove(found.fresh)  # it was none of this goal's business
            found.fresh = None
        elif "user" in entry:
            found.fresh, found.returned = Said(_plain(str(entry["user"])), asked, card), None
            found.events.append(found.fresh)
        elif "called" in entry:
            called = Called(str(entry["called"]), _dict(entry.get("arguments")), _dict(entry.get("outcome")))
            found.fresh, found.returned = None, called
            if called.tool == "switch_goal" and called.done:
                found.events[:] = [event for event in found.events if isinstance(event, Said)][-1:]
            elif called.tool != "switch_goal":
                found.events.append(called)
            card = called.tool if called.outcome.get("withdrawn") else ""
            asked = "" if card or called.outcome.get("declined") else asked
            if reason := str(called.outcome.get("reason") or ""):
                found.events.append(Said(_plain(reason)))


def _plain(text: str) -> str:
    """One line without shorthand; of a long text its beginning and its end, for patterns take their time."""
    plain = " ".join(_SHORTHAND.get(word.lower(), word) for word in text.split()).replace("’", "'")
    return plain if len(plain) <= 1_000 else f"{plain[:700]} … {plain[-300:]}"


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _line(**entry: Any) -> str:
    return json.dumps(entry, ensure_ascii=False, separators=(",", ":"))


def _short(value: Any) -> Any:
    """Long texts are cut; nothing is picked or looked up by them."""
    if isinstance(value, dict):
        return {name: _short(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_short(part) for part in value]
    return f"{value[:30]}…" if isinstance(value, str) and len(value) > 60 else value
