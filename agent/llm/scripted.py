"""The built-in offline model: it fills the arguments of the goal's next tool from what was said, or asks for them.

It knows no goal: the order of the tools, their schemas and the goal's hints are all it goes by. Its answer is a
function of the messages alone, so a turn that is asked again comes out the same.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from agent.llm import extract, gestures
from agent.llm.story import REFUSAL, Called, Said, Slot, read, slots_of

_CHANGES = "Your choice: name what to change, or say stop."


@dataclass(frozen=True)
class Move:
    """What the model does next: call `tool`, or say `text`."""

    text: str = ""
    tool: str = ""
    arguments: dict[str, Any] = field(default_factory=dict)


class Script:
    """One conversation as the scripted model sees it; `move()` is its answer."""

    def __init__(
        self, messages: Sequence[dict[str, Any]], tools: Sequence[dict[str, Any]], goal: dict[str, Any]
    ) -> None:
        self._title = str(goal.get("title") or "").strip()
        self._today = date.fromisoformat(goal.get("today") or date.today().isoformat())
        self._functions = {tool["function"]["name"]: tool["function"] for tool in tools}
        mine = [name for name in self._functions if name not in ("finish", "off_goal", "switch_goal")]
        self._order: list[str] = sorted(mine, key=lambda name: _place(goal.get("tools", []), name))
        hints = goal.get("hints") or {}
        self._slots = {name: slots_of(name, self._functions[name], hints.get(name) or {}) for name in self._order}
        story = read(messages, str(goal.get("summary") or ""))
        about = [self._title, goal.get("description"), *(str(self._functions[name]) for name in self._order)]
        self._topics = gestures.words(" ".join(str(text or "") for text in about), stem=5)
        self._said, self._called, self._fresh, self._returned = story.said, story.called, story.fresh, story.returned
        self._asked = {said.at: self._slot_asked(said.asked) for said in self._said}

    def move(self) -> Move:
        said = self._fresh
        if said is None:
            return self._go_on()
        if gestures.stops(said.text):
            return self._call("finish", "All right, we stop here. Thank you, and goodbye!")
        if gestures.wants_help(said.text):
            return Move(f"{self._abilities()} {self._question()}")
        if goal := self._other_goal(said.text):
            return self._call("switch_goal", "Shall we go on with that instead?", goal=goal)
        if gestures.refuses(said.text) and not self._tells(said) and self._may_end_on(said):
            return self._call("finish", "All right, then that is all. Thank you, and goodbye!")
        if self._tells(said) or gestures.agrees(said.text) or gestures.refuses(said.text):
            return self._go_on()
        if gestures.greets(said.text):
            return Move(f"Hello! {self._question()}")
        if gestures.words(said.text, stem=5) & self._topics:
            return Move(self._question())
        about = f" (“{self._title}”)" if self._title else ""
        return self._call("off_goal", f"{REFUSAL} what we are doing here{about}. {self._question()}")

    def _may_end_on(self, said: Said) -> bool:
        """A plain no ends the chat where something is done and no choice is open."""
        asked = self._asked[said.at]
        return any(called.done for called in self._called) and asked is not None and not asked.prefer

    def _go_on(self) -> Move:
        tool = self._current()
        if tool is None:
            return self._call("finish", self._closing())
        arguments, missing = self._fill(tool)
        intro = self._intro()
        if objection := self._objection(tool, arguments):
            return Move(objection)
        if missing:
            return Move(self._ask(missing) if "{" in missing.ask else f"{intro}{self._ask(missing)}")
        if not self._said and not self._called:
            return Move(f"{intro}Shall I {gestures.spaced(tool)}?")
        return Move(tool=tool, arguments=arguments)

    def _question(self) -> str:
        """What waits for an answer, asked again."""
        tool = self._current()
        if tool is None:
            return "Is there anything else?"
        missing = self._fill(tool)[1]
        return self._ask(missing) if missing else "Shall I go on?"

    def _call(self, tool: str, message: str, **arguments: str) -> Move:
        if tool not in self._functions:
            return Move(message)
        return Move(tool=tool, arguments={**arguments, "message": message})

    # Which tool is next

    def _current(self) -> str | None:
        """The first tool, in the goal's order, that is not done or that the person has asked for anew."""
        newest = -1
        for tool in self._order:
            done = self._done(tool)
            if done is None or done.at < newest or self._reopened(done):
                return tool
            newest = done.at
        return None

    def _last(self, tool: str) -> Called | None:
        return next((called for called in reversed(self._called) if called.tool == tool), None)

    def _done(self, tool: str) -> Called | None:
        """Its newest call that came to something; a list that a later tool needs must not be empty."""
        for called in reversed(self._called):
            if called.tool == tool and called.done and not self._empty(called):
                return called
        return None

    def _empty(self, called: Called) -> bool:
        paths = [
            slot.source.split(".")[1:] for slots in self._slots.values() for slot in slots if slot.of == called.tool
        ]
        result = called.outcome.get("result")
        return isinstance(result, dict) and any(result.get(path[0]) == [] for path in paths if path)

    def _reopened(self, done: Called) -> bool:
        """Something said since then changes one of its arguments."""
        for slot in self._slots[done.tool]:
            if slot.source or slot.name not in done.arguments:
                continue
            value, said = self._stated(slot)
            if said is None or said.at < done.at or value is None or _same(value, done.arguments[slot.name]):
                continue
            plain = value == value.lower() and value not in slot.values and slot.kind == "text"
            elsewhere = (asked := self._asked[said.at]) is not None and asked.tool != slot.tool
            answers = elsewhere and asked is not None and self._find(asked, said) is not None
            if not plain and (not answers or gestures.changes(said.text)) and (slot.kind != "number" or not elsewhere):
                return True
        return False

    # What its arguments are

    def _fill(self, tool: str) -> tuple[dict[str, Any], Slot | None]:
        """The arguments known so far, and the first one to ask for."""
        arguments: dict[str, Any] = {}
        missing = None
        for slot in self._slots[tool]:
            value = self._value(slot)
            if value not in (None, ""):
                arguments[slot.name] = slot.typed(value)
            elif slot.required and missing is None:
                missing = slot
        return arguments, missing

    def _value(self, slot: Slot) -> Any:
        if not slot.source:
            return self._stated(slot)[0]
        source = self._done(slot.of)
        if source is None:
            return self._stated(slot)[0] if slot.kind != "pick" else None
        stated, said = self._stated(slot) if slot.kind != "pick" else (None, None)
        if said is not None and said.at > source.at:
            return stated
        return self._follow(source, slot)

    def _stated(self, slot: Slot) -> tuple[str | None, Said | None]:
        """The newest statement wins: people change their minds."""
        for said in reversed(self._said):
            if (value := self._find(slot, said)) is not None:
                return value, said
        return None, None

    def _find(self, slot: Slot, said: Said) -> str | None:
        if slot.kind == "pick":
            source = self._done(slot.of)
            return None if source is None or said.at < source.at else self._picked_by(slot, source, said)
        asked = self._asked[said.at]
        if slot.kind == "number" and asked not in (None, slot) and extract.bare_number(said.text):
            return None
        if slot.kind == "text" and asked == slot and (gestures.wants_help(said.text) or gestures.stops(said.text)):
            return None
        value = extract.find(slot, said.text, asked == slot, self._today)
        if value is None or asked in (None, slot) or asked.kind != slot.kind:
            return value
        if slot.kind in ("text", "choice") and not extract.is_all(value, said.text):
            return value
        return None if extract.find(asked, said.text, True, self._today) == value else value

    def _follow(self, source: Called, slot: Slot) -> Any:
        """The value at `Tool.field.field` of an earlier result; in a list, of the picked item."""
        value: Any = source.outcome.get("result")
        path = slot.source.split(".")[1:]
        for name in path:
            if isinstance(value, list):
                value = self._picked(source, slot, value)
            value = value.get(name) if isinstance(value, dict) else None
        if isinstance(value, list):
            value = self._picked(source, slot, value)
        return source.arguments.get(path[0]) if value is None and len(path) == 1 else value

    def _picked(self, source: Called, slot: Slot, items: list[Any]) -> Any:
        chooser = next((other for other in self._all() if other.kind == "pick" and other.list == slot.list), slot)
        for said in reversed(self._said):
            if said.at > source.at and (at := self._picked_by(chooser, source, said)) is not None:
                return items[int(at)]
        return items[0] if len(items) == 1 and not chooser.prefer else None

    def _picked_by(self, slot: Slot, source: Called, said: Said) -> str | None:
        items = (source.outcome.get("result") or {}).get(slot.list.split(".")[-1]) if "." in slot.list else None
        asked = self._asked[said.at]
        here = asked is not None and asked.list == slot.list
        if not isinstance(items, list) or not (here or asked is None or gestures.changes(said.text)):
            return None
        at = gestures.pick(said.text, items, slot.prefer, here)
        return None if at is None else str(at)

    def _all(self) -> list[Slot]:
        return [slot for tool in self._order for slot in self._slots[tool]]

    def _slot_asked(self, question: str) -> Slot | None:
        """Which slot a sentence of ours asked for: the last one whose question is in it."""
        places = {slot: match.start() for slot in self._all() for match in slot.asked_in.finditer(question)}
        return max(places, key=lambda slot: places[slot], default=None)

    def _tells(self, said: Said) -> bool:
        current = self._current()
        return any(
            self._find(slot, said) is not None for slot in self._all() if slot.kind != "number" or slot.tool == current
        )

    # What is said

    def _ask(self, slot: Slot) -> str:
        question = slot.ask
        if "{" in question and (source := self._done(slot.of)):
            items = (source.outcome.get("result") or {}).get(slot.list.split(".")[-1]) or [{}]
            item = next((item for item in items if item.get(slot.prefer)), items[0])
            if self._fresh and gestures.refuses(self._fresh.text):
                return f"Which one would you like then? {_CHANGES}"
            return re.sub(r"\{(\w+)\}", lambda field: str(item.get(field[1], "")), question)
        return question

    def _intro(self) -> str:
        """What just came back, in a sentence."""
        if not self._said and not self._called:
            return f"Hello! {self._abilities()} "
        if self._returned is None or not self._returned.done:
            return ""
        result = self._returned.outcome.get("result")
        note = str(result.get("note") or "") if isinstance(result, dict) else ""
        return f"{note.rstrip('.')}. " if note else ""

    def _objection(self, tool: str, arguments: dict[str, Any]) -> str:
        """Why a call like the last one is not simply made again, and what to say instead; "" = nothing against it."""
        last = self._last(tool)
        if last is None or (last.done and not self._empty(last)) or last.outcome.get("withdrawn"):
            return ""
        words = [said for said in self._said if said.at > last.at]
        if arguments != last.arguments or any(gestures.agrees(said.text) for said in words):
            return ""
        if last.outcome.get("declined"):
            names = ", ".join(slot.name.replace("_", " ") for slot in self._slots[tool])
            return f"All right, I did not do that. What would you like to change ({names})? You can also say stop."
        result = last.outcome.get("result")
        note = result.get("note") if isinstance(result, dict) else None
        error = str(last.outcome.get("error") or note or "Nothing was found.").split(" Call it again")[0]
        asked = next((slot for slot in self._slots[tool] if not slot.source), None)
        return f"{error.rstrip('.')}. {asked.ask if asked else _CHANGES}"

    def _abilities(self) -> str:
        about = [
            re.split(r"[.,;\n]", str(self._functions[name].get("description") or name).strip())[0]
            for name in self._order
        ]
        said = "; ".join(text[:1].lower() + text[1:] for text in about)
        return f"I can help you with this: {said}." if said else "I have no tools here."

    def _closing(self) -> str:
        if not self._order or not (last := self._last(self._order[-1])):
            return "That is all. Goodbye!"
        result = last.outcome.get("result")
        flat = result if isinstance(result, dict) else {}
        link = next((str(value) for value in flat.values() if str(value).startswith("http")), "")
        name = next((key for key in ("reference", "confirmation", "number", "code", "id") if flat.get(key)), "")
        told = [f"the {name} is {flat[name]}"] if name else []
        told += [f"the link is {link}"] if link else []
        return f"All done{': ' if told else ''}{' and '.join(told)}. Thank you, and goodbye!"

    def _other_goal(self, text: str) -> str:
        """Another goal that the person names."""
        which = self._functions.get("switch_goal", {}).get("parameters", {}).get("properties", {}).get("goal", {})
        titles = dict(part.partition(": ")[::2] for part in str(which.get("description", "")).split("; "))
        said = gestures.words(text)
        hits = {
            name: len(said & gestures.words(f"{name.replace('_', ' ')} {titles.get(name, '')}".lower()))
            for name in which.get("enum", [])
        }
        best: str = max(hits, key=lambda name: hits[name], default="")
        return best if best and hits[best] >= (1 if gestures.changes(text) else 2) else ""


def _place(order: Sequence[str], name: str) -> int:
    return list(order).index(name) if name in order else len(order)


def _same(value: str, argument: Any) -> bool:
    return value.strip().lower() == str(argument).strip().lower()
