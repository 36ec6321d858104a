"""What the scripted model does next, and the sentences it says."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from agent.llm.scripted import gestures
from agent.llm.scripted.progress import Progress, same
from agent.llm.scripted.slots import Slot, slots_of
from agent.llm.scripted.story import REFUSAL, read

_BUILT_IN = ("finish", "off_goal", "switch_goal")


@dataclass(frozen=True)
class Move:
    """What the model does next: call `tool`, or say `text`."""

    text: str = ""
    tool: str = ""
    arguments: dict[str, Any] = field(default_factory=dict)


class Script:
    """One conversation as the scripted model sees it; `move()` is its answer."""

    def __init__(
        self, messages: Sequence[Mapping[str, Any]], tools: Sequence[Mapping[str, Any]], goal: Mapping[str, Any]
    ) -> None:
        self._goal = goal
        self._functions = {tool["function"]["name"]: tool["function"] for tool in tools}
        order, hints = list(goal.get("tools") or []), goal.get("hints") or {}
        mine = sorted((name for name in self._functions if name not in _BUILT_IN), key=[*order, *self._functions].index)
        self._slots = {name: slots_of(name, self._functions[name], hints.get(name) or {}) for name in mine}
        self._story = read(messages, str(goal.get("summary") or ""))
        today = date.fromisoformat(goal.get("today") or date.today().isoformat())
        self._progress = Progress(self._story, self._slots, today)
        self._begun = bool(self._story.said or self._story.called)

    def move(self) -> Move:
        said = self._story.fresh
        if said is None:
            return self._go_on()
        if gestures.stops(said.text):
            return self._call("finish", "All right, we stop here. Thank you, and goodbye!")
        if gestures.wants_help(said.text):
            return Move(f"{self._abilities()} {self._question()}")
        if goal := self._other_goal(said.text):
            return self._call("switch_goal", "Shall we go on with that instead?", goal=goal)
        tells = self._progress.tells(said)
        if gestures.refuses(said.text) and not tells and self._may_end():
            return self._call("finish", "All right, then that is all. Thank you, and goodbye!")
        if tells or gestures.agrees(said.text) or gestures.refuses(said.text):
            return self._go_on()
        if gestures.greets(said.text):
            return Move(f"Hello! {self._question()}")
        if gestures.words(said.text, stem=5) & self._topics():
            return Move(self._question())
        title = f" (“{self._goal['title']}”)" if self._goal.get("title") else ""
        return self._call("off_goal", f"{REFUSAL} what we are doing here{title}. {self._question()}")

    def _go_on(self) -> Move:
        tool = self._progress.current()
        if tool is None:
            return self._call("finish", self._closing())
        arguments, missing = self._progress.fill(tool)
        if objection := self._objection(tool, arguments):
            return Move(objection)
        if missing:
            return Move(f"{self._intro(missing)}{self._ask(missing)}")
        if not self._begun:
            return Move(f"{self._intro(None)}Shall I {gestures.spaced(tool)}?")
        return Move(tool=tool, arguments=arguments)

    def _call(self, tool: str, message: str, **arguments: str) -> Move:
        """A built-in tool, or its words where it is not offered."""
        return (
            Move(tool=tool, arguments={**arguments, "message": message}) if tool in self._functions else Move(message)
        )

    def _may_end(self) -> bool:
        """A plain no ends the chat where something is done and no choice is open."""
        asked = self._progress.asked(self._story.fresh) if self._story.fresh else None
        return any(called.done for called in self._story.called) and asked is not None and not asked.prefer

    def _question(self) -> str:
        """What waits for an answer, asked again."""
        tool = self._progress.current()
        if tool is None:
            return "Is there anything else?"
        missing = self._progress.fill(tool)[1]
        return self._ask(missing) if missing else "Shall I go on?"

    def _ask(self, slot: Slot) -> str:
        """Its question, with the fields of the preferred item."""
        source = self._progress.done(slot.of)
        if "{" not in slot.ask or source is None:
            return slot.ask
        if self._story.fresh and gestures.refuses(self._story.fresh.text):
            return "Which one would you like then? You can also say stop."
        items = [item for item in source.items(slot.listed) if isinstance(item, dict)] or [{}]
        item = next((item for item in items if item.get(slot.prefer)), items[0])
        return re.sub(r"\{(\w+)\}", lambda field: str(item.get(field[1], "")), slot.ask)

    def _intro(self, asking: Slot | None) -> str:
        """A greeting, or what just came back where the question does not tell it."""
        if not self._begun:
            return f"Hello! {self._abilities()} "
        returned = self._story.returned
        if returned is None or not returned.done or (asking and "{" in asking.ask):
            return ""
        note = str(returned.result.get("note") or "")
        return f"{note.rstrip('.')}. " if note else ""

    def _objection(self, tool: str, arguments: dict[str, Any]) -> str:
        """Why a call like the last one is not simply made again, and what to say instead; "" = nothing against it."""
        last = self._progress.last(tool)
        if last is None or (last.done and not self._progress.empty(last)) or last.outcome.get("withdrawn"):
            return ""
        if any(not same(value, last.arguments.get(name)) for name, value in arguments.items()):
            return ""
        if any(gestures.agrees(said.text) for said in self._progress.said_since(last)):
            return ""
        if last.outcome.get("declined"):
            names = ", ".join(slot.name.replace("_", " ") for slot in self._slots[tool])
            return f"All right, I did not do that. What would you like to change ({names})? You can also say stop."
        note = last.outcome.get("error") or last.result.get("note") or "Nothing was found."
        error = str(note).split(" Call it again")[0].rstrip(".")
        asked = next((slot.ask for slot in self._slots[tool] if not slot.source), "What would you like to change?")
        return f"{error}. {asked}"

    def _abilities(self) -> str:
        about = [str(self._functions[name].get("description") or name).strip() for name in self._slots]
        told = "; ".join(text[:1].lower() + re.split(r"[.,;\n]", text[1:])[0] for text in about)
        return f"I can help you with this: {told}." if told else "I have no tools here."

    def _topics(self) -> set[str]:
        """What the goal is about, in stems of words."""
        about = [
            self._goal.get("title"),
            self._goal.get("description"),
            *(self._functions[name] for name in self._slots),
        ]
        return gestures.words(" ".join(str(text or "") for text in about), stem=5)

    def _closing(self) -> str:
        """Names the reference and the link of the last result."""
        last = self._progress.last(list(self._slots)[-1]) if self._slots else None
        result = last.result if last else {}
        name = next((key for key in ("reference", "confirmation", "number", "code", "id") if result.get(key)), "")
        link = next((str(value) for value in result.values() if str(value).startswith("http")), "")
        told = [f"the {name} is {result[name]}"] if name else []
        told += [f"the link is {link}"] if link else []
        return f"All done{': ' if told else ''}{' and '.join(told)}. Thank you, and goodbye!"

    def _other_goal(self, text: str) -> str:
        """Another goal that the person names, by more than it shares with this one."""
        which = self._functions.get("switch_goal", {}).get("parameters", {}).get("properties", {}).get("goal", {})
        titles = dict(part.partition(": ")[::2] for part in str(which.get("description", "")).split("; "))
        here = gestures.words(f"{self._goal.get('name', '')} {self._goal.get('title', '')}".replace("_", " "))
        said = gestures.words(text)
        names = {
            name: gestures.words(f"{name.replace('_', ' ')} {titles.get(name, '')}") for name in which.get("enum", [])
        }
        names = {name: words for name, words in names.items() if said & words - here}
        best: str = max(names, key=lambda name: len(said & names[name]), default="")
        return best if best and len(said & names[best]) >= (1 if gestures.changes(text) else 2) else ""
