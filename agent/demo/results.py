"""What earlier calls returned: where an argument's value stands in it, which row of a list is meant, how it is told."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from agent.demo import words
from agent.demo.arguments import Argument, listed, singular, words_of
from agent.demo.numbers import numbers, ordinals
from agent.demo.transcript import Called
from agent.sentences import spaced

_NAMES = ("name", "title", "label", "item", "subject")
_ANYTHING = ("description", "name", "title", "note", "status", "text", "message")
"""Names so common that two fields of this name need not mean the same."""
_SUPERLATIVES = (("cheapest|lowest|least expensive", False), ("most expensive|highest|dearest", True))


@dataclass(frozen=True)
class Source:
    """A field of a call's result, or of the rows of its list `rows`."""

    call: Called
    field: str
    rows: str = ""


def source(argument: Argument, called: Sequence[Called]) -> Source | None:
    """The newest place that the argument's description names ("the start of the event"), or that has its name."""
    best: tuple[int, int, Source] | None = None
    for call in called:
        if not call.done or call.tool == argument.tool:
            continue
        lists = {name: call.rows(name)[0] for name in call.result if isinstance((call.rows(name) or [0])[0], dict)}
        for rows, fields in {"": {**call.arguments, **call.result}, **lists}.items():
            for name in fields:
                if name in lists and not rows:
                    continue
                told = rows != "" or name in call.result
                rank = (
                    _rank(argument, name, rows, {*words_of(spaced(call.tool)), *call.result})
                    if told
                    else int(name == argument.name)
                )
                if rank and (best is None or (rank, call.at) > best[:2]):
                    best = rank, call.at, Source(call, name, rows)
    return best[2] if best else None


def _rank(argument: Argument, name: str, rows: str, around: set[str]) -> int:
    containers = {singular(rows)} if rows else {singular(one) for one in around}
    field = re.escape(spaced(name))
    for owner in re.findall(rf"\bthe {field} of ((?:\w+ ){{0,4}}\w+)", argument.about):
        if containers & words_of(owner):
            return 3
    if not rows and re.search(rf"\bthe {field}\b(?! of)", argument.about):
        return 2
    return 1 if name == argument.name and name not in _ANYTHING else 0


def is_needed(rows: str, arguments: Sequence[Argument]) -> bool:
    """Some argument takes something from a list of this name, so an empty one leads nowhere."""
    return any(
        re.search(rf"\bof (?:the|an?|one|each) (?:\w+ )?{re.escape(singular(rows))}\b", one.about) for one in arguments
    )


def marked(rows: Sequence[Any]) -> tuple[int, str] | None:
    """The one row that a flag of its own sets apart, and the flag: (0, "cheapest")."""
    flags = {name for row in rows if isinstance(row, dict) for name, value in row.items() if value is True}
    for flag in sorted(flags):
        at = [number for number, row in enumerate(rows) if isinstance(row, dict) and row.get(flag) is True]
        if len(at) == 1 and len(rows) > 1:
            return at[0], spaced(flag)
    return None


def pick(text: str, rows: Sequence[Any], *, here: bool) -> list[tuple[int, str]]:
    """The rows that a message picks, each with the count said beside it. here: it answers the question which."""
    found: dict[int, str] = {}
    if here and words.means(text, "everything", *(["both"] if len(rows) == 2 else [])):
        found = dict.fromkeys(range(len(rows)), (numbers(text) or [""])[0])
    elif here and words.is_anything(text):
        found = {0: ""}
    elif here and (places := ordinals(text, len(rows), bare=True)) and not _ranked(text, rows):
        found = dict.fromkeys(places, "")
    for part in re.split(r"[,;&+]|\band\b|\bplus\b|\balso\b", text, flags=re.I) if not found else ():
        ranked = _ranked(part, rows) if here else None
        at = _named(part, rows) if ranked is None else ranked
        if at is not None and at >= 0:
            found[at] = (numbers(part) or [found.get(at, "")])[0] if ranked is None else ""
    return list(found.items())


