"""A request's messages as the scripted model reads them: what was said, what was called, and what there is to fill."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

FACT = "The person said: "
DONE = "Done: "
REFUSAL = "That does not fit"
_FIRST = 8
"""Statements at the beginning of a chat that outlive later ones."""


@dataclass(frozen=True)
class Said:
    """A person's words, and the last sentence of ours before them."""

    at: int
    text: str
    asked: str


@dataclass(frozen=True)
class Called:
    """A call that was decided, with the tool message that answers it."""

    at: int
    tool: str
    arguments: dict[str, Any]
    outcome: dict[str, Any]

    @property
    def done(self) -> bool:
        return bool(self.outcome.get("ok") or self.outcome.get("unknown"))


@dataclass
class Story:
    """fresh: words not answered yet; returned: the call whose answer has just come."""

    said: list[Said] = field(default_factory=list)
    called: list[Called] = field(default_factory=list)
    fresh: Said | None = None
    returned: Called | None = None


def read(messages: Sequence[Mapping[str, Any]], summary: str) -> Story:
    """What came before the messages is read from our own summary (see `summarize`)."""
    story = Story()
    _recall(story, summary)
    asked = ""
    calls: dict[str, Any] = {}
    for at, message in enumerate(messages):
        content = str(message.get("content") or "")
        story.fresh = story.returned = None
        if message["role"] == "assistant":
            asked = content or asked
            calls |= {call["id"]: call["function"] for call in message.get("tool_calls") or []}
        elif message["role"] == "user" and not content.startswith("### "):
            story.fresh = Said(at, content, asked)
            story.said.append(story.fresh)
        elif message["role"] == "tool" and (function := calls.get(message["tool_call_id"])):
            outcome = _object(content)
            if function["name"] == "switch_goal" and outcome.get("ok"):
                story.said, story.called = story.said[-1:], []
                continue
            story.returned = Called(at, function["name"], _object(function["arguments"]), outcome)
            story.called.append(story.returned)
            if reason := str(outcome.get("reason") or ""):
                story.said.append(Said(at, reason, asked))
    return story


def _recall(story: Story, summary: str) -> None:
    lines = summary.splitlines()
    for at, line in enumerate(lines, start=-len(lines)):
        if line.startswith(FACT):
            asked, _, text = line.removeprefix(FACT).rpartition(" => ")
            story.said.append(Said(at, text, asked))
        elif line.startswith(DONE):
            done = _object(line.removeprefix(DONE))
            outcome = {"ok": True, "result": done.get("result")}
            story.called.append(Called(at, str(done.get("tool")), done.get("arguments") or {}, outcome))


def summarize(messages: Sequence[Mapping[str, Any]], summary: str, limit: int = 4_000) -> str:
    """What the person stated, with the question it answers, and the newest result of each tool: a line each.

    What was refused as not fitting is left out; of too many statements the first and the newest stay.
    """
    story = read(messages, summary)
    answers = {at: str(message.get("content")) for at, message in enumerate(messages) if message["role"] == "assistant"}
    facts = []
    for said in story.said:
        if not answers.get(said.at + 1, "").startswith(REFUSAL):
            question = re.split(r"(?<=[.!])\s", said.asked)[-1]
            facts.append((said.at, f"{FACT}{question[-120:]} => {said.text[:300]}".replace("\n", " ")))
    newest = {called.tool: called for called in story.called if called.done}
    done = [(called.at, DONE + _line(called)) for called in newest.values() if len(_line(called)) <= limit // 2]
    while facts and sum(len(text) + 1 for _, text in facts + done) > limit:
        del facts[min(_FIRST, len(facts) - 1)]
    while sum(len(text) + 1 for _, text in done) > limit:
        del done[0]
    return "\n".join(text for _, text in sorted(facts + done))


def _line(called: Called) -> str:
    done = {"tool": called.tool, "arguments": called.arguments, "result": _short(called.outcome.get("result"))}
    return json.dumps(done, ensure_ascii=False, separators=(",", ":"))


def _short(value: Any) -> Any:
    """Long texts are cut; nothing is picked or looked up by them."""
    if isinstance(value, dict):
        return {name: _short(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_short(part) for part in value]
    return f"{value[:30]}…" if isinstance(value, str) and len(value) > 60 else value


def _object(text: Any) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (TypeError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


@dataclass(frozen=True)
class Slot:
    """One argument to be filled; see the goal's hints. nth: how many of the same kind come before it in its tool."""

    tool: str
    name: str
    kind: str
    ask: str
    type: str = "string"
    required: bool = True
    cues: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    source: str = ""
    prefer: str = ""
    nth: int = 0

    @property
    def of(self) -> str:
        """The tool that the value comes from."""
        return self.source.split(".")[0]

    @property
    def list(self) -> str:
        """`Tool.field` of the list that the value's item is picked from."""
        return ".".join(self.source.split(".")[:2])

    @cached_property
    def asked_in(self) -> re.Pattern[str]:
        """Finds the question in a sentence of ours."""
        return re.compile(re.sub(r"\\\{\w+\\\}", ".+?", re.escape(self.ask)))

    def typed(self, value: Any) -> Any:
        """The value as the schema wants it."""
        try:
            return {"integer": int, "number": float}[self.type](value) if isinstance(value, str) else value
        except (KeyError, ValueError):
            return value


def slots_of(tool: str, function: Mapping[str, Any], hints: Mapping[str, Mapping[str, Any]]) -> tuple[Slot, ...]:
    """The arguments to fill, those with a hint first; others only where the schema requires them."""
    parameters = function.get("parameters") or {}
    properties, required = parameters.get("properties") or {}, parameters.get("required") or []
    slots: list[Slot] = []
    for name in [*(name for name in hints if name in properties), *(name for name in required if name not in hints)]:
        hint, schema = hints.get(name, {}), _resolved(properties.get(name) or {}, parameters)
        values = tuple(str(value) for value in schema.get("enum") or hint.get("examples") or [])
        kind = hint.get("kind") or _kind(schema)
        slots.append(
            Slot(
                tool=tool,
                name=name,
                kind=kind,
                ask=hint.get("ask") or _question(name, schema, values if schema.get("enum") else ()),
                type=str(schema.get("type", "string")),
                required=name in required,
                cues=tuple(hint.get("cues") or ()),
                values=values,
                source=hint.get("from") or "",
                prefer=hint.get("prefer") or "",
                nth=sum(1 for slot in slots if slot.kind == kind and not slot.source),
            )
        )
    return tuple(slots)


def _resolved(schema: Mapping[str, Any], parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema behind a $ref, or the first of several that is not null."""
    for part in [*schema.get("anyOf", []), *schema.get("allOf", [])]:
        if part.get("type") != "null":
            return {**schema, **_resolved(part, parameters)}
    if reference := schema.get("$ref"):
        return {**schema, **(parameters.get("$defs") or {}).get(reference.rsplit("/", 1)[-1], {})}
    return schema


def _kind(schema: Mapping[str, Any]) -> str:
    if schema.get("enum"):
        return "choice"
    if schema.get("format") == "date":
        return "date"
    return "number" if schema.get("type") in ("number", "integer") or schema.get("format") == "decimal" else "text"


def _question(name: str, schema: Mapping[str, Any], values: Sequence[str]) -> str:
    about = str(schema.get("description") or "").rstrip(".")
    told = f" ({about})" if about else f" ({', '.join(values)})" if values else ""
    return f"What is the {name.replace('_', ' ')}{told}?"
