"""What the demo model does next: a call of the next tool, or a question for what it needs."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from agent import sentences
from agent.demo import results, words
from agent.demo.arguments import Argument, Function, function_of, listed, words_of
from agent.demo.dates import DAY_WORDS
from agent.demo.filling import OTHER_ONE, Filling, is_same, shall
from agent.demo.transcript import REFUSAL, Called, Said, read
from agent.prompts import GOAL_REACHED, PERSON_STOPS

_BUILT_IN = ("finish", "off_goal", "switch_goal")
_MORE = "Is there anything else I can do?"
_NOT_DONE = "All right, I did not do that. What would you like to change? You can also say stop."


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
        self._order = list(self._functions.values())
        self._filling = Filling(self._story, self._functions)

    def move(self) -> Move:
        said = self._story.fresh
        if said is None:
            return self._go_on()
        text = said.text
        if said.card in self._functions and words.means(text, "enough"):
            return Move(f"All right, nothing more. {shall(self._functions[said.card])} You can also say stop.")
        if words.means(text, "stops", "enough"):
            return self._call("finish", "All right, we stop here. Thank you, and goodbye!", reason=PERSON_STOPS)
        if words.means(text, "wants_help"):
            return Move(f"{self._abilities()} {self._question()}")
        if goal := self._other_goal(text):
            return self._call("switch_goal", "Shall we go on with that instead?", goal=goal)
        intent = self._intent(said)
        if words.means(text, "inquires") and intent is None and (told := self._facts(said)):
            return Move(f"{told}. {self._question()}")
        if intent or self._filling.tells(said, self._current) or words.means(text, "agrees"):
            return self._go_on()
        if words.means(text, "refuses"):
            return self._refused(said)
        for wish, answer in (
            ("thanks", "You are welcome!"),
            ("greets", "Hello!"),
            ("swears", "I am sorry about that."),
        ):
            if words.means(text, wish):
                return Move(f"{answer} {_MORE if wish == 'thanks' and self._is_offer(said) else self._question()}")
        if self._fits(said) or not words.is_sentence(text):
            return Move(self._question())
        title = f" (“{self._story.title}”)" if self._story.title else ""
        return self._call("off_goal", f"{REFUSAL} what we are doing here{title}. {self._question()}")

    def _refused(self, said: Said) -> Move:
        """A plain no."""
        if said.card in self._functions:
            return Move(_NOT_DONE)
        if _MORE in said.asked:
            return self._call("finish", "All right, then that is all. Thank you, and goodbye!", reason=PERSON_STOPS)
        failed = self._story.called and not self._filling.is_done(self._story.called[-1])
        return Move(f"All right. {_MORE}") if failed or self._is_offer(said) else self._go_on()

    def _go_on(self) -> Move:
        """Call the tool that is next, or ask for what it needs."""
        said, returned, tool = self._story.fresh, self._story.returned, self._current
        if tool is None:
            return Move(_MORE) if said else self._call("finish", self._closing(), reason=GOAL_REACHED)
        calls, missing, last = self._filling.calls(tool), self._filling.missing(tool), self._filling.last(tool.name)
        settled = not missing or (missing.kind == "number" and not self._filling.source(missing))
        repeats = last is not None and all(is_same(call, last) for call in calls)
        if last and self._filling.is_done(last) and settled and repeats and tool != self._wanted:
            return Move(f"{results.tell_result(returned) if returned else ''} {_MORE}".strip())
        if last and repeats and (objection := self._objection(last)):
            return Move(objection)
        if missing:
            return Move(f"{self._intro(missing)} {self._ask(missing)}".strip())
        if not self._story.said and not self._story.called:
            return Move(f"Hello! {self._abilities()} {shall(tool)}")
        return Move(calls=[(tool.name, call) for call in calls])

    # Which tool is next

    @cached_property
    def _done(self) -> list[Called]:
        return [call for call in self._story.called if self._filling.is_done(call)]

    @cached_property
    def _current(self) -> Function | None:
        """The tool after the newest that is done, unless words since then ask for another, or change an earlier one."""
        place = self._order.index(self._functions[self._done[-1].tool]) + 1 if self._done else 0
        for tool in self._order[:place]:
            if self._filling.is_reopened(tool):
                return tool
        if self._wanted:
            return self._needed_first(self._wanted)
        return self._order[place] if place < len(self._order) else None

    @cached_property
    def _wanted(self) -> Function | None:
        """The tool that the person asked for, until it is done."""
        for said in reversed(self._story.said):
            if wanted := self._intent(said):
                done = any(call.tool == wanted.name and call.at > said.at for call in self._done)
                return None if done else wanted
        return None

    def _intent(self, said: Said) -> Function | None:
        """The only tool whose own words are in the message, where that is no answer to what was asked."""
        asked = self._filling.asked(said)
        if asked and asked.name in self._filling.values(self._functions[asked.tool], said):
            return None
        if asked and self._filling.picks_for(self._functions[asked.tool], said):
            return None
        scores: dict[Function, int] = {}
        for tool in self._order:
            others = [other.words for other in self._order if other != tool]
            own = [word for word in tool.words if not any(word in other for other in others)]
            scores[tool] = len(words.resembling(words.content(said.text), " ".join(words.content(" ".join(own)))))
        best = max(scores.values(), default=0)
        named = [tool for tool, score in scores.items() if score == best and best]
        if len(named) != 1:
            return None
        done = any(call.tool == named[0].name and call.at < said.at for call in self._done)
        return named[0] if not done or words.means(said.text, "inquires") else None

    def _needed_first(self, tool: Function) -> Function:
        """The tool, or an earlier one that still has to give it something."""
        known = self._filling.calls(tool)[0]
        missing = [argument for argument in tool.arguments if argument.required and argument.name not in known]
        for place, earlier in enumerate(self._order[: self._order.index(tool)]):
            if any(call.tool == earlier.name for call in self._done):
                continue
            needs = {argument.name for argument in earlier.arguments if argument.required}
            about = words_of(sentences.spaced(earlier.name))
            gives = any(words_of(argument.about) & about and argument.name not in needs for argument in missing)
            if gives or (place == 0 and needs <= {argument.name for argument in tool.arguments}):
                return self._needed_first(earlier)
        return tool

    # Sentences

    def _ask(self, argument: Argument) -> str:
        """The question; with choices where there are few, and where it has been asked before."""
        found, said = self._filling.source(argument), self._story.fresh
        base = self._filling.question(argument)
        again = bool(said and base in said.asked)
        if found and found.rows:
            rows = found.call.rows(found.rows)
            names = listed([f"{at}. {results.label(row)}" for at, row in enumerate(rows, 1)][:8])
            flag = results.marked(rows)
            if flag and said and words.means(said.text, "refuses"):
                return f"{OTHER_ONE} There are {names}. You can also say stop."
            if flag:
                row = rows[flag[0]]
                return f"The {flag[1]} is {results.label(row)} for {row.get('price', '')} {row.get('currency', '')}. {base}"
            return f"{base} There are {names}." if again else base
        used = [value for call in self._filling.calls(self._functions[argument.tool]) for value in call.values()]
        few = [one for one in argument.choices if one not in used]
        if argument.choices and (len(few) <= 5 or again):
            return f"{base} You can choose {listed(few)}." if few else base
        return f"{base} {argument.offer}".strip() if again or argument.kind == "email" else base

    def _question(self) -> str:
        """What waits for an answer, asked again."""
        if self._current is None:
            return _MORE
        missing = self._filling.missing(self._current)
        return self._ask(missing) if missing else shall(self._current)

    def _intro(self, missing: Argument) -> str:
        """A greeting, or what just came back where the question does not tell it."""
        if not self._story.said and not self._story.called:
            return f"Hello! {self._abilities()}"
        returned, found = self._story.returned, self._filling.source(missing)
        told_later = found and found.rows and results.marked(found.call.rows(found.rows))
        return results.tell_result(returned) if returned and returned.done and not told_later else ""

    def _objection(self, last: Called) -> str:
        """Why the last call is not simply made again, and what to say instead; "" = nothing against it."""
        if self._filling.is_done(last) or last.outcome.get("withdrawn"):
            return ""
        if any(words.means(said.text, "agrees") for said in self._story.said if said.at > last.at):
            return ""
        if last.outcome.get("declined"):
            return _NOT_DONE
        note = str(last.outcome.get("error") or last.result.get("note") or "Nothing was found.")
        asked = self._at_fault(last, note)
        return f"{note.split(' Call it again')[0].rstrip('.')}. {self._ask(asked) if asked else 'What would you like to change?'}"

    def _at_fault(self, last: Called, note: str) -> Argument | None:
        """The argument whose value an error names, amounts before others and picks last; else the first of all."""
        arguments = self._functions[last.tool].arguments
        free = [one for one in arguments if not self._filling.source(one)]
        ordered = sorted(free, key=lambda one: one.kind != "number") + [one for one in arguments if one not in free]
        said = {one: re.escape(str(last.arguments.get(one.name))) for one in ordered}
        named = [one for one in ordered if re.search(rf"(?<!\w){said[one]}(?!\w)", note.replace(",", ""))]
        return next(iter([*named, *free]), None)

    def _abilities(self) -> str:
        told = [sentences.phrase(tool.description) for tool in self._order]
        return f"I can {listed(told, 'and')}." if told else "I have no tools here."

    def _closing(self) -> str:
        """Names the reference and the link of the last result."""
        result = self._done[-1].result if self._done else {}
        name = next((key for key in ("reference", "confirmation", "number", "code", "id") if result.get(key)), "")
        link = next((str(value) for value in result.values() if str(value).startswith("http")), "")
        told = [f"the {name} is {result[name]}"] if name else []
        told += [f"the link is {link}"] if link else []
        return f"All done{': ' if told else ''}{' and '.join(told)}. Thank you, and goodbye!"

    # What a message is about

    def _facts(self, said: Said) -> str:
        """A question about a row of a list that waits for a pick, or about what came back last, is answered from it."""
        asked = self._filling.asked(said)
        found = self._filling.source(asked) if asked else None
        if found and found.rows:
            picked = self._filling.rows_in(found, said)
            row = found.call.rows(found.rows)[picked[0][0]] if picked else None
            return results.tell(row) if isinstance(row, dict) else ""
        if self._done and words.means(said.text, "refers"):
            return results.tell_result(self._done[-1]).rstrip(".")
        return ""

    def _fits(self, said: Said) -> bool:
        """It is about the goal or its tools, about days where days are asked for, or a question about what is here."""
        asked = self._filling.asked(said)
        if asked and asked.kind == "date" and DAY_WORDS.search(said.text):
            return True
        if words.means(said.text, "inquires") and (words.means(said.text, "refers") or not words.content(said.text)):
            return True
        tools = (f"{sentences.spaced(one.name)} {one.description}" for one in self._order)
        topics = " ".join([self._story.title, self._story.about, *tools])
        return bool(words.resembling(words.content(said.text), topics))

    def _is_offer(self, said: Said) -> bool:
        """Something is done, and nothing is said yet of what is next: a plain no declines to go on."""
        asked = self._filling.asked(said)
        found = self._filling.source(asked) if asked else None
        if asked is None or (found and found.rows) or not self._done:
            return False
        tool, since = self._functions[asked.tool], self._done[-1].at
        return not any(
            self._filling.values(tool, one) or self._filling.picks_for(tool, one)
            for one in self._story.said
            if one.at > since
        )

    def _other_goal(self, text: str) -> str:
        """Another goal that the person names, by more than it shares with this one."""
        which = (self._built_in.get("switch_goal", {}).get("parameters") or {}).get("properties", {}).get("goal", {})
        titles = dict(part.partition(": ")[::2] for part in str(which.get("description", "")).split("; "))
        here, said = words_of(self._story.title), words_of(text)
        names = {name: words_of(f"{name.replace('_', ' ')} {titles.get(name, '')}") for name in which.get("enum", [])}
        names = {name: about for name, about in names.items() if said & about - here}
        best: str = max(names, key=lambda name: len(said & names[name]), default="")
        return best if best and len(said & names[best]) >= (1 if words.means(text, "changes") else 2) else ""

    def _call(self, tool: str, message: str, **arguments: str) -> Move:
        """A built-in tool, or its words where it is not offered."""
        return Move(calls=[(tool, {**arguments, "message": message})]) if tool in self._built_in else Move(message)
