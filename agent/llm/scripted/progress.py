"""How far a goal has come: which tool is next, and which of its arguments are known from what was said or returned."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from agent.llm.scripted import extract, gestures
from agent.llm.scripted.slots import Slot
from agent.llm.scripted.story import Called, Said, Story


class Progress:
    """slots: those of each tool, in the goal's order."""

    def __init__(self, story: Story, slots: Mapping[str, Sequence[Slot]], today: date) -> None:
        self._said, self._called, self._slots, self._today = story.said, story.called, slots, today
        self._all = [slot for each in slots.values() for slot in each]
        self._places: dict[tuple[str, int, int], int | None] = {}
        self._asked = {said.at: self._slot_asked(said.asked) for said in self._said}

    def current(self) -> str | None:
        """The first tool, in the goal's order, that is not done or that the person has asked for anew."""
        newest: float = float("-inf")
        for tool in self._slots:
            done = self.done(tool)
            if done is None or done.at < newest or self._reopened(done):
                return tool
            newest = done.at
        return None

    def last(self, tool: str) -> Called | None:
        """Its newest call, whatever came of it."""
        return next((called for called in reversed(self._called) if called.tool == tool), None)

    def done(self, tool: str) -> Called | None:
        """Its newest call that came to something; a list that a later tool needs must not be empty."""
        calls = (called for called in reversed(self._called) if called.tool == tool)
        return next((called for called in calls if called.done and not self.empty(called)), None)

    def empty(self, called: Called) -> bool:
        """A list that something is to be picked from has nothing in it."""
        needed = {slot.listed for slot in self._all if slot.of == called.tool}
        return any(called.result.get(path.partition(".")[2]) == [] for path in needed)

    def fill(self, tool: str) -> tuple[dict[str, Any], Slot | None]:
        """The arguments known so far, and the first one to ask for."""
        values = {slot: self._value(slot) for slot in self._slots[tool]}
        known = {slot.name: slot.typed(value) for slot, value in values.items() if value not in (None, "")}
        return known, next((slot for slot in values if slot.required and slot.name not in known), None)

    def tells(self, said: Said) -> bool:
        """The words hold something that a tool needs; a mere number only for the next one."""
        current = self.current()
        return any(
            self._find(slot, said) is not None for slot in self._all if slot.kind != "number" or slot.tool == current
        )

    def asked(self, said: Said) -> Slot | None:
        """What we had asked for before these words."""
        return self._asked[said.at]

    def said_since(self, called: Called) -> list[Said]:
        return [said for said in self._said if said.at > called.at]

    def _slot_asked(self, question: str) -> Slot | None:
        """The last slot whose question is in a sentence of ours."""
        places = {slot: match.start() for slot in self._all for match in slot.asked_in.finditer(question)}
        return max(places, key=lambda slot: places[slot], default=None)

    def _reopened(self, done: Called) -> bool:
        """Something said since then changes one of its arguments."""
        for slot in self._slots[done.tool]:
            if slot.source or slot.name not in done.arguments:
                continue
            value, said = self._stated(slot)
            if value is None or said is None or said.at < done.at or same(value, done.arguments[slot.name]):
                continue
            asked = self._asked[said.at]
            elsewhere = asked is not None and asked.tool != slot.tool
            answers = elsewhere and asked is not None and self._find(asked, said) is not None
            doubtful = slot.kind == "text" and value.islower() and value not in slot.values
            if (
                not doubtful
                and (not answers or gestures.changes(said.text))
                and (slot.kind != "number" or not elsewhere)
            ):
                return True
        return False

    def _value(self, slot: Slot) -> Any:
        if slot.kind == "pick" or slot.source:
            source = self.done(slot.of)
            stated, said = self._stated(slot) if slot.kind != "pick" else (None, None)
            if source is None or (said is not None and said.at > source.at):
                return stated
            return self._follow(source, slot)
        return self._stated(slot)[0]

    def _stated(self, slot: Slot) -> tuple[str | None, Said | None]:
        """The newest statement wins: people change their minds."""
        for said in reversed(self._said):
            if (value := self._find(slot, said)) is not None:
                return value, said
        return None, None

    def _find(self, slot: Slot, said: Said) -> str | None:
        asked = self._asked[said.at]
        if slot.kind == "pick":
            source = self.done(slot.of)
            at = self._place(slot, source, said) if source and said.at > source.at else None
            return None if at is None else str(at)
        if slot.kind == "number" and asked not in (None, slot) and extract.bare_number(said.text):
            return None
        if slot.kind == "text" and asked == slot and (gestures.wants_help(said.text) or gestures.stops(said.text)):
            return None
        value = extract.find(slot, said.text, asked == slot, self._today)
        if value is None or asked is None or asked == slot or asked.kind != slot.kind:
            return value
        if slot.kind in ("text", "choice") and not extract.is_all(value, said.text):
            return value
        return None if extract.find(asked, said.text, True, self._today) == value else value

    def _follow(self, source: Called, slot: Slot) -> Any:
        """The value at `Tool.field.field` of an earlier result; in a list, of the picked item."""
        value: Any = source.result
        path = slot.source.split(".")[1:]
        for name in path:
            value = self._picked(source, slot, value) if isinstance(value, list) else value
            value = value.get(name) if isinstance(value, dict) else None
        value = self._picked(source, slot, value) if isinstance(value, list) else value
        return source.arguments.get(path[0]) if value is None and len(path) == 1 else value

    def _picked(self, source: Called, slot: Slot, items: list[Any]) -> Any:
        chooser = next((other for other in self._all if other.kind == "pick" and other.listed == slot.listed), slot)
        for said in reversed(self.said_since(source)):
            if (at := self._place(chooser, source, said)) is not None:
                return items[at]
        return items[0] if len(items) == 1 and not chooser.prefer else None

    def _place(self, slot: Slot, source: Called, said: Said) -> int | None:
        """Where in the list the item is that these words pick."""
        key = (slot.listed, source.at, said.at)
        if key not in self._places:
            asked, items = self._asked[said.at], source.items(slot.listed)
            here = asked is not None and asked.listed == slot.listed
            heard = items and (here or asked is None or gestures.changes(said.text))
            self._places[key] = gestures.pick(said.text, items, slot.prefer, here) if heard else None
        return self._places[key]


def same(value: Any, argument: Any) -> bool:
    """Equal to a person: 250 and 250.00, march and March."""
    try:
        return Decimal(str(value)) == Decimal(str(argument))
    except InvalidOperation:
        return str(value).strip().lower() == str(argument).strip().lower()
