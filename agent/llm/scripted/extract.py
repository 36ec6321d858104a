"""The values in a person's words: dates, numbers, choices, names after a cue word, short answers.

Plain pattern matching for the scripted model. It rather finds nothing than something wrong: nothing is asked again.
"""

import calendar
import re
from contextlib import suppress
from datetime import date, timedelta
from functools import lru_cache

from agent.llm.scripted.slots import Slot

MONTHS = [name.lower() for name in calendar.month_name[1:]]
_DAYS = [name.lower() for name in calendar.day_name]
ONES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_MONTH = r"(?P<month>" + "|".join(rf"{name[:3]}(?:{name[3:]})?|{name[:4]}" for name in MONTHS) + r")\.?"
_DATES = (
    re.compile(r"\b(?P<year>\d{4})-(?P<m>\d{1,2})-(?P<day>\d{1,2})\b"),
    re.compile(rf"\b{_MONTH}\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\b(?:,?\s+(?P<year>\d{{4}}))?", re.I),
    re.compile(rf"\b(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?{_MONTH}\b(?:,?\s+(?P<year>\d{{4}}))?", re.I),
    re.compile(r"\b(?P<m>\d{1,2})/(?P<day>\d{1,2})(?:/(?P<year>\d{4}))?\b"),
)
_AMOUNT = re.compile(
    r"(?<![\w.])(?P<sign>[$€£])?\s?(?P<number>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)(?![\w/-]|\.\d)"
)
_NAME = r"[A-Z][\w.'’&-]*"
_NAMES = re.compile(rf"(?:the\s+)?({_NAME}(?:(?:,\s*|\s+)(?:of\s+|de\s+|la\s+)?{_NAME})*)")
_LOWER = re.compile(r"(?:the\s+)?((?:st\.\s)?[a-z][\w'’]*(?:\s+[a-z][\w'’]*){0,3})")
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_STOPS = re.compile(
    r"\s+(?:in|on|at|for|from|to|and|or|but|please|around|during|with|this|next|by|then|because|so|if|instead|thanks)\b.*|\s*(?:(?<!\bst)\.|[!?;:(]).*",
    re.S,
)
_NO_NAME = re.compile(
    r"(?:the|a|an|my|your|it|this|that|these|those|there|here|see|go|be|do|depart|leave|fly|book|order|attend|visit|find|"
    r"travel|buy|get|know|have|make|take|pay|say|hear|change|check|start|end|general|time|fact|case|mind|any|some|all|what|"
    r"which|please|i|we|you|he|she|they|me|us|yes|no|ok|okay|show|look|ask|tell|use|try|send|move|transfer|stay|come|want|"
    r"like|need|think|wait|talk|cancel|add|put|today|tomorrow|" + "|".join([*MONTHS, *_DAYS]) + r")\b",
    re.I,
)
_FILLER = re.compile(
    r"^(?:(?:oh|well|hm+|sorry|i'?m sorry|actually|ok(?:ay)?|yes|no|sure|please|thanks|thank you|hello|hi|hey|there|it'?s|it is|"
    r"that'?s|that would be|i (?:said|mean|meant)|make (?:it|that)|let'?s (?:say|do|take|try|go with)|(?:how|what) about|maybe|"
    r"i think|i'?ll (?:take|be in|go with)|try|just|my|the)\b[\s,.!:]*)+",
    re.I,
)
_REQUEST = re.compile(r"\b(?:i(?:'d| would) (?:like|love|prefer|rather)|i want|i need|can you|could you)\b", re.I)
_LIVING = re.compile(r"\b(?:live|living|based|located|home|am|i'm)\s+(?:in|at|near|around)$", re.I)
"""Where somebody is says nothing of where they want to go."""


