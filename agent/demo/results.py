"""What earlier calls returned: which row of a list is meant, how it is told."""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from agent.demo import words
from agent.demo.arguments import Argument, listed
from agent.demo.names import mentions
from agent.demo.numbers import numbers, ordinals
from agent.demo.transcript import Called
from agent.demo.words import singular
from agent.sentences import day, spaced

_NAMES = ("name", "title", "label", "item", "subject")
_MONEY = ("price", "total", "amount", "balance", "cost", "moved", "refunded")
_SUPERLATIVES = (("cheapest|lowest|least expensive", False), ("most expensive|highest|dearest", True))
_AND = re.compile(r"[,;&+]|\b(?:and|plus|also)\b", re.I)
Pick = tuple[int, str]
"""A row of a list, by its place from 0, and the count said beside it."""


def is_needed(rows: str, arguments: Sequence[Argument]) -> bool:
    """Some argument takes something from a list of this name, so an empty one leads nowhere."""
    named = re.compile(rf"\bof (?:the|an?|one|each) (?:\w+ )?{re.escape(singular(rows))}\b")
    return any(named.search(one.about) for one in arguments)


def marked(rows: Sequence[Any]) -> tuple[int, str] | None:
    """The one row that a flag of its own sets apart, and the flag: (0, "cheapest")."""
    flags = [(name, at) for at, row in enumerate(rows) if isinstance(row, dict) for name in row if row[name] is True]
    alone = [(at, spaced(name)) for name, at in flags if [other for other, _ in flags].count(name) == 1]
    return alone[0] if alone and len(rows) > 1 else None


def pick(text: str, rows: Sequence[Any], *, here: bool) -> list[Pick]:
    """The rows that a message picks. here: it answers the question which."""
    if here and words.means(text, "everything", *(["both"] if len(rows) == 2 else [])):
        return [(at, (numbers(text) or [""])[0]) for at in range(len(rows))]
    if here and words.is_anything(text):
        return [(0, "")]
    if here and (ranked := [at for part in _AND.split(text) for at in _ranked(part, rows)]):
        return [(at, "") for at in ranked if at >= 0]
    if here and (places := ordinals(text, len(rows), bare=True)):
        return [(at, "") for at in places]
    named = mentions(text, tuple(map(label, rows))) or (mentions(text, tuple(map(_all, rows))) if here else [])
    ends = [0, *(end for _, end, _ in named)]
    starts = [*(start for start, _, _ in named[1:]), len(text)]
    found: dict[int, str] = {}
    for before, after, (start, end, at) in zip(ends, starts, named, strict=False):
        beside = f"{_AND.split(text[before:start])[-1]}_{_AND.split(text[end:after])[0]}"
        found[at] = (numbers(beside) or [found.get(at, "")])[0]
    return list(found.items())


def _ranked(text: str, rows: Sequence[Any]) -> list[int]:
    """The place of `the cheapest`, `the second cheapest`; -1 for `not the cheapest`."""
    flag = marked(rows)
    for names, down in [*_SUPERLATIVES, *([(flag[1], False)] if flag else [])]:
        if not (match := re.search(rf"(?P<no>\b(?:not|n't)\b.*)?(?:(?P<nth>\w+)[\s-]+)?\b(?:{names})\b", text, re.I)):
            continue
        prices = [price for row in rows if (price := amount(row)) is not None]
        if match["no"]:
            return [-1]
        if len(prices) < len(rows):
            return [flag[0]] if flag and flag[1] == names else []
        order = sorted(range(len(rows)), key=prices.__getitem__, reverse=down)
        return [order[(ordinals(match["nth"] or "", len(order)) or [0])[0]]]
    return []


def label(row: Any) -> str:
    """What a row is called."""
    if not isinstance(row, dict):
        return str(row)
    named = next((row[name] for name in _NAMES if row.get(name)), None)
    return str(named or next((value for value in row.values() if isinstance(value, str)), ""))


def _all(row: Any) -> str:
    return " ".join(str(value) for value in (row.values() if isinstance(row, dict) else [row]))


def amount(row: Any) -> Decimal | None:
    """The amount of money of a row."""
    return next((_number(row[name]) for name in _MONEY if name in row), None) if isinstance(row, dict) else None


def amount_of(called: Sequence[Called], named: str) -> Decimal | None:
    """The newest amount of the row of this name: the balance of an account."""
    rows = [row for call in reversed(called) for name in call.result for row in call.rows(name)]
    return next(
        (found for row in rows if label(row).lower() == named.lower() and (found := amount(row)) is not None), None
    )


def same(value: Any, other: Any) -> bool:
    """Equal to a person: 250 and 250.00, march and March."""
    first, second = _number(value), _number(other)
    return first == second if None not in (first, second) else str(value).strip().lower() == str(other).strip().lower()


def _number(value: Any) -> Decimal | None:
    try:
        return None if isinstance(value, bool) else Decimal(str(value))
    except InvalidOperation:
        return None


def tell(row: Mapping[str, Any]) -> str:
    """A result, or a row of it, in words: `Wool blanket: order 1047, status on its way`."""
    told = []
    for name, value in row.items():
        if isinstance(value, bool | list | dict) or value is None or name == "currency" or str(value) in label(row):
            continue
        currency = f" {row['currency']}" if row.get("currency") and name in _MONEY else ""
        told.append(f"{spaced(name)} {day(value) or value}{currency}")
    return f"{label(row)}: {listed(told, 'and')}" if told else label(row)


def tell_result(call: Called) -> str:
    """What came back, in a sentence or two; "" where there is nothing to say."""
    if note := str(call.result.get("note") or ""):
        return f"{note.rstrip('.')}."
    for name in call.result:
        rows = [row for row in call.rows(name) if amount(row) is not None]
        if 0 < len(rows) == len(call.rows(name)) <= 3:
            held = [f"{label(row)} {amount(row)} {row.get('currency', '')}".strip() for row in rows]
            return f"Here is what there is: {listed(held, 'and')}."
    flat = {name: value for name, value in call.result.items() if not isinstance(value, list | dict)}
    return f"{tell(flat)}." if 2 < len(flat) == len(call.result) else ""
