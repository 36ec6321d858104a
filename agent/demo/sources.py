"""Where arguments find their values in what earlier calls returned, and which rows of a list the person picked."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from agent.demo import results, words
from agent.demo.arguments import Argument, Function
from agent.demo.names import resembling
from agent.demo.numbers import ordinals
from agent.demo.results import Pick
from agent.demo.transcript import Called, Said
from agent.demo.words import singular, words_of
from agent.sentences import spaced

OTHER_ONE = "Which one would you like then?"
_ANYTHING = ("description", "name", "title", "note", "status", "text", "message")
"""Names so common that two fields of this name need not mean the same."""


@dataclass(frozen=True, eq=False)
class Source:
    """A field of a call, or of the rows of its result's list `rows`."""

    call: Called
    field: str
    rows: str = ""

    @property
    def value(self) -> Any:
        return self.call.result.get(self.field, self.call.arguments.get(self.field))

    @property
    def listing(self) -> list[Any]:
        return self.call.rows(self.rows)

    def in_row(self, at: int) -> Any:
        row = self.listing[at]
        return row.get(self.field) if isinstance(row, dict) else row


class Sources:
    """done: the calls that came to something; picked: rows of lists, by the newest words."""

    def __init__(self, arguments: Sequence[Argument]) -> None:
        self.done: list[Called] = []
        self.picked: dict[str, list[Pick]] = {}
        self._arguments = arguments
        self._chosen: dict[str, list[Pick]] = {}
        self._found: dict[Argument, Source | None] = {}

    def add(self, call: Called, texts: Sequence[str]) -> None:
        """A call that is done. texts: what was said before it, which may name rows of its lists already."""
        self.done.append(call)
        self._found.clear()
        used = " ".join(map(str, call.arguments.values()))
        for rows in call.result:
            self._chosen.pop(rows, None)
            for text in texts:
                left = " ".join(word for word in text.split() if not resembling(words_of(word), used))
                if picks := results.pick(left, call.rows(rows), here=False):
                    self._chosen[rows] = picks

    def hear(self, said: Said, asked: Argument | None) -> None:
        newest = next((call for call in reversed(self.done) if any(map(call.rows, call.result))), None)
        lists = {found.rows: found for one in self._arguments if (found := self.of(one)) and found.rows}
        self.picked = {}
        for name, found in lists.items():
            here = asked is not None and self.rows(asked) == name
            if asked and not here:
                here = asked.kind == "place" and ordinals(said.text, len(found.listing)) != []
                same = asked.kind == "number" and any(
                    self.rows(one) == name for one in self._arguments if one.tool == asked.tool
                )
                if not (here or same or words.means(said.text, "changes")):
                    continue
            picks = results.pick(said.text, found.listing, here=here or (asked is None and found.call == newest))
            flag = results.marked(found.listing)
            if not picks and here and flag and words.means(said.text, "agrees") and OTHER_ONE not in said.asked:
                picks = [(flag[0], "")]
            self.picked |= {name: picks} if picks else {}
        if not words.means(said.text, "inquires"):
            self._chosen |= self.picked

    def of(self, argument: Argument) -> Source | None:
        """The newest place that its description names ("the start of the event"), or that has its name."""
        if argument not in self._found:
            ranked = [one for call in self.done if call.tool != argument.tool for one in _ranks(argument, call)]
            best = max(ranked, key=lambda one: (one[0], self.done.index(one[1].call)), default=None)
            self._found[argument] = best[1] if best and best[0] else None
        return self._found[argument]

    def rows(self, argument: Argument) -> str:
        """The name of the list that holds it, "" if none does."""
        found = self.of(argument)
        return found.rows if found else ""

    def chosen(self, found: Source) -> list[Pick]:
        """The rows that the person picked; the only one, if there is one."""
        return self._chosen.get(found.rows) or [(0, "")] * (len(found.listing) == 1)

    def has_picked(self, tool: Function) -> bool:
        """The newest words pick a row for it."""
        return any(self.rows(one) in self.picked for one in tool.arguments)


def _ranks(argument: Argument, call: Called) -> Iterator[tuple[int, Source]]:
    """Each field of a call, with how well it is what the argument wants."""
    named = int(argument.name not in _ANYTHING)
    yield from ((named, Source(call, name)) for name in call.arguments if name == argument.name)
    around = {*map(singular, call.result), *words_of(spaced(call.tool))}
    tables = {name: one[0] for name in call.result if (one := call.rows(name)) and isinstance(one[0], dict)}
    for rows, fields in {"": call.result.keys() - tables.keys(), **tables}.items():
        for name in fields:
            said = re.findall(rf"\bthe {re.escape(spaced(name))}\b( of (?:\w+ ){{0,4}}\w+)?", argument.about)
            owned = any(words_of(owner) & ({singular(rows)} if rows else around) for owner in said)
            rank = 3 if owned else 2 if not rows and "" in said else named if name == argument.name else 0
            yield rank, Source(call, name, rows)
