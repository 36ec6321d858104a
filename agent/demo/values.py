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
    for argument in arguments:
        groups.setdefault((argument.kind, argument.choices), []).append(argument)
    for (kind, allowed), group in groups.items():
        mine = asked if asked in group else None
        if kind == "choice":
            values |= _shared(group, choices(text, allowed, today, asked=mine is not None), mine, asked)
        elif kind == "place":
            chosen = [
                place for one in arguments if one.choices for place in _named(text, one.choices, asked=asked == one)
            ]
            left = "".join(
                "_" if any(start <= at < end for start, end, _ in chosen) else letter for at, letter in enumerate(text)
            )
            values |= _shared(
                group, places(left, tuple(one for argument in group for one in argument.examples)), mine, asked
            )
        elif kind == "date":
            values |= _shared_dates(group, text, mine, today)
        elif kind == "number" and not dates(text, today) and (number := numbers(text, article=mine is not None)):
            values[(mine or group[0]).name] = number[0]
        elif kind == "text" and mine and (said := _free(text)):
            values[mine.name] = said
        elif kind in ("email", "code"):
            values |= {one.name: value for one in group if (value := _identity(one, text, asked == one))}
    if asked and asked in arguments and asked.name not in values and words.is_anything(text):
        few = [*asked.choices, *asked.examples] if asked.kind in ("choice", "place") else []
        values |= {asked.name: few[today.month % 12 if asked.choices == _MONTHS else 0]} if few else {}
    return values


def _shared(group: Sequence[Argument], found: Found, mine: Argument | None, asked: Argument | None) -> dict[str, str]:
    """Which argument means which value: by the words before it, else the one that was asked for, else by their order."""
    values: dict[str, str] = {}
    plain: list[str] = []
    for value, led in found:
        fits = [argument for argument in group if led and argument.origin == (led == "origin")]
        if fits and (len(group) > 1 or mine or led == "target" or fits[0].origin):
            left = [argument for argument in fits if argument.name not in values]
            values[(mine if mine in fits else (left or fits)[0]).name] = value
        elif not led or (mine and len(found) == 1 and led == "target"):
            plain.append(value)
    if mine is None and asked is not None and asked.kind == group[0].kind:
        return values  # an answer to another question; only what is said to be from or to somewhere counts here
    order = [mine] if mine else []
    order += [argument for argument in group if argument != mine and not (argument.kind == "place" and argument.origin)]
    for value in plain:
        left = [argument for argument in order if argument.name not in values]
        if left and value not in values.values():
            values[left[0].name] = value
        elif order and (mine or len(group) == 1):
            values[order[0].name] = value  # the last of several: people correct themselves
    return values


def _shared_dates(group: Sequence[Argument], text: str, mine: Argument | None, today: date) -> dict[str, str]:
    days = dates(text, today)
    if len(days) > 1 and len(group) > 1:
        return {argument.name: day for argument, (_, day) in zip(group, days, strict=False)}
    if not days:
        return {}
    until = re.search(r"\b(?:until|till|through|to)\s*(?:the |next )?$", plain(text)[: days[0][0]], re.I)
    order = group[1:] if until else [mine] if mine else group
    return {order[0].name: days[0][1]} if order else {}


def choices(text: str, allowed: Sequence[str], today: date, *, asked: bool) -> Found:
    """Each choice that is named in the text, or, in an answer, by its place."""
    found = [(allowed[at], cue(text[:start])) for start, _, at in _named(text, allowed, asked=asked)]
    if not found and tuple(allowed) == _MONTHS and (near := re.search(r"\b(?:next|this) month\b", text, re.I)):
        return [(_MONTHS[(today.month - near[0].lower().startswith("this")) % 12], "")]
    if not found and asked:
        return [(allowed[at], "") for at in ordinals(text, len(allowed), bare=True)]
    return found


def _named(text: str, allowed: Sequence[str], *, asked: bool) -> list[tuple[int, int, int]]:
    """Mentions of choices; a part of one, or a word with another meaning, only where a choice is expected."""
    found = []
    for start, end, at in mentions(text, tuple(allowed), loose=True):
        doubtful = end - start < len(allowed[at]) - 1 or text[start:end] in ("may", "march")
        if (
            asked
            or not doubtful
            or not words.bare(text[:start] + text[end:])
            or cue(text[:start])
            or re.search(r"\b(?:during|of|next|early|late|mid|about) $", text[:start])
        ):
            found.append((start, end, at))
    return found


def _identity(argument: Argument, text: str, asked: bool) -> str:
    """An email address, or a word shaped like the examples (1042 for 1047); an answer may also name an example."""
    if argument.kind == "email":
        if found := re.search(EMAIL, text):
            return found[0]
    else:
        return _code(argument, text, asked)
    if not asked:
        return ""
    named = [at for _, _, at in mentions(text, argument.examples)] or ordinals(text, len(argument.examples), bare=True)
    return argument.examples[named[0]] if named else ""


def _code(argument: Argument, text: str, asked: bool) -> str:
    """A word of letters and digits like those of an example; of digits alone, beside the argument's or the tool's name."""
    names = words.words_of(spaced(f"{argument.name} {argument.tool}"))
    for match in re.finditer(r"(?<![\w.,$])([A-Za-z-]*)(\d+)(?![\w]|[.,]\d)", text):
        before = re.sub(r"\b(?:number|no)\b|[#.]", "", text[: match.start()], flags=re.I).split()
        beside = not before or words.words_of(before[-1]) & names
        for example in argument.examples:
            letters, digits = re.sub(r"\d.*", "", example), re.sub(r"\D", "", example)
            like = match[1].lower() == letters.lower() and abs(len(match[2]) - len(digits)) <= 2
            if like and (asked or letters or beside or not words.bare(text.replace(match[0], ""))):
                return match[0]
    return ""


def _free(text: str) -> str:
    """The message as the value of an argument that takes any words; "" for a question, and for words that say nothing."""
    said = words.bare(text)
    return "" if text.rstrip().endswith("?") or all(map(words.is_common, said.split())) else said[:200]
