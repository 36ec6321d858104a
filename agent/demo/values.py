"""Which arguments a message gives which values. Prefers no match over a wrong one."""

import calendar
import re
from collections.abc import Sequence
from datetime import date
from typing import Literal

from rapidfuzz import fuzz

from agent.demo import words
from agent.demo.arguments import Argument
from agent.demo.dates import dates, plain
from agent.demo.numbers import EMAIL, numbers, ordinals
from agent.demo.places import places

Cue = Literal["origin", "target", ""]
_CUE = re.compile(
    r"\b(?:(?P<origin>from|out of|leav(?:e|ing)|depart(?:ing)?)|(?:back )?(?:to|into|in|at|towards?|for))\s*(?:my|the|a)?\s*$",
    re.I,
)


_MONTHS = tuple(calendar.month_name)[1:]
_LEADS = r"\W*(?:and|but|what about|how about|it'?s|yes|no)?\W*"


def find(arguments: Sequence[Argument], text: str, asked: Argument | None, today: date) -> dict[str, str]:
    """The values of one tool's arguments in one message. asked: the argument that the message answers, if any."""
    values: dict[str, str] = {}
    groups: dict[tuple[str, tuple[str, ...]], list[Argument]] = {}
    for argument in arguments:
        groups.setdefault((argument.kind, argument.choices), []).append(argument)
    left = text
    for (kind, allowed), group in sorted(groups.items()):  # choices come first: what is one of them is no place
        mine = asked if asked in group else None
        if kind == "choice":
            found = choices(text, allowed, today, asked=mine is not None)
            for word, _, _ in found:
                left = left.replace(word, "_", 1) if word else left
            values |= _shared(group, [(value, cue) for _, value, cue in found], mine, asked)
        elif kind == "place":
            known = [example for argument in group for example in argument.examples]
            values |= _shared(group, places(left, known), mine, asked)
        elif kind == "date":
            values |= _shared_dates(group, text, mine, today)
        elif kind == "number" and not dates(text, today) and (number := numbers(text, article=mine is not None)):
            values[(mine or group[0]).name] = number[0]
        elif kind == "text" and mine and (said := bare(text)):
            values[mine.name] = said
        elif kind in ("email", "code"):
            values |= {one.name: value for one in group if (value := _identity(one, text, asked == one))}
    if asked and asked in arguments and asked.name not in values and words.is_anything(text):
        few = [*asked.choices, *asked.examples] if asked.kind in ("choice", "place") else []
        at = today.month % 12 if asked.choices == _MONTHS else 0
        values |= {asked.name: few[at]} if few else {}
    return values


def _shared(
    group: Sequence[Argument], found: Sequence[tuple[str, str]], mine: Argument | None, asked: Argument | None
) -> dict[str, str]:
    """Which argument means which value: by the words before it, else the one that was asked for, else by their order."""
    values: dict[str, str] = {}
    bare: list[str] = []
    for value, cue in found:
        fits = [argument for argument in group if cue and argument.origin == (cue == "origin")]
        if fits and (len(group) > 1 or mine or cue == "target" or fits[0].origin):
            left = [argument for argument in fits if argument.name not in values]
            values[(mine if mine in fits else (left or fits)[0]).name] = value
        elif not cue or (mine and len(found) == 1 and cue == "target"):
            bare.append(value)
    if mine is None and asked is not None and asked.kind == group[0].kind:
        return values  # an answer to another question; only what is said to be from or to somewhere counts here
    order = [mine] if mine else []
    order += [argument for argument in group if argument != mine and not (argument.kind == "place" and argument.origin)]
    for value in bare:
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


def choices(text: str, allowed: Sequence[str], today: date, *, asked: bool) -> list[tuple[str, str, Cue]]:
    """Each choice named in the text: its words there, the choice, and whether from or to stands before it."""
    found: dict[int, tuple[str, str]] = {}
    for value in sorted(allowed, key=len, reverse=True):
        full = r"[\s_-]+".join(re.escape(part) for part in re.split(r"[\s_-]+", value))
        for match in re.finditer(rf"(?<!\w)(?:{full}|{re.escape(value[:3])}\.?)(?:s|'s)?(?!\w)", text, re.I):
            short = len(match[0].strip(".")) < len(value)
            before = text[: match.start()]
            if (short or match[0] in ("may", "march")) and not (
                asked
                or re.fullmatch(r"\W*", before + text[match.end() :])
                or re.search(r"\b(?:in|during|for|of|next|early|late|mid|about|to|from)\s+$", before)
            ):
                continue
            if short and sum(other[:3].lower() == value[:3].lower() for other in allowed) > 1:
                continue
            if not any(at <= match.start() < at + len(said) for at, (said, _) in found.items()):
                found[match.start()] = match[0], value
    for match in re.finditer(r"[^\W\d_]{4,}", text) if not found else ():
        alike = [value for value in allowed if _near(match[0], value, asked)]
        if len(alike) == 1:
            found[match.start()] = match[0], alike[0]
    if not found and tuple(allowed) == _MONTHS and (near := re.search(r"\b(?:next|this) month\b", text, re.I)):
        found[near.start()] = near[0], _MONTHS[(today.month - near[0].lower().startswith("this")) % 12]
    if not found and asked:
        return [("", allowed[at], "") for at in ordinals(text, len(allowed), bare=True)]
    return [(*found[at], _cue(text[:at])) for at in sorted(found)]


def _near(word: str, value: str, asked: bool) -> bool:
    """A typo of one of its words, or, in an answer, the beginning of one: `pizza` is the pizzeria."""
    parts, word = value.lower().split(), word.lower()
    if words.is_common(word) or word in parts:
        return False
    if any((asked or len(part) > 4) and fuzz.ratio(word, part) >= 80 for part in parts):
        return True
    return asked and any(part.startswith(word[:4]) for part in parts)


def _cue(before: str) -> Cue:
    match = _CUE.search(before)
    return "" if not match else "origin" if match["origin"] else "target"


def _identity(argument: Argument, text: str, asked: bool) -> str:
    """An email address, or a word shaped like the examples (1042 for 1047); an answer may also name an example."""
    if argument.kind == "email":
        if found := re.search(EMAIL, text):
            return found[0]
    else:
        shapes = {re.sub(r"(\d+)", lambda part: rf"\d{{{max(1, len(part[0]) - 2)},{len(part[0]) + 2}}}", re.escape(one).replace("\\-", "-")) for one in argument.examples}  # fmt: skip
        for shape in shapes:
            about = "|".join({re.escape(argument.name.replace("_", " ")), *argument.tool_words})
            named = asked or re.search(r"[A-Za-z]", re.sub(r"\\d", "", shape))
            whole = re.fullmatch(rf"{_LEADS}(?P<code>{shape})\W*", text, re.I)
            loose = "" if named else rf"\b(?:{about})\W+(?:number |no\. ?|#)?"
            if match := whole or re.search(rf"{loose}(?<![\w.,$])(?P<code>{shape})(?![\w]|[.,]\d)", text, re.I):
                return match["code"]
        return ""
    if not asked:
        return ""
    examples = argument.examples
    near = [one for one in examples if words.resembling(words.content(text), one.partition("@")[0])]
    return near[0] if len(near) == 1 else next((examples[at] for at in ordinals(text, len(examples), bare=True)), "")


def bare(text: str) -> str:
    """The message as the value of an argument that takes any words; "" for a question, and for words that say nothing."""
    said = words.FILLER.sub("", text.strip()).strip(" .!")
    return "" if text.rstrip().endswith("?") or all(map(words.is_common, said.split())) else said[:200]
