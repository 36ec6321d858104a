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
_FIRST_FACTS = 8
"""Statements from the beginning of a chat that a summary keeps longest."""


@dataclass(frozen=True)
class Said:
    """A person's words. asked: our last words before them; card: the tool whose proposal they withdrew."""

    at: int
    text: str
    asked: str = ""
    card: str = ""


@dataclass(frozen=True)
class Called:
    """A decided call. outcome: the tool message, {"ok": true, "result": …} and so on."""

    at: int
    tool: str
    arguments: dict[str, Any]
    outcome: dict[str, Any]

    @property
    def result(self) -> dict[str, Any]:
        """{} where it is no object."""
        result = self.outcome.get("result")
        return result if isinstance(result, dict) else {}

    @property
    def done(self) -> bool:
        return bool(self.outcome.get("ok") or self.outcome.get("unknown"))

    def rows(self, name: str) -> list[Any]:
        """The list of this name in the result, [] where there is none."""
        found = self.result.get(name)
        return found if isinstance(found, list) else []


@dataclass
class Transcript:
    """fresh: words not answered yet; returned: the call whose outcome has just arrived."""

    title: str = ""
    about: str = ""
    today: date = date.min
    said: list[Said] = field(default_factory=list)
    called: list[Called] = field(default_factory=list)
    fresh: Said | None = None
    returned: Called | None = None


def read(messages: Sequence[Mapping[str, Any]]) -> Transcript:
    """The events of a chat; what was summed up before is read from our own lines in the system message."""
    system = "\n".join(str(one.get("content") or "") for one in messages if one.get("role") == "system")
    title, about = _section(system, "The goal: "), system.partition("# The goal: ")[2].partition("\n\n# ")[0]
    day = re.search(r"Today is \w+, (\d{4}-\d\d-\d\d)", system)
    found = Transcript(title.strip(), about, date.fromisoformat(day[1]) if day else date.today())
    summary = _section(system, "What was said before the messages below")
    _fold(found, [*lines_of(summary), *entries(messages)])
    return found


def lines_of(text: str) -> list[dict[str, Any]]:
    """The lines of a text that are JSON objects: {"user": …}, {"assistant": …} or {"called": …, "outcome": …}."""
    return [entry for line in text.splitlines() if (entry := _object(line.strip()))]


def summarize(so_far: str, since: Iterable[Mapping[str, Any]], limit: int = 3_900) -> str:
    """A line for each statement of the person, with the question it answers, and for each tool's newest result."""
    events = Transcript()
    _fold(events, [*lines_of(so_far), *since])
    facts = []
    for said in events.said:
        asked = re.split(r"(?<=[.!])\s", said.asked)[-1][-120:]
        facts.append((said.at, [*([_line(assistant=asked)] if asked else []), _line(user=said.text[:300])]))
    newest = {called.tool: called for called in events.called if called.done}
    done = [(one.at, [_line(called=one.tool, arguments=one.arguments, outcome=_short(one.outcome))]) for one in newest.values()]  # fmt: skip
    done = [(at, lines) for at, lines in done if len(lines[0]) <= limit // 2]
    while facts and _length(facts + done) > limit:
        del facts[min(_FIRST_FACTS, len(facts) - 1)]
    while _length(done) > limit:
        del done[0]
    return "\n".join(line for _, lines in sorted(facts + done) for line in lines)


def _fold(found: Transcript, entries: Iterable[Mapping[str, Any]]) -> None:
    asked = card = ""
    for at, entry in enumerate(entries):
        if "assistant" in entry:
            asked, card = str(entry["assistant"]), ""
            if asked.startswith(REFUSAL) and found.fresh in found.said[-1:]:
                found.said.pop()  # it was none of this goal's business
            found.fresh = None
        elif "user" in entry:
            found.fresh, found.returned = Said(at, _plain(str(entry["user"])), asked, card), None
            found.said.append(found.fresh)
        elif "called" in entry:
            called = Called(at, str(entry["called"]), _dict(entry.get("arguments")), _dict(entry.get("outcome")))
            found.fresh, found.returned, card = None, called, ""
            if called.tool == "switch_goal":
                if called.done:
                    found.said, found.called = found.said[-1:], []
                continue
            found.called.append(called)
            card = called.tool if called.outcome.get("withdrawn") else ""
            asked = "" if card or called.outcome.get("declined") else asked
            if reason := str(called.outcome.get("reason") or ""):
                found.said.append(Said(at, _plain(reason)))


def _section(text: str, heading: str) -> str:
    """What stands under `# heading`, up to the next heading; for one that ends with a blank, the rest of its line."""
    found = text.partition(f"# {heading}")[2]
    return found.partition("\n")[0] if heading.endswith(" ") else found.partition("\n\n# ")[0]


def _plain(text: str) -> str:
    """One line without shorthand; of a long text its beginning and its end, for patterns take their time."""
    words = [_SHORTHAND.get(word.lower(), word) for word in text.split()]
    plain = " ".join(words).replace("’", "'")
    return plain if len(plain) <= 1_000 else f"{plain[:700]} … {plain[-300:]}"


def _object(text: Any) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (TypeError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _line(**entry: Any) -> str:
    return json.dumps(entry, ensure_ascii=False, separators=(",", ":"))


def _length(lines: Iterable[tuple[int, list[str]]]) -> int:
    return sum(len(line) + 1 for _, each in lines for line in each)


def _short(value: Any) -> Any:
    """Long texts are cut; nothing is picked or looked up by them."""
    if isinstance(value, dict):
        return {name: _short(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_short(part) for part in value]
    return f"{value[:30]}…" if isinstance(value, str) and len(value) > 60 else value
