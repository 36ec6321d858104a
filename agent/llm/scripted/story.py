"""A request's messages as the scripted model reads them: what was said, what was called, what is new."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

FACT = "The person said: "
DONE = "Done: "
REFUSAL = "That does not fit"


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
    def result(self) -> dict[str, Any]:
        """{} where it is no object."""
        result = self.outcome.get("result")
        return result if isinstance(result, dict) else {}

    def items(self, path: str) -> list[Any]:
        """The list at `Tool.field`, [] where there is none."""
        found = self.result.get(path.partition(".")[2])
        return found if isinstance(found, list) else []

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
    """What came before the messages is read from our own summary (see summary.py)."""
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
            story.fresh = Said(at, _plain(content), asked)
            story.said.append(story.fresh)
        elif message["role"] == "tool" and (function := calls.get(message["tool_call_id"])):
            outcome = _object(content)
            if function["name"] == "switch_goal" and outcome.get("ok"):
                story.said, story.called = story.said[-1:], []
                continue
            story.returned = Called(at, function["name"], _object(function["arguments"]), outcome)
            story.called.append(story.returned)
            if reason := str(outcome.get("reason") or ""):
                story.said.append(Said(at, _plain(reason), asked))
    return story


def _plain(text: str) -> str:
    """One line; of a long text its beginning and its end, for the patterns take their time."""
    words = " ".join(text.split())
    return words if len(words) <= 1_000 else f"{words[:700]} … {words[-300:]}"


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


def _object(text: Any) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (TypeError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
