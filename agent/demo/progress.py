"""Where a chat stands: which tool is next, and what was asked."""

from collections.abc import Sequence

from agent import sentences
from agent.demo import results, words
from agent.demo.arguments import Argument, Function
from agent.demo.form import Form
from agent.demo.names import resembling
from agent.demo.sources import Sources
from agent.demo.transcript import Called, Said, Transcript


class Progress:
    """Folds the events of a chat. asked: what the newest words answer; intent: the tool they ask for; wanted: the
    newest intent that is not done yet; agreed: since the last call."""

    def __init__(self, story: Transcript, tools: Sequence[Function]) -> None:
        self._arguments = [argument for tool in tools for argument in tool.arguments]
        self.sources = Sources(self._arguments)
        self.forms = {tool.name: Form(tool, self.sources, story.today) for tool in tools}
        self.newest: Called | None = None
        self.asked: Argument | None = None
        self.intent: Form | None = None
        self.wanted: Form | None = None
        self.agreed = self._news = False
        self._texts: list[str] = []
        for event in story.events:
            if isinstance(event, Called):
                self._note(event)
            else:
                self._hear(event)

    def _note(self, call: Called) -> None:
        if not (form := self.forms.get(call.tool)):
            return
        done = self.is_done(call)
        self.newest, self.agreed = call, False
        form.note(call, done=done)
        if done:
            self.sources.add(call, self._texts)
            self.wanted, self._news = None if self.wanted == form else self.wanted, False

    def _hear(self, said: Said) -> None:
        self.asked, self.intent = self._answered(said), None
        self.agreed = self.agreed or words.means(said.text, "agrees")
        self._texts.append(said.text)
        if words.means(said.text, "stops", "enough", "wants_help"):
            return
        self.sources.hear(said, self.asked)
        for form in self.forms.values():
            form.hear(said, self.asked)
        self._news = self._news or self.tells()
        self.intent = self._intended(said)
        self.wanted = self.intent or self.wanted

    def _answered(self, said: Said) -> Argument | None:
        """What we had asked for before these words; a welcome asks for what comes first."""
        places = {one: said.asked.rfind(self.question(one)) for one in self._arguments}
        best = max(places, key=lambda one: places[one], default=None)
        first = next((one for one in self._arguments if one.required), None)
        return best if best and places[best] >= 0 else first if "?" in said.asked and not self.newest else None

    def _intended(self, said: Said) -> Form | None:
        """The only tool whose own words are in the message, where that is no answer to what was asked."""
        form = self.forms[self.asked.tool] if self.asked else None
        if self.asked and form and (self.asked.name in form.told or self.sources.has_picked(form.tool)):
            return None
        scores: dict[str, int] = {}
        for name, form in self.forms.items():
            others = [word for other in self.forms.values() if other != form for word in other.tool.words]
            own = words.content(" ".join(form.tool.words.difference(others)))
            scores[name] = len(resembling(words.content(said.text), " ".join(own)))
        best = max(scores.values(), default=0)
        named = [self.forms[name] for name, score in scores.items() if score == best and best]
        if len(named) == 1:
            return named[0] if not named[0].done or words.means(said.text, "inquires") else None
        return next((form for form in self.forms.values() if form.told and not form.done and not form.missing()), None)

    def current(self) -> Form | None:
        """The tool after the newest that is done, unless words since then ask for another, or change an earlier one."""
        order = list(self.forms.values())
        place = order.index(self.forms[self.sources.done[-1].tool]) + 1 if self.sources.done else 0
        changed = [form for form in order[:place] if form.touched and form.done and not form.repeats(form.done)]
        if changed:
            return changed[0]
        return self._needed_first(self.wanted) if self.wanted else order[place] if place < len(order) else None

    def _needed_first(self, form: Form) -> Form:
        """The tool, or an earlier one that still has to give it something."""
        known, order = form.calls()[0], list(self.forms.values())
        missing = [one for one in form.tool.arguments if one.required and one.name not in known]
        for place, earlier in enumerate(order[: order.index(form)]):
            needs = {one.name for one in earlier.tool.arguments if one.required}
            about = words.words_of(sentences.spaced(earlier.tool.name))
            gives = any(words.words_of(one.about) & about and one.name not in needs for one in missing)
            if not earlier.done and (gives or (place == 0 and needs <= {one.name for one in form.tool.arguments})):
                return self._needed_first(earlier)
        return form

    def tells(self) -> bool:
        """The newest words hold something that a tool needs; a mere number only for the next one."""
        forms, current = self.forms.values(), self.current()
        told = [one.told.keys() - {each.name for each in one.of_kind("number") if one != current} for one in forms]
        return any(told) or any(self.sources.has_picked(form.tool) for form in forms)

    def is_done(self, call: Called) -> bool:
        """It came to something: a list that a later tool needs is not empty."""
        others = [argument for argument in self._arguments if argument.tool != call.tool]
        empty = [name for name, rows in call.result.items() if rows == []]
        return call.done and not any(results.is_needed(name, others) for name in empty)

    def is_offer(self) -> bool:
        """Something is done, and nothing is said yet of what is next: a plain no declines to go on."""
        return bool(self.sources.done and self.asked and not self.sources.rows(self.asked) and not self._news)

    def question(self, argument: Argument) -> str:
        """The question for an argument, without choices."""
        found = self.sources.of(argument)
        if found is None or not found.rows:
            return argument.question
        if results.marked(found.listing):
            return self.forms[argument.tool].tool.shall(" for it")
        if words.singular(found.rows) == argument.name or found.field in ("name", "title"):
            return argument.question
        return f"Which of these {sentences.spaced(found.rows)} would you like?"
