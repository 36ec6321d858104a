"""What the demo model does next: a call of the next tool, or a question for what it needs."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agent import sentences
from agent.demo import results, words
from agent.demo.arguments import Argument, function_of, listed, offered
from agent.demo.dates import DAY_WORDS
from agent.demo.names import resembling
from agent.demo.progress import Progress
from agent.demo.sources import OTHER_ONE
from agent.demo.transcript import REFUSAL, Called, Said, read
from agent.prompts import GOAL_REACHED, PERSON_STOPS

_BUILT_IN = ("finish", "off_goal", "switch_goal")
_MORE = "Is there anything else I can do?"
_NOT_DONE = "All right, I did not do that. What would you like to change? You can also say stop."
_POLITE = {"thanks": "You are welcome!", "greets": "Hello!", "swears": "I am sorry about that."}


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
        self._tools = [function_of(one) for name, one in offered.items() if name not in _BUILT_IN]
        self._at = Progress(self._story, self._tools)
        self._next = self._at.current()

    def move(self) -> Move:
        said = self._story.fresh
        if said is None:
            return self._go_on()
        text, card = said.text, self._at.forms.get(said.card)
        if card and words.means(text, "enough"):
            return Move(f"All right, nothing more. {card.tool.shall()} You can also say stop.")
        if words.means(text, "stops", "enough"):
            return self._call("finish", "All right, we stop here. Thank you, and goodbye!", reason=PERSON_STOPS)
        if words.means(text, "wants_help"):
            return Move(f"{self._abilities()} {self._question()}")
        if goal := self._other_goal(text):
            return self._call("switch_goal", "Shall we go on with that instead?", goal=goal)
        if words.means(text, "inquires") and self._at.intent is None and (told := self._facts(text)):
            return Move(f"{told}. {self._question()}")
        if self._at.intent or self._at.tells() or (words.means(text, "agrees") and "thank" not in text.lower()):
            return self._go_on()
        if words.means(text, "refuses"):
            return self._refused(said)
        for wish in _POLITE:
            if words.means(text, wish):
                asked = _MORE if wish == "thanks" and self._at.is_offer() else self._question()
                return Move(f"{_POLITE[wish]} {asked}")
        if words.means(text, "unsure") or self._fits(text) or not words.means(text, "states"):
            return Move(self._question())
        title = f" (“{self._story.title}”)" if self._story.title else ""
        return self._call("off_goal", f"{REFUSAL} what we are doing here{title}. {self._question()}")

    def _refused(self, said: Said) -> Move:
        """A plain no."""
        if said.card in self._at.forms:
            return Move(_NOT_DONE)
        if _MORE in said.asked:
            return self._call("finish", "All right, then that is all. Thank you, and goodbye!", reason=PERSON_STOPS)
        failed = self._at.newest and not self._at.is_done(self._at.newest)
        listed = self._at.asked and self._at.sources.rows(self._at.asked) and not self._marked(self._at.asked)
        return Move(f"All right. {_MORE}") if failed or listed or self._at.is_offer() else self._go_on()

    def _go_on(self) -> Move:
        """Call the tool that is next, or ask for what it needs."""
        returned, form = self._story.returned, self._next
        if form is None:
            return Move(_MORE) if self._story.fresh else self._call("finish", self._closing(), reason=GOAL_REACHED)
        missing = form.missing()
        if form.last and form.repeats(form.last):
            settled = not missing or (missing.kind == "number" and not self._at.sources.of(missing))
            if form.done == form.last and settled and form != self._at.wanted:
                return Move(f"{results.tell_result(returned) if returned else ''} {_MORE}".strip())
            if objection := self._objection(form.last):
                return Move(objection)
        if not missing and self._story.events:
            return Move(calls=[(form.tool.name, call) for call in form.calls()])
        told = returned and returned.done and not self._marked(missing) and results.tell_result(returned)
        greeting = "" if self._story.events else f"Hello! {self._abilities()}"
        return Move(f"{greeting or told or ''} {self._question()}".strip())

    # Sentences

    def _question(self) -> str:
        """What waits for an answer."""
        missing = self._next.missing() if self._next else None
        return self._ask(missing) if missing else self._next.tool.shall() if self._next else _MORE

    def _ask(self, argument: Argument) -> str:
        """The question; with choices where there are few, and where it has been asked before."""
        found, said, base = self._at.sources.of(argument), self._story.fresh, self._at.question(argument)
        if flag := self._marked(argument):
            row = found.listing[flag[0]] if found else {}
            if said and words.means(said.text, "refuses"):
                return f"{OTHER_ONE} {self._offer(argument)} You can also say stop."
            return f"The {flag[1]} is {results.label(row)} for {row.get('price', '')} {row.get('currency', '')}. {base}"
        again = said and (base in said.asked or words.means(said.text, "unsure"))
        few = not found and (0 < len(argument.choices) <= 5 or argument.kind == "email")
        return f"{base} {self._offer(argument)}".strip() if again or few else base

    def _offer(self, argument: Argument) -> str:
        """The choices or examples, in words."""
        if (found := self._at.sources.of(argument)) and found.rows:
            names = [f"{at}. {results.label(row)}" for at, row in enumerate(found.listing, 1)][:8]
            return f"You can choose {offered(names)}."
        used = [value for call in self._at.forms[argument.tool].calls() for value in call.values()]
        if free := [one for one in argument.choices if one not in used]:
            return f"You can choose {offered(free)}."
        return f"For example {offered(argument.examples[:4])}." if argument.examples else ""

    def _marked(self, argument: Argument | None) -> tuple[int, str] | None:
        found = self._at.sources.of(argument) if argument else None
        return results.marked(found.listing) if found and found.rows else None

    def _objection(self, last: Called) -> str:
        """Why the last call is not simply made again, and what to say instead; "" = nothing against it."""
        if self._at.is_done(last) or last.outcome.get("withdrawn") or self._at.agreed:
            return ""
        if last.outcome.get("declined"):
            return _NOT_DONE
        note = str(last.outcome.get("error") or last.result.get("note") or "Nothing was found.")
        asked = self._at_fault(last, note)
        return f"{note.split(' Call it again')[0].rstrip('.')}. {self._ask(asked) if asked else 'What would you like to change?'}"

    def _at_fault(self, last: Called, note: str) -> Argument | None:
        """The argument whose value an error names, amounts before others and picks last; else the first of all."""
        picks = {one: self._at.sources.of(one) is not None for one in self._at.forms[last.tool].tool.arguments}
        ordered = sorted(picks, key=lambda one: (picks[one], one.kind != "number"))
        said = {one: re.escape(str(last.arguments.get(one.name))) for one in ordered}
        named = [one for one in ordered if re.search(rf"(?<!\w){said[one]}(?!\w)", note.replace(",", ""))]
        return next(iter(named or [one for one in ordered if not picks[one]]), None)

    def _abilities(self) -> str:
        told = [sentences.phrase(tool.description) for tool in self._tools]
        return f"I can {listed(told, 'and')}." if told else "I have no tools here."

    def _closing(self) -> str:
        """Names the reference and the link of the last result."""
        result = self._at.sources.done[-1].result if self._at.sources.done else {}
        name = next((key for key in ("reference", "confirmation", "number", "code", "id") if result.get(key)), "")
        link = next((str(value) for value in result.values() if str(value).startswith("http")), "")
        told = [f"the {name} is {result[name]}"] if name else []
        told += [f"the link is {link}"] if link else []
        return f"All done{': ' if told else ''}{' and '.join(told)}. Thank you, and goodbye!"

    # What a message is about

    def _facts(self, text: str) -> str:
        """A question about a row of a list that waits for a pick, or about what came back last, is answered from it."""
        found = self._at.sources.of(self._at.asked) if self._at.asked else None
        if found and found.rows:
            picked = self._at.sources.picked.get(found.rows)
            row = found.listing[picked[0][0]] if picked else None
            return results.tell(row) if isinstance(row, dict) else ""
        refers = self._at.sources.done and words.means(text, "refers")
        return results.tell_result(self._at.sources.done[-1]).rstrip(".") if refers else ""

    def _fits(self, text: str) -> bool:
        """It is about the goal or its tools, about days where a tool needs days, or a question about what is here."""
        if DAY_WORDS.search(text) and any(form.of_kind("date") for form in self._at.forms.values()):
            return True
        if words.means(text, "inquires") and (words.means(text, "refers") or not words.content(text)):
            return True
        tools = (f"{sentences.spaced(one.name)} {one.description}" for one in self._tools)
        return bool(resembling(words.content(text), " ".join([self._story.goal, *tools])))

    def _other_goal(self, text: str) -> str:
        """Another goal that the person names, by more than it shares with this one."""
        which = (self._built_in.get("switch_goal", {}).get("parameters") or {}).get("properties", {}).get("goal", {})
        titles = dict(part.partition(": ")[::2] for part in str(which.get("description", "")).split("; "))
        here, said = words.words_of(self._story.title), words.words_of(text)
        abouts = {
            name: words.words_of(f"{name.replace('_', ' ')} {titles.get(name, '')}") for name in which.get("enum", [])
        }
        shared = {name: len(said & about) for name, about in abouts.items() if said & about - here}
        best: str = max(shared, key=lambda name: shared[name], default="")
        return best if best and shared[best] >= (1 if words.means(text, "changes") else 2) else ""

    def _call(self, tool: str, message: str, **arguments: str) -> Move:
        """A built-in tool, or its words where it is not offered."""
        return Move(calls=[(tool, {**arguments, "message": message})]) if tool in self._built_in else Move(message)