@lru_cache(4096)
def find(slot: Slot, text: str, asked: bool, today: date) -> str | None:
    """The slot's value in one message. asked: the message answers the question for this very slot."""
    if slot.kind == "date":
        return _meant([(at, day.isoformat()) for at, day in sorted(_dates(text, today).items())], slot, asked, text)
    if slot.kind == "number":
        return _meant(_numbers(text, today), slot, asked, text)
    if slot.kind == "choice":
        named = _choices(text, slot.values, asked) or (_alike(text, slot.values) if asked else [])
        return _meant(named, slot, asked, text)
    if any("@" in value for value in slot.values):
        return address[0] if (address := _EMAIL.search(text)) else None
    named = _choices(text, slot.values, True)
    cued = [value for at, value in named if _cued(slot, text, at)]
    if cued or (named and (asked or not slot.cues or is_all(named[0][1], text))):
        return (cued or [named[-1][1]])[-1]
    return _after_cue(slot, text, asked) or (_bare(slot, text) if asked else None)


def bare_number(text: str) -> bool:
    """The message is a number and nothing else."""
    return bool(re.fullmatch(rf"\W*(?:number\s+)?(?:\d+|{'|'.join(ONES)})\W*", text, re.I))


def is_all(value: str, text: str) -> bool:
    """The message is the value and nothing else."""
    return (
        re.fullmatch(rf"{re.escape(value)}\W*(?:(?:please|then|thanks)\W*)?", _FILLER.sub("", text), re.I) is not None
    )


def _cued(slot: Slot, text: str, at: int) -> bool:
    before = re.sub(r"\b(?:my|the|a|an|about|of|is|on)\s*$|[=:$]\s*$", "", text[:at].rstrip(), flags=re.I).rstrip()
    for cue in slot.cues:
        if re.search(rf"(?:^|\W){re.escape(cue)}$", before, re.I):
            return not _LIVING.search(before)
    return False


def _meant(found: list[tuple[int, str]], slot: Slot, asked: bool, text: str) -> str | None:
    """Which of the found values this slot means: the one after its cue, the one asked for, or the nth of several."""
    for at, value in reversed(found):
        if _cued(slot, text, at):
            return value
    if asked and found:
        return found[-1 if slot.kind == "choice" else 0][1]
    if slot.cues and (slot.kind != "date" or len(found) < 2):
        return found[0][1] if found and slot.kind == "date" and slot.nth == 0 else None
    if slot.kind == "choice":
        return found[-1][1] if found and not slot.nth else None
    return found[slot.nth][1] if slot.nth < len(found) else None


def _dates(text: str, today: date) -> dict[int, date]:
    """Dates by their place; one without a year is the next such day."""
    found: dict[int, date] = {}
    for match in (match for pattern in _DATES for match in pattern.finditer(text)):
        parts = match.groupdict()
        name = (parts.get("month") or "").lower()[:3]
        month = [month[:3] for month in MONTHS].index(name) + 1 if name else int(parts["m"])
        days = [(match.start(), parts["day"])]
        if until := re.match(
            r"\s*(?:-|–|to|until|through|and)\s*(\d{1,2})(?:st|nd|rd|th)?\b(?![-/.,]?\d)", text[match.end() :]
        ):
            days.append((match.end() + until.start(1), until[1]))
        for at, day in days:
            years = [int(parts["year"])] if parts["year"] else [today.year, today.year + 1]
            with suppress(ValueError, StopIteration):  # there is no such day
                dates = (date(year, month, int(day)) for year in years)
                found.setdefault(at, next(one for one in dates if parts["year"] or one >= today))
    for match in re.finditer(r"\b(today|tomorrow|" + "|".join(_DAYS) + r")\b", text, re.I):
        word = match[1].lower()
        ahead = (
            ("today", "tomorrow").index(word)
            if word not in _DAYS
            else (_DAYS.index(word) - today.weekday() - 1) % 7 + 1
        )
        found.setdefault(match.start(), today + timedelta(days=ahead))
    return found


