"""What each tool would be called with, by what was said and what earlier calls returned."""

import re
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise, permutations
from typing import Any

from agent import sentences
from agent.demo import results, words
from agent.demo.arguments import Argument, Function, singular
from agent.demo.dates import dates
from agent.demo.numbers import bare_number, days_in, ordinals
from agent.demo.results import Source
from agent.demo.transcript import Called, Said, Transcript
from agent.demo.values import find

OTHER_ONE = "Which one would you like then?"
_SHARES = {"everything": Decimal(1), "half": Decimal("0.5")}
Pick = tuple[int, str]
"""A row of a list, by its place from 0, and the count said beside it."""


class Filling:
    """The arguments of the tools, in one state of a chat."""

    def __init__(self, story: Transcript, functions: Mapping[str, Function]) -> None:
        self._story = story
        self._functions = functions
        self._arguments = [argument for one in functions.values() for argument in one.arguments]
        self._asked: dict[int, Argument | None] = {}
        self._sources: dict[Argument, Source | None] = {}

    def calls(self, tool: Function) -> list[dict[str, Any]]:
        """The arguments known so far, for each call to be made."""
        last = self.last(tool.name)
        known = self._kept(tool, last) if last else {}
        for said in self._story.said:
            if last is None or said.at >= last.at:
                known |= self._news(tool, said, known)
        lists = []
        for argument in tool.arguments:
            if (found := self.source(argument)) and found.rows:
                lists.append((argument.name, found))
                known.pop(argument.name, None)
            elif found:
                known[argument.name] = found.call.result.get(found.field, found.call.arguments.get(found.field))
        calls, chosen = [dict(known)], list[Pick]()
        for name, found in lists:
            if picked := self._chosen(found):
                chosen, rows = picked, found.call.rows(found.rows)
                calls = calls if len(calls) == len(picked) else [dict(known) for _ in picked]
                for call, (at, _) in zip(calls, picked, strict=True):
                    call[name] = rows[at].get(found.field) if isinstance(rows[at], dict) else rows[at]
        counted = next((one.name for one in tool.arguments if one.type == "integer" and not self.source(one)), "")
        for call, (_, count) in zip(calls, chosen, strict=False):
            if counted and (count or len(chosen) > 1):
                call[counted] = count or "1"
        return [self._finished(tool, call) for call in calls]

    def missing(self, tool: Function) -> Argument | None:
        """What to ask for next: first which row of a list."""
        calls = self.calls(tool)
        in_order = sorted(tool.arguments, key=lambda one: not ((found := self.source(one)) and found.rows))
        return next((one for one in in_order if one.required and any(one.name not in call for call in calls)), None)

    def last(self, tool: str) -> Called | None:
        """The newest call of a tool."""
        return next((call for call in reversed(self._story.called) if call.tool == tool), None)

    def is_done(self, call: Called) -> bool:
        """It came to something: a list that a later tool needs is not empty."""
        if not call.done or call.tool not in self._functions:
            return False
        others = [argument for argument in self._arguments if argument.tool != call.tool]
        return not any(value == [] and results.is_needed(name, others) for name, value in call.result.items())

    def is_reopened(self, tool: Function) -> bool:
        """Something said since it was done changes what it was called with."""
        done = [call for call in self._story.called if call.tool == tool.name and self.is_done(call)]
        news = [said for said in self._story.said if done and said.at > done[-1].at]
        if not any(self.values(tool, said) or self.picks_for(tool, said) for said in news):
            return False
        return any(not is_same(call, done[-1]) for call in self.calls(tool))

    def values(self, tool: Function, said: Said) -> dict[str, str]:
        """What a message says of a tool's arguments, but for those that earlier results hold."""
        if words.means(said.text, "stops", "enough", "wants_help"):
            return {}
        asked = self.asked(said)
        free = [one for one in tool.arguments if not self.source(one)]
        if not asked or asked not in free or asked.kind != "number":
            listed = any((found := self.source(one)) and found.rows for one in tool.arguments)
            counts = listed and (not words.means(said.text, "changes") or self.picks_for(tool, said))
            if counts or (asked and bare_number(said.text) is not None):  # of a row, or its place
                free = [one for one in free if one.kind != "number"]
        picks = asked is not None and (listing := self.source(asked)) is not None and listing.rows != ""
        values = find(
            free, said.text, None if picks and words.means(said.text, "changes") else asked, self._story.today
        )
        amount = next((one.name for one in free if one.kind == "number"), "")
        if amount and amount not in values and any(one.kind == "choice" for one in free):
            values.update((amount, share) for share in _SHARES if words.means(said.text, share))
        if asked and self._picked(asked, said):  # the name of an event is no city
            cities = [one.name for one in free if one.kind == "place" and not one.origin]
            values = {name: value for name, value in values.items() if name not in cities}
        return values

    def tells(self, said: Said, current: Function | None) -> bool:
        """The words hold something that a tool needs; a mere number only for the next one."""
        for tool in self._functions.values():
            numbers = {one.name for one in tool.arguments if one.kind == "number"} if tool != current else set()
            if set(self.values(tool, said)) - numbers or self.picks_for(tool, said):
                return True
            if days_in(said.text) and sum(one.kind == "date" for one in tool.arguments) > 1:
                return True
        return False

    def asked(self, said: Said) -> Argument | None:
        """What we had asked for before these words; a welcome asks for what comes first."""
        if said.at not in self._asked:
            places = {one: said.asked.rfind(self.question(one)) for one in self._arguments}
            best = max(places, key=lambda one: places[one], default=None)
            first = next((one for one in self._arguments if one.required), None)
            welcomed = "?" in said.asked and not any(call.at < said.at for call in self._story.called)
            self._asked[said.at] = best if best and places[best] >= 0 else first if welcomed else None
        return self._asked[said.at]

    def question(self, argument: Argument) -> str:
        """The question for an argument, without choices."""
        found = self.source(argument)
        if found is None or not found.rows:
            return argument.question
        if results.marked(found.call.rows(found.rows)):
            return shall(self._functions[argument.tool], " for it")
        if singular(found.rows) == argument.name or found.field in ("name", "title"):
            return argument.question
        return f"Which of these {sentences.spaced(found.rows)} would you like?"

    def source(self, argument: Argument) -> Source | None:
        """The earlier result that holds an argument's value."""
        if argument not in self._sources:
            done = [call for call in self._story.called if self.is_done(call)]
            self._sources[argument] = results.source(argument, done)
        return self._sources[argument]

    def rows_in(self, found: Source, said: Said) -> list[Pick]:
        """The rows of a list that a message picks."""
        rows, asked = found.call.rows(found.rows), self.asked(said)
        if words.means(said.text, "stops", "enough"):
            return []
        if said.at < found.call.at:
            used = " ".join(str(value) for value in found.call.arguments.values())
            left = re.sub(r"[^\W_]+", lambda word: "" if words.resembling({word[0].lower()}, used) else word[0], said.text)  # fmt: skip
            return results.pick(left, [results.label(row) for row in rows], here=False)
        here = bool(asked and (other := self.source(asked)) and other.rows == found.rows)
        if not here and asked:
            here = asked.kind == "place" and ordinals(said.text, len(rows)) != []
            if not here and not words.means(said.text, "changes"):
                return []
        lists = [call.at for call in self._story.called if any(call.rows(name) for name in call.result)]
        newest = max((at for at in lists if at < said.at), default=0) <= found.call.at
        picked = results.pick(said.text, rows, here=here or (asked is None and newest))
        flag = results.marked(rows)
        if not picked and here and flag and words.means(said.text, "agrees") and OTHER_ONE not in said.asked:
            return [(flag[0], "")]
        return picked

    def picks_for(self, tool: Function, said: Said) -> bool:
        return any(self._picked(argument, said) for argument in tool.arguments)

    def _picked(self, argument: Argument, said: Said) -> bool:
        found = self.source(argument)
        return bool(found and found.rows and found.call.at < said.at and self.rows_in(found, said))

    def _chosen(self, found: Source) -> list[Pick]:
        """The rows that the person picked, by the newest words that do; the only one, if there is one."""
        for said in reversed(self._story.said):
            question = said.at > found.call.at and words.means(said.text, "inquires")
            if not question and (picked := self.rows_in(found, said)):
                return picked
        return [(0, "")] if len(found.call.rows(found.rows)) == 1 else []

    def _kept(self, tool: Function, last: Called) -> dict[str, Any]:
        """What the last call was made with; an amount that was moved is not moved once more."""
        done = {one.name for one in tool.arguments if last.done and one.kind == "number"}
        return {one.name: last.arguments[one.name] for one in tool.arguments if one.name in {*last.arguments} - done}

    def _news(self, tool: Function, said: Said, known: Mapping[str, Any]) -> dict[str, Any]:
        """What a message changes: people change their minds, and the newest statement wins."""
        values: dict[str, Any] = self.values(tool, said)
        for one, twin in permutations([one for one in tool.arguments if one.kind == "choice"], 2):
            back = one.choices == twin.choices and values.get(one.name) == known.get(twin.name)
            if back and twin.name not in values and one.name in values and known.get(one.name):
                values[twin.name] = known[one.name]
        for before, after in pairwise([one for one in tool.arguments if one.kind == "date"]):
            start = values.get(before.name) or known.get(before.name)
            if start and values.get(after.name, start) < start:  # next Friday: the one after that Monday
                later = dates(said.text, date.fromisoformat(start))
                values |= {after.name: later[-1][1]} if later else {}
            if start and (length := days_in(said.text)):
                values[after.name] = (date.fromisoformat(start) + timedelta(length - 1)).isoformat()
        return values

    def _finished(self, tool: Function, call: Mapping[str, Any]) -> dict[str, Any]:
        """Typed, without what contradicts itself (nothing goes from an account to the same), shares as amounts."""
        done: dict[str, Any] = {}
        for argument in tool.arguments:
            twins = [one.name for one in tool.arguments if one.choices == argument.choices != () and one.name in done]
            value = call.get(argument.name)
            if value not in (None, "", *(done[name] for name in twins)):
                done[argument.name] = argument.typed(value)
        for name in [name for name, value in done.items() if value in _SHARES]:
            chosen = [str(done[one.name]) for one in tool.arguments if one.kind == "choice" and one.name in done][:1]
            whole = results.amount_of(self._story.called, chosen[0]) if chosen else None
            share = _SHARES[done.pop(name)]
            done |= {name: f"{whole * share:.2f}"} if whole is not None else {}
        return done


def is_same(call: Mapping[str, Any], last: Called) -> bool:
    """The call would repeat the last one."""
    return all(results.same(value, last.arguments.get(name)) for name, value in call.items())


def shall(tool: Function, about: str = "") -> str:
    return f"Shall I {sentences.phrase(tool.description)}{about}?"
