"""What the demo model does next: a call of the next tool, or a question for what it needs."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from itertools import pairwise
from typing import Any

from agent import sentences
from agent.demo import results, words
from agent.demo.arguments import Argument, Function, function_of, listed, singular, words_of
from agent.demo.results import Source
from agent.demo.transcript import REFUSAL, Called, Said, read
from agent.prompts import GOAL_REACHED, PERSON_STOPS

_BUILT_IN = ("finish", "off_goal", "switch_goal")
_OTHER_ONE = "Which one would you like then?"
ALL = "all"


@dataclass(frozen=True)
class Move:
    """What the model does next: calls (tool, arguments), or words."""

    text: str = ""
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)


class Dialogue:
    """One conversation as the demo model sees it; `move()` is its answer, a function of the messages alone."""

    def __init__(self, messages: Sequence[Mapping[str, Any]], tools: Sequence[Mapping[str, Any]]) -> None:
        offered = {tool["function"]["name"]: tool["function"] for tool in tools}
        self._story = read(messages)
        self._built_in = {name: one for name, one in offered.items() if name in _BUILT_IN}
        self._functions = {name: function_of(one) for name, one in offered.items() if name not in _BUILT_IN}
        self._order = list(self._functions)
        self._arguments = [argument for one in self._functions.values() for argument in one.arguments]

    def move(self) -> Move:
        said = self._story.fresh
        if said is None:
            return self._go_on()
        text = said.text
        if said.card in self._functions and words.enough(text):
            return Move(f"All right, nothing more. {self._shall(self._functions[said.card])} You can also say stop.")
        if words.stops(text):
            return self._call("finish", "All right, we stop here. Thank you, and goodbye!", reason=PERSON_STOPS)
        if words.wants_help(text):
            return Move(f"{self._abilities()} {self._question()}")
        if goal := self._other_goal(text):
            return self._call("switch_goal", "Shall we go on with that instead?", goal=goal)
        if words.inquires(text) and (told := self._about_a_row(said)):
            return Move(f"{told} {self._question()}")
        tells = self._tells(said) or self._intent(said) is not None
        if words.refuses(text) and not tells and "anything else" in said.asked:
            return self._call("finish", "All right, then that is all. Thank you, and goodbye!", reason=PERSON_STOPS)
        if words.refuses(text) and not tells and self._is_offer(said):
            return Move("All right. Is there anything else I can do?")
        if tells or words.agrees(text) or words.refuses(text):
            return self._go_on()
        if words.greets(text):
            return Move(f"Hello! {self._question()}")
        if words.resembling(self._content(text), self._topics) or not words.is_sentence(text):
            return Move(self._question())
        title = f" (“{self._story.title}”)" if self._story.title else ""
        return self._call("off_goal", f"{REFUSAL} what we are doing here{title}. {self._question()}")

    def _go_on(self) -> Move:
        said, returned = self._story.fresh, self._story.returned
        tool = self._current
        if tool is None:
            if said is None:
                return self._call("finish", self._closing(), reason=GOAL_REACHED)
            return Move("Is there anything else I can do?")
        calls, missing = self._fill(tool)
        last = self._last(tool.name)
        settled = not missing or (missing.kind == "number" and not self._source(missing))
        if (
            last
            and self._is_done(last)
            and settled
            and all(self._is_same(call, last) for call in calls)
            and tool != self._wanted
        ):
            return Move(f"{results.tell_result(returned) if returned else ''} Is there anything else I can do?".strip())
        if objection := self._objection(tool, calls):
            return Move(objection)
        if missing:
            return Move(f"{self._intro(missing)} {self._ask(missing)}".strip())
        if not self._story.said and not self._story.called:
            return Move(f"Hello! {self._abilities()} {self._shall(tool)}")
        return Move(calls=[(tool.name, call) for call in calls])

    # Which tool is next

    @cached_property
    def _current(self) -> Function | None:
        """The tool after the newest that is done, unless words since then ask for another, or change an earlier one."""
        done = max((call for call in self._story.called if self._is_done(call)), key=lambda call: call.at, default=None)
        place = self._order.index(done.tool) + 1 if done else 0
        for name in self._order[:place]:
            if self._is_reopened(self._functions[name]):
                return self._functions[name]
        if self._wanted:
            return self._needed_first(self._wanted)
        return self._functions[self._order[place]] if place < len(self._order) else None

    @cached_property
    def _wanted(self) -> Function | None:
        """The tool that the person asked for, until it is done."""
        for said in reversed(self._story.said):
            if wanted := self._intent(said):
                done = any(
                    call.tool == wanted.name and call.at > said.at for call in self._story.called if self._is_done(call)
                )
                return None if done else wanted
        return None

    def _intent(self, said: Said) -> Function | None:
        """The only tool whose own words are in the message, where that is no answer to what was asked."""
        asked = self._asked(said)
        if asked and (self._values(self._functions[asked.tool], said).get(asked.name) or self._picked(asked, said)):
            return None
        scores = {}
        for tool in self._functions.values():
            others = [other.words for other in self._functions.values() if other != tool]
            own = " ".join(
                word for word in tool.words if not any(word in other for other in others) and not words.is_common(word)
            )
            scores[tool.name] = len(words.resembling(self._content(said.text), own))
        best = max(scores.values(), default=0)
        named = [name for name, score in scores.items() if score == best and best]
        if len(named) != 1:
            return None
        done = [
            call for call in self._story.called if call.tool == named[0] and call.at < said.at and self._is_done(call)
        ]
        return self._functions[named[0]] if not done or words.inquires(said.text) else None

    def _needed_first(self, tool: Function) -> Function:
        """The tool, or an earlier one that still has to give it something."""
        missing = [argument for argument in tool.arguments if argument.required and not self._has(tool, argument)]
        names = {argument.name for argument in tool.arguments}
        for place, name in enumerate(self._order[: self._order.index(tool.name)]):
            earlier = self._functions[name]
            if any(self._is_done(call) for call in self._story.called if call.tool == name):
                continue
            needs = {argument.name for argument in earlier.arguments if argument.required}
            gives = any(words_of(argument.about) & words_of(name_words) and argument.name not in needs for argument in missing for name_words in [sentences.spaced(name)])  # fmt: skip
            if gives or (place == 0 and needs <= names):
                return self._needed_first(earlier)
        return tool

    def _has(self, tool: Function, argument: Argument) -> bool:
        calls, _ = self._fill(tool)
        return argument.name in calls[0]

    def _is_done(self, call: Called) -> bool:
        """It came to something: a list that a later tool needs is not empty."""
        if not call.done or call.tool not in self._functions:
            return False
        others = [argument for argument in self._arguments if argument.tool != call.tool]
        return not any(value == [] and results.is_needed(name, others) for name, value in call.result.items())

    def _is_reopened(self, tool: Function) -> bool:
        """Something said since it was done changes what it was called with."""
        last = next(
            (call for call in reversed(self._story.called) if call.tool == tool.name and self._is_done(call)), None
        )
        if last is None:
            return False
        news = [said for said in self._story.said if said.at > last.at]
        if not any(self._values(tool, said) or self._picks_for(tool, said) for said in news):
            return False
        calls, _ = self._fill(tool)
        return any(not self._is_same(call, last) for call in calls)

    def _last(self, tool: str) -> Called | None:
        return next((call for call in reversed(self._story.called) if call.tool == tool), None)

    def _is_same(self, call: Mapping[str, Any], last: Called) -> bool:
        return all(results.same(value, last.arguments.get(name)) for name, value in call.items())

    # What it is called with

    def _fill(self, tool: Function) -> tuple[list[dict[str, Any]], Argument | None]:
        """The arguments known so far, for each call to be made, and the first one to ask for."""
        last, known = self._last(tool.name), dict[str, Any]()
        if last:
            known = {
                name: value for name, value in last.arguments.items() if name in {one.name for one in tool.arguments}
            }
            for argument in tool.arguments:
                if last.done and argument.kind == "number":
                    known.pop(argument.name, None)
        for said in self._story.said:
            if last is None or said.at >= last.at:
                self._state(tool, said, known)
        calls = [known]
        chosen: list[tuple[int, str]] = []
        for argument in tool.arguments:
            found = self._source(argument)
            if found is None:
                continue
            if not found.rows:
                known[argument.name] = found.call.result.get(found.field, found.call.arguments.get(found.field))
                continue
            rows, picked = found.call.rows(found.rows), self._chosen(found)
            known.pop(argument.name, None)
            if picked:
                chosen = picked
                calls = calls if len(calls) == len(picked) else [dict(known) for _ in picked]
                for call, (at, _) in zip(calls, picked, strict=True):
                    row = rows[at]
                    call[argument.name] = row.get(found.field) if isinstance(row, dict) else row
        counted = next((one for one in tool.arguments if one.type == "integer" and not self._source(one)), None)
        for call, (_, count) in zip(calls, chosen, strict=False):
            if counted and (count or len(chosen) > 1):
                call[counted.name] = count or "1"
        return [self._finished(tool, call) for call in calls], self._missing(
            tool, [self._finished(tool, call) for call in calls]
        )

    def _state(self, tool: Function, said: Said, known: dict[str, Any]) -> None:
        """Apply what a message says: people change their minds, and the newest statement wins."""
        values = self._values(tool, said)
        days = [argument for argument in tool.arguments if argument.kind == "date"]
        for before, after in pairwise(days):
            start = values.get(before.name) or known.get(before.name)
            if start and values.get(after.name, start) < start:  # next Friday: the one after that Monday
                later = words.find([after], said.text, after, date.fromisoformat(start)).get(after.name)
                values[after.name] = later or values[after.name]
            if start and (length := words.span(said.text, self._story.today)):
                values[after.name] = (date.fromisoformat(start) + timedelta(length - 1)).isoformat()
        known.update(values)

    def _values(self, tool: Function, said: Said) -> dict[str, str]:
        """What a message says of a tool's arguments, but for those that earlier results hold."""
        asked = self._asked(said)
        lists = any((found := self._source(one)) and found.rows for one in tool.arguments)
        free = []
        for argument in tool.arguments:
            if self._source(argument):
                continue
            answers = asked is not None and (asked.tool, asked.name) == (argument.tool, argument.name)
            if argument.kind == "number" and not answers:
                if lists and (not words.changes(said.text) or self._picks_for(tool, said)):
                    continue
                if words.bare_number(said.text) is not None and asked is not None:
                    continue
            free.append(argument)
        mine = next((one for one in free if asked and one.name == asked.name and one.tool == asked.tool), asked)
        values = words.find(free, said.text, mine, self._story.today, words_of(self._topics))
        amount = next((one for one in free if one.kind == "number"), None)
        if (
            amount
            and amount.name not in values
            and words.everything(said.text)
            and any(one.kind == "choice" for one in free)
        ):
            values[amount.name] = ALL
        if asked and self._picked(asked, said):  # the name of an event is no city
            places = [one.name for one in free if one.kind == "place" and not one.origin]
            values = {name: value for name, value in values.items() if name not in places}
        return {} if words.stops(said.text) or words.wants_help(said.text) else values

    def _finished(self, tool: Function, call: Mapping[str, Any]) -> dict[str, Any]:
        """Typed, without what contradicts itself: nothing goes from an account to the same."""
        done: dict[str, Any] = {}
        for argument in tool.arguments:
            value = call.get(argument.name)
            twin = next(
                (one for one in tool.arguments if one.choices == argument.choices != () and one.name in done), None
            )
            if value in (None, "") or (twin and done[twin.name] == value):
                continue
            done[argument.name] = argument.typed(value)
        for argument in tool.arguments:
            if done.get(argument.name) == ALL and argument.kind == "number":
                named = [done[one.name] for one in tool.arguments if one.kind == "choice" and one.name in done]
                lists = [call.rows(name) for call in reversed(self._story.called) for name in call.result]
                amounts = [amount for rows in lists for name in named[:1] if (amount := results.whole(rows, name))]
                done.pop(argument.name)
                done |= {argument.name: amounts[0]} if amounts else {}
        return done

    def _missing(self, tool: Function, calls: Sequence[Mapping[str, Any]]) -> Argument | None:
        listed_first = sorted(tool.arguments, key=lambda one: not ((found := self._source(one)) and found.rows))
        return next((one for one in listed_first if one.required and any(one.name not in call for call in calls)), None)

    # What is picked from earlier results

    def _source(self, argument: Argument) -> Source | None:
        key = (argument.tool, argument.name)
        if key not in self._sources:
            self._sources[key] = results.source(argument, [call for call in self._story.called if self._is_done(call)])
        return self._sources[key]

    @cached_property
    def _sources(self) -> dict[tuple[str, str], Source | None]:
        return {}

    def _chosen(self, found: Source) -> list[tuple[int, str]]:
        """The rows that the person picked, by the newest words that do; the only one, if there is one."""
        rows = found.call.rows(found.rows)
        for said in reversed(self._story.said):
            question = said.at > found.call.at and words.inquires(said.text)
            if not question and (picked := self._rows_in(found, said)):
                return picked
        return [(0, "")] if len(rows) == 1 else []

    def _rows_in(self, found: Source, said: Said) -> list[tuple[int, str]]:
        rows, asked = found.call.rows(found.rows), self._asked(said)
        if said.at < found.call.at:
            used = " ".join(str(value) for value in found.call.arguments.values())
            left = re.sub(
                r"[^\W_]+", lambda word: "" if words.resembling({word[0].lower()}, used) else word[0], said.text
            )
            return results.pick(left, [results.label(row) for row in rows], here=False)
        here = bool(asked and (other := self._source(asked)) and other.rows == found.rows)
        newest = all(call.at <= found.call.at or call.at > said.at or not any(call.rows(name) for name in call.result) for call in self._story.called)  # fmt: skip
        if not here and asked is not None and not words.changes(said.text):
            return []
        picked = results.pick(said.text, rows, here=here or (asked is None and newest))
        flag = results.marked(rows)
        if not picked and here and flag and words.agrees(said.text) and _OTHER_ONE not in said.asked:
            return [(flag[0], "")]
        return picked

    def _picks_for(self, tool: Function, said: Said) -> bool:
        return any(self._picked(argument, said) for argument in tool.arguments)

    def _picked(self, argument: Argument, said: Said) -> bool:
        found = self._source(argument)
        return bool(found and found.rows and found.call.at < said.at and self._rows_in(found, said))

    def _asked(self, said: Said) -> Argument | None:
        """What we had asked for before these words."""
        if said.at not in self._asked_at:
            places = {one: said.asked.rfind(self._base(one)) for one in self._arguments}
            best = max(places, key=lambda one: places[one], default=None)
            self._asked_at[said.at] = best if best and places[best] >= 0 else None
        return self._asked_at[said.at]

    @cached_property
    def _asked_at(self) -> dict[int, Argument | None]:
        return {}

    def _tells(self, said: Said) -> bool:
        """The words hold something that a tool needs; a mere number only for the next one."""
        tools = self._functions.values()
        for tool in tools:
            values = self._values(tool, said)
            numbers = {one.name for one in tool.arguments if one.kind == "number"}
            if set(values) - (set() if tool == self._current else numbers) or self._picks_for(tool, said):
                return True
        dated = [tool for tool in tools if sum(one.kind == "date" for one in tool.arguments) > 1]
        return bool(dated and words.span(said.text, self._story.today))

    # Sentences

    def _base(self, argument: Argument) -> str:
        """The question for an argument, without choices."""
        found = self._source(argument)
        if found is None or not found.rows:
            return argument.question
        rows = found.call.rows(found.rows)
        if results.marked(rows):
            return self._shall(self._functions[argument.tool], " for it")
        if singular(found.rows) == argument.name or found.field in ("name", "title"):
            return argument.question
        return f"Which of these {sentences.spaced(found.rows)} would you like?"

    def _ask(self, argument: Argument) -> str:
        """The question; with choices where there are few, and where it has been asked before."""
        found, said = self._source(argument), self._story.fresh
        base = self._base(argument)
        again = bool(said and base in said.asked)
        if found and found.rows:
            rows = found.call.rows(found.rows)
            names = listed([f"{at}. {results.label(row)}" for at, row in enumerate(rows, 1)][:8])
            if flag := results.marked(rows):
                if said and words.refuses(said.text):
                    return (
                        f"{_OTHER_ONE} There are {names}. {base}"
                        if again and not said
                        else f"{_OTHER_ONE} There are {names}. You can also say stop."
                    )
                row = rows[flag[0]]
                return f"The {flag[1]} is {results.label(row)} for {row.get('price', '')} {row.get('currency', '')}. {base}"
            return f"{base} There are {names}." if again else base
        used = [value for call in self._fill(self._functions[argument.tool])[0] for value in call.values()]
        few = [one for one in argument.choices if one not in used]
        if argument.choices and (len(few) <= 5 or again):
            return f"{base} You can choose {listed(few)}." if few else base
        return f"{base} {argument.offer}".strip() if again or argument.kind == "email" else base

    def _question(self) -> str:
        """What waits for an answer, asked again."""
        tool = self._current
        if tool is None:
            return "Is there anything else I can do?"
        missing = self._fill(tool)[1]
        return self._ask(missing) if missing else self._shall(tool)

    def _shall(self, tool: Function, about: str = "") -> str:
        return f"Shall I {sentences.phrase(tool.description)}{about}?"

    def _intro(self, missing: Argument) -> str:
        """A greeting, or what just came back where the question does not tell it."""
        if not self._story.said and not self._story.called:
            return f"Hello! {self._abilities()}"
        returned = self._story.returned
        if returned is None or not returned.done:
            return ""
        found = self._source(missing)
        return (
            ""
            if found and found.rows and results.marked(found.call.rows(found.rows))
            else results.tell_result(returned)
        )

    def _objection(self, tool: Function, calls: Sequence[Mapping[str, Any]]) -> str:
        """Why a call like the last one is not simply made again, and what to say instead; "" = nothing against it."""
        last = self._last(tool.name)
        if last is None or self._is_done(last) or last.outcome.get("withdrawn"):
            return ""
        if any(not self._is_same(call, last) for call in calls):
            return ""
        if any(words.agrees(said.text) for said in self._story.said if said.at > last.at):
            return ""
        if last.outcome.get("declined"):
            return "All right, I did not do that. What would you like to change? You can also say stop."
        note = str(last.outcome.get("error") or last.result.get("note") or "Nothing was found.")
        asked = self._at_fault(tool, last, note)
        return f"{note.split(' Call it again')[0].rstrip('.')}. {self._ask(asked) if asked else 'What would you like to change?'}"

    def _at_fault(self, tool: Function, last: Called, note: str) -> Argument | None:
        """The argument whose value an error names, else the first that a person can change."""
        free = [one for one in tool.arguments if not self._source(one)]
        plain = note.replace(",", "")
        named = [
            one for one in free if re.search(rf"(?<!\w){re.escape(str(last.arguments.get(one.name)))}(?!\w)", plain)
        ]
        numbers = [one for one in named if one.kind == "number"]
        return next(iter([*numbers, *named, *free]), None)

    def _abilities(self) -> str:
        told = [sentences.phrase(tool.description) for tool in self._functions.values()]
        return f"I can {listed(told, 'and')}." if told else "I have no tools here."

    @cached_property
    def _topics(self) -> str:
        return " ".join([self._story.title, self._story.about, *(f"{sentences.spaced(one.name)} {one.description}" for one in self._functions.values())])  # fmt: skip

    def _content(self, text: str) -> set[str]:
        return {word for word in re.findall(r"[^\W_]{3,}", text.lower()) if not words.is_common(word)}

    def _about_a_row(self, said: Said) -> str:
        """A question about something in a list that waits for a pick is answered from it."""
        asked = self._asked(said)
        found = self._source(asked) if asked else None
        if asked is None or not found or not found.rows or not self._picked(asked, said):
            return ""
        row = found.call.rows(found.rows)[self._rows_in(found, said)[0][0]]
        return f"{results.tell(row)}." if isinstance(row, dict) else ""

    def _is_offer(self, said: Said) -> bool:
        """Something is done, and what was asked is no choice of what was found: a plain no declines to go on."""
        asked = self._asked(said)
        found = self._source(asked) if asked else None
        return (
            asked is not None and not (found and found.rows) and any(self._is_done(call) for call in self._story.called)
        )

    def _closing(self) -> str:
        """Names the reference and the link of the last result."""
        done = [call for call in self._story.called if self._is_done(call)]
        result = done[-1].result if done else {}
        name = next((key for key in ("reference", "confirmation", "number", "code", "id") if result.get(key)), "")
        link = next((str(value) for value in result.values() if str(value).startswith("http")), "")
        told = [f"the {name} is {result[name]}"] if name else []
        told += [f"the link is {link}"] if link else []
        return f"All done{': ' if told else ''}{' and '.join(told)}. Thank you, and goodbye!"

    def _other_goal(self, text: str) -> str:
        """Another goal that the person names, by more than it shares with this one."""
        which = (self._built_in.get("switch_goal", {}).get("parameters") or {}).get("properties", {}).get("goal", {})
        titles = dict(part.partition(": ")[::2] for part in str(which.get("description", "")).split("; "))
        here, said = words_of(self._story.title), words_of(text)
        names = {name: words_of(f"{name.replace('_', ' ')} {titles.get(name, '')}") for name in which.get("enum", [])}
        names = {name: about for name, about in names.items() if said & about - here}
        best: str = max(names, key=lambda name: len(said & names[name]), default="")
        return best if best and len(said & names[best]) >= (1 if words.changes(text) else 2) else ""

    def _call(self, tool: str, message: str, **arguments: str) -> Move:
        """A built-in tool, or its words where it is not offered."""
        return Move(calls=[(tool, {**arguments, "message": message})]) if tool in self._built_in else Move(message)