def _numbers(text: str, today: date) -> list[tuple[int, str]]:
    """Numbers in digits or words that are no dates, addresses or places in a list."""
    if _dates(text, today):
        text = re.sub(
            "|".join(f"(?:{re.sub(r'[?]P<[a-z]+>', '?:', one.pattern)})" for one in _DATES), _blank, text, flags=re.I
        )
    text = re.sub(rf"{_EMAIL.pattern}|(?:\bnumber|\bno\.|\boption|#)\s*\d+", _blank, text, flags=re.I)
    found = [(match.start(), match["number"].replace(",", "")) for match in _AMOUNT.finditer(text)]
    for match in re.finditer(rf"\b({'|'.join(ONES)})\b", text, re.I):
        if match[1].lower() != "one" or bare_number(text):
            found.append((match.start(), str(ONES.index(match[1].lower()))))
    return sorted(found)


def _blank(match: re.Match[str]) -> str:
    return " " * len(match[0])


def _choices(text: str, values: tuple[str, ...], asked: bool) -> list[tuple[int, str]]:
    """Every value named in the text, in order; the longest where several begin at one place."""
    found: dict[int, str] = {}
    for value in sorted(values, key=len, reverse=True):
        words = r"[\s_-]+".join(re.escape(part) for part in re.split(r"[\s_-]+", value))
        short = rf"|{value[:3]}\.?" if value.lower() in MONTHS else ""
        for match in re.finditer(rf"(?<!\w)(?:{words}{short})(?:s|'s)?(?!\w)", text, re.I):
            doubtful = match[0] in ("may", "march", "mar", "jun", "sun") and not asked
            before = text[: match.start()]
            if doubtful and not re.search(r"\b(?:in|during|for|of|next|early|late|mid|about)\s+$", before):
                continue
            if not any(at <= match.start() < at + len(other) for at, other in found.items()):
                found[match.start()] = value
    return [(at, found[at]) for at in sorted(found)]


def _alike(text: str, values: tuple[str, ...]) -> list[tuple[int, str]]:
    """The only value with a word that begins as one of the text does: "pizza" is the pizzeria."""
    found = {
        value: match.start()
        for match in re.finditer(r"[^\W\d_]{4,}", text.lower())
        for value in values
        if re.search(rf"\b{match[0][:4]}", value.lower())
    }
    return [(at, value) for value, at in found.items()] if len(found) == 1 else []


def _after_cue(slot: Slot, text: str, asked: bool) -> str | None:
    """A name after the last cue word; in small letters only where nothing else is written in capitals either."""
    cues = "|".join(re.escape(cue) for cue in sorted(slot.cues, key=len, reverse=True))
    small = asked or text == text.lower()
    for match in reversed(list(re.finditer(rf"\b(?:{cues})\b[\s:,]*", text, re.I)) if cues else []):
        rest = text[match.end() :]
        name = _NAMES.match(rest) or (_LOWER.match(rest) if small else None)
        value = _trimmed(_STOPS.sub("", name[1])) if name else ""
        if value and not _NO_NAME.match(value) and not _LIVING.search(text[: match.end()].rstrip(" :,")):
            return value
    return None


def _bare(slot: Slot, text: str) -> str | None:
    """The message as the value: a short answer, or any words where any may be meant."""
    if text.rstrip().endswith("?"):
        return None
    if not slot.cues:
        return _FILLER.sub("", text.strip()).strip(" .!")[:200] or None
    for sentence in reversed(re.split(r"(?<!\bSt)[.!;\n]+\s+", text.strip())):
        answer = _FILLER.sub("", sentence)
        value = _trimmed(_STOPS.sub("", answer))
        named = _NAMES.fullmatch(value)
        if (
            not value
            or _NO_NAME.match(value)
            or (not named and len(answer.split()) > 3 and value.islower() and value == answer.strip(" .,!"))
        ):
            continue
        if _REQUEST.search(sentence):
            return None
        return value if named or len(value.split()) <= 3 else None
    return None


def _trimmed(value: str) -> str:
    """Without the months, days and numbers that follow a name."""
    return re.sub(
        rf"(?:[\s,]+(?:{'|'.join([*MONTHS, *_DAYS])}|please|then|\d+))+$", "", value.strip(" .,!"), flags=re.I
    ).strip(" ,.")
