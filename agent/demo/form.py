"""What one tool would be called with, by what was said and what earlier calls returned."""

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise, permutations
from typing import Any

from agent.demo import results, words
from agent.demo.arguments import Argument, Function
from agent.demo.dates import dates
from agent.demo.numbers import bare_number, days_in
from agent.demo.sources import Sources
from agent.demo.transcript import Called, Said
from agent.demo.values import find

_SHARES = {"everything": Decimal(1), "half": Decimal("0.5")}


class Form:
    """last, done: the newest call, and the newest that came to something. told: by the newest words; touched: by any
    since `done`."""

    def __init__(self, tool: Function, sources: Sources, today: date) -> None:
        self.tool = tool
        self.last: Called | None = None
        self.done: Called | None = None
        self.told: dict[str, Any] = {}
        self.touched = False
        self._known: dict[str, Any] = {}
        self._sources = sources
        self._today = today

    def of_kind(self, kind: str) -> list[Argument]:
        return [one for one in self.tool.arguments if one.kind == kind]

    def note(self, call: Called, *, done: bool) -> None:
        """What a call was made with is kept, but for amounts: what was moved is not moved once more."""
        self.last = call
        spent = [one.name for one in self.of_kind("number") if call.done]
        names = [one.name for one in self.tool.arguments if one.name not in spent]
        self._known = {name: value for name, value in call.arguments.items() if name in names}
        if done:
            self.done, self.touched = call, False

    def hear(self, said: Said, asked: Argument | None) -> None:
        """People change their minds: the newest statement wins."""
        self.told = self._values(said, asked)
        self.told |= self._followed(said)
        self._known |= self.told
        self.touched = self.touched or bool(self.told) or self._sources.has_picked(self.tool)

    def _values(self, said: Said, asked: Argument | None) -> dict[str, Any]:
        """What a message says of the arguments, but for those that earlier results hold."""
        changes = words.means(said.text, "changes")
        free = [one for one in self.tool.arguments if not self._sources.of(one)]
        if asked not in free or (asked and asked.kind != "number"):
            listed = any(self._sources.rows(one) for one in self.tool.arguments)
            counts = listed and (not changes or self._sources.has_picked(self.tool))
            if counts or (asked and bare_number(said.text) is not None):  # of a row, or its place
                free = [one for one in free if one.kind != "number"]
        rows = self._sources.rows(asked) if asked else ""
        if rows in self._sources.picked:  # the name of an event is no city
            free = [one for one in free if one.kind != "place" or one.origin]
        told: dict[str, Any] = find(free, said.text, None if rows and changes else asked, self._today)
        amount = next((one.name for one in free if one.kind == "number"), "")
        if amount and amount not in told and self.of_kind("choice"):
            told.update((amount, share) for share in _SHARES if words.means(said.text, share))
        return told

    def _followed(self, said: Said) -> dict[str, Any]:
        """What follows from it: the way back, the last day."""
        followed: dict[str, Any] = {}
        for one, twin in permutations(self.of_kind("choice"), 2):
            its, told = self._known.get(one.name), self.told.get(one.name, "")
            back = told == self._known.get(twin.name) and twin.name not in self.told
            if one.choices == twin.choices and its and (back or words.means(said.text, "swaps")):
                followed[twin.name] = its
        for before, after in pairwise(self.of_kind("date")):
            start = self.told.get(before.name) or self._known.get(before.name)
            if start and self.told.get(after.name, start) < start:  # next Friday: the one after that Monday
                followed.update((after.name, day) for _, day in dates(said.text, date.fromisoformat(start)))
            if start and (length := days_in(said.text)):
                followed[after.name] = (date.fromisoformat(start) + timedelta(length - 1)).isoformat()
        return followed

    def calls(self) -> list[dict[str, Any]]:
        """The arguments known so far, for each call to be made."""
        sources = {one.name: found for one in self.tool.arguments if (found := self._sources.of(one))}
        known = self._known | {name: None if found.rows else found.value for name, found in sources.items()}
        counts = [one.name for one in self.tool.arguments if one.type == "integer" and one.name not in sources][:1]
        calls = [known]
        for name, found in sources.items():
            picks = self._sources.chosen(found)
            calls = calls if len(picks) in (0, len(calls)) else [dict(known) for _ in picks]
            for call, (at, count) in zip(calls, picks, strict=False):
                call[name] = found.in_row(at)
                if count or len(picks) > 1:
                    call.update((name, count or "1") for name in counts)
        return [self._finished(call) for call in calls]

    def _finished(self, call: Mapping[str, Any]) -> dict[str, Any]:
        """Typed, without what contradicts itself (nothing goes from an account to the same), shares as amounts."""
        done: dict[str, Any] = {}
        taken: set[tuple[tuple[str, ...], Any]] = set()
        for argument in self.tool.arguments:
            value: Any = call.get(argument.name)
            if value in _SHARES:
                chosen = next((str(done[one.name]) for one in self.of_kind("choice") if one.name in done), "")
                whole = results.amount_of(self._sources.done, chosen)
                value = None if whole is None else f"{whole * _SHARES[value]:.2f}"
            if (argument.choices and (argument.choices, value) in taken) or value in (None, ""):
                continue
            done[argument.name] = int(value) if argument.type == "integer" and str(value).isdigit() else value
            taken |= {(argument.choices, value)} if argument.choices else set()
        return done

    def missing(self) -> Argument | None:
        """What to ask for next: first which row of a list."""
        calls = self.calls()
        in_order = sorted(self.tool.arguments, key=lambda one: not self._sources.rows(one))
        return next((one for one in in_order if one.required and any(one.name not in call for call in calls)), None)

    def repeats(self, last: Called) -> bool:
        """It would repeat this call."""
        calls = self.calls()
        return all(results.same(value, last.arguments.get(name)) for call in calls for name, value in call.items())
