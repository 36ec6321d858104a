"""Which arguments a message gives which values. Prefers no match over a wrong one."""

import calendar
import re
from collections.abc import Sequence
from datetime import date

from agent.demo import words
from agent.demo.arguments import Argument
from agent.demo.dates import dates, plain
from agent.demo.names import mentions
from agent.demo.numbers import EMAIL, numbers, ordinals
from agent.demo.places import cue, places
from agent.sentences import spaced

_MONTHS = tuple(calendar.month_name)[1:]
Found = list[tuple[str, str]]
"""Values, each with its cue."""


def find(arguments: Sequence[Argument], text: str, asked: Argument | None, today: date) -> dict[str, str]:
    """The values of one tool's arguments in one message. asked: the argument that the message answers, if any."""
    values: dict[str, str] = {}
    groups: dict[tuple[str, tuple[str, ...]], list[Argument]] = {}
    left = text  # for places: what is a choice is no place
    for argument in arguments:
        groups.setdefault((argument.kind, argument.choices), []).append(argument)
        for start, end, _ in _named(text, argument.choices, asked=asked == argument):
            left = left[:start] + "," * (end - start) + left[end:]
    for (kind, allowed), group in groups.items():
        mine = asked if asked in group else None
        if kind == "choice":
            values |= _shared(group, _choices(text, allowed, today, asked=mine is not None), asked)
        elif kind == "place":
            values |= _shared(group, places(left, tuple(one for each in group for one in each.examples)), asked)
        elif kind == "date":
            values |= _days(group, text, mine, today)
        elif kind == "number" and not dates(text, today) and (number := numbers(text, article=mine is not None)):
            values[(mine or group[0]).name] = number[0]
        elif kind == "text" and mine and not text.rstrip().endswith("?"):
            said = words.bare(text)
            values |= {} if all(map(words.is_common, said.split())) else {mine.name: said[:200]}
        elif kind == "email":
            values |= {one.name: value for one in group if (value := _email(one, text, asked=asked == one))}
        elif kind == "code":
            values |= {one.name: value for one in group if (value := _code(one, text, asked=asked == one))}
    if asked in arguments and asked and asked.name not in values and words.is_anything(text):
        few = [*asked.choices, *asked.examples] if asked.kind in ("choice", "place") else []
        values |= {asked.name: few[today.month % 12 if asked.choices == _MONTHS else 0]} if few else {}
    return values


def _shared(group: Sequence[Argument], found: Found, asked: Argument | None) -> dict[str, str]:
    """Which argument means which value: by the words before it, else the one that was asked for, else by their order."""
    values: dict[str, str] = {}
    order = [one for one in group if one == asked or not (one.kind == "place" and one.origin)]
    order.sort(key=lambda one: one != asked)
    if asked and asked not in group and asked.kind == group[0].kind:
        order = []  # an answer to another question; only what is said to be from or to somewhere counts here
    for value, led in sorted(found, key=lambda one: not one[1]):
        fits = [one for one in group if one.origin == (led == "origin")] if led else order
        if not fits and asked in group and len(found) == 1 and led == "target":
            fits = order
        if fits:
            free = [one for one in fits if one.name not in values and (led or value not in values.values())]
            chosen = asked if led and asked in fits and asked else (free or fits)[0]
            values[chosen.name] = value  # the last of several: people correct themselves
    return values


def _days(group: Sequence[Argument], text: str, mine: Argument | None, today: date) -> dict[str, str]:
    days = dates(text, today)
    if len(days) > 1 and len(group) > 1:
        return {argument.name: day for argument, (_, day) in zip(group, days, strict=False)}
    until = days and re.search(r"\b(?:until|till|through|to)\s*(?:the |next )?$", plain(text)[: days[0][0]], re.I)
    order = group[1:] if until else [mine or group[0]]
    return {order[0].name: days[0][1]} if order and days else {}


def _choices(text: str, allowed: Sequence[str], today: date, *, asked: bool) -> Found:
    """Each choice that is named in the text, or, in an answer, by its place."""
    if found := [(allowed[at], cue(text[:start])) for start, _, at in _named(text, allowed, asked=asked)]:
        return found
    if tuple(allowed) == _MONTHS and (near := re.search(r"\b(next|this) month\b", text, re.I)):
        return [(_MONTHS[(today.month - (near[1].lower() == "this")) % 12], "")]
    by_place = ordinals(text, len(allowed), bare=True) if asked and not words.content(text) else []
    return [(allowed[at], "") for at in by_place]


def _named(text: str, allowed: Sequence[str], *, asked: bool) -> list[tuple[int, int, int]]:
    """Mentions of choices; a part of one, or a word with another meaning, only where a choice is expected."""

    def is_clear(start: int, end: int, at: int) -> bool:
        before = text[:start]
        verb = text[start:end] in ("may", "march") and re.match(r"\s+(?!please)[a-z]", text[end:])
        whole = end - start >= len(allowed[at]) - 1 and not verb
        return whole or cue(before) != "" or before.endswith(" of ") or not words.bare(before + text[end:])

    return [found for found in mentions(text, tuple(allowed), loose=True) if asked or is_clear(*found)]


def _email(argument: Argument, text: str, *, asked: bool) -> str:
    """An address; in an answer also one of the examples by its name or place."""
    if found := re.search(EMAIL, text):
        return found[0]
    examples = argument.examples
    named = [at for _, _, at in mentions(text, examples)]
    by_place = ordinals(text, len(examples), bare=True) if not words.content(text) else []
    return examples[[*named, *by_place][0]] if asked and (named or by_place) else ""


def _code(argument: Argument, text: str, *, asked: bool) -> str:
    """A word of letters and digits like an example (1042 for 1047); of digits alone, beside the argument's or the tool's
    name."""
    names = words.words_of(spaced(f"{argument.name} {argument.tool}"))
    inquires = words.means(text, "inquires")
    for match in re.finditer(r"(?<![\w.,$])([A-Za-z-]*)(\d+)(?![\w]|[.,]\d)", text):
        before = re.sub(r"\b(?:number|no)\b|[#.]", "", text[: match.start()], flags=re.I).split()
        beside = (
            inquires
            or not before
            or words.words_of(before[-1]) & names
            or not words.content(text.replace(match[0], ""))
        )
        for example in argument.examples:
            letters, digits = re.sub(r"\d.*", "", example), re.sub(r"\D", "", example)
            like = match[1].lower() == letters.lower() and abs(len(match[2]) - len(digits)) <= 2
            if like and (asked or letters or beside):
                return match[0]
    return ""