def _ranked(text: str, rows: Sequence[Any]) -> int | None:
    """The place of `the cheapest`, `the second cheapest`; -1 for `not the cheapest`, None where nothing is ranked."""
    flag = marked(rows)
    for names, down in [*_SUPERLATIVES, *([(flag[1], False)] if flag else [])]:
        match = re.search(rf"(?P<no>\b(?:not|n't)\b.*)?(?:(?P<nth>\w+)[\s-]+)?\b(?:{names})\b", text, re.I)
        if not match:
            continue
        prices = [price for row in rows if (price := _amount(row)) is not None]
        if match["no"]:
            return -1
        if len(prices) < len(rows):
            return flag[0] if flag and flag[1] == names else None
        order = sorted(range(len(rows)), key=prices.__getitem__, reverse=down)
        return order[(ordinals(match["nth"] or "", len(order)) or [0])[0]]
    return None


def _named(text: str, rows: Sequence[Any]) -> int | None:
    """The only row that shares most words with the text, by what it is called, else by anything in it."""
    said = words.content(text)
    for texts in ([label(row) for row in rows], [_all(row) for row in rows]):
        scores = [len(words.resembling(said, text)) for text in texts]
        if max(scores, default=0) and scores.count(max(scores)) == 1:
            return scores.index(max(scores))
    return None


def _all(row: Any) -> str:
    return " ".join(str(value) for value in (row.values() if isinstance(row, dict) else [row]))


def label(row: Any) -> str:
    """What a row is called."""
    if not isinstance(row, dict):
        return str(row)
    named = next((row[name] for name in _NAMES if row.get(name)), None)
    return str(named or next((value for value in row.values() if isinstance(value, str)), ""))


def _amount(row: Any) -> Decimal | None:
    """The amount of money of a row: its number beside a currency, or of a name that says so."""
    names = ("price", "total", "amount", "balance", "cost")
    return next((number(row[name]) for name in names if name in row), None) if isinstance(row, dict) else None


def number(value: Any) -> Decimal | None:
    try:
        return None if isinstance(value, bool) else Decimal(str(value))
    except InvalidOperation:
        return None


def amount_of(called: Sequence[Called], named: str) -> Decimal | None:
    """The newest amount of the row of this name: the balance of an account."""
    rows = [row for call in reversed(called) for name in call.result for row in call.rows(name)]
    return next(
        (_amount(row) for row in rows if label(row).lower() == named.lower() and _amount(row) is not None), None
    )


def same(value: Any, other: Any) -> bool:
    """Equal to a person: 250 and 250.00, march and March."""
    first, second = number(value), number(other)
    return (
        first == second
        if first is not None and second is not None
        else str(value).strip().lower() == str(other).strip().lower()
    )


def tell(row: Mapping[str, Any]) -> str:
    """A result, or a row of it, in words: `Wool blanket: order 1047, status on its way`."""
    currency = f" {row['currency']}" if row.get("currency") else ""
    told = []
    for name, value in row.items():
        if isinstance(value, bool | list | dict) or value is None or name == "currency" or str(value) in label(row):
            continue
        money = currency if name in ("price", "total", "amount", "balance", "cost", "moved", "refunded") else ""
        told.append(f"{spaced(name)} {spoken(value)}{money}")
    return f"{label(row)}: {listed(told, 'and')}" if told else label(row)


def tell_result(call: Called) -> str:
    """What came back, in a sentence or two; "" where there is nothing to say."""
    if note := str(call.result.get("note") or ""):
        return f"{note.rstrip('.')}."
    for name in call.result:
        rows = [row for row in call.rows(name) if isinstance(row, dict)]
        if rows and len(rows) <= 3 and all(_amount(row) is not None for row in rows):
            held = [f"{label(row)} {_amount(row)} {row.get('currency', '')}".strip() for row in rows]
            return f"Here is what there is: {listed(held, 'and')}."
    flat = {name: value for name, value in call.result.items() if not isinstance(value, list | dict)}
    return f"{tell(flat)}." if len(flat) > 2 and len(flat) == len(call.result) else ""


def spoken(value: Any) -> str:
    """A date as people say it; anything else as it is."""
    try:
        day = date.fromisoformat(value) if isinstance(value, str) and len(value) == 10 else None
    except ValueError:
        day = None
    return f"{day.day} {day:%B %Y}" if day else str(value)
