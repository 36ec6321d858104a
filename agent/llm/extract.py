"""The values in a person's words: dates, numbers, choices, names after a cue word, short answers.

Plain pattern matching for the scripted model. It rather finds nothing than something wrong: nothing is asked again.
"""

import calendar
import re
from datetime import date, timedelta

from agent.llm.story import Slot

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
_LOWER = re.compile(r"(?:the\s+)?([a-z][\w'’]*(?:\s+[a-z][\w'’]*){0,3})")
_STOPS = re.compile(
    r"\s+(?:in|on|at|for|from|to|and|or|but|please|around|during|with|this|next|by|then|because|so|if|instead|thanks)\b.*|\s*[.!?;:(].*",
    re.S,
)
_NO_NAME = re.compile(
    r"(?:the|a|an|my|your|it|this|that|these|those|there|here|see|go|be|do|depart|leave|fly|book|order|attend|visit|find|"
    r"travel|buy|get|know|have|make|take|pay|say|hear|change|check|start|end|general|time|fact|case|mind|any|some|all|what|"
    r"which|please|i|we|you|he|she|they|me|us|yes|no|ok|okay|show|look|ask|tell|use|try|send|move|transfer|stay|come|want|"
    r"like|need|today|tomorrow|" + "|".join([*MONTHS, *_DAYS]) + r")\b",
    re.I,
)
_FILLER = re.compile(
    r"^(?:(?:oh|well|hm+|sorry|i'?m sorry|actually|ok(?:ay)?|yes|no|sure|please|thanks|thank you|it'?s|it is|that'?s|that would be|i (?:said|mean|meant)|"
    r"make (?:it|that)|let'?s (?:say|do|take|try|go with)|(?:how|what) about|maybe|i think|i'?ll (?:take|be in|go with)|try|just|my|the)\b[\s,.!:]*)+",
    re.I,
)
_REQUEST = re.compile(
    r"\b(?:i(?:'d| would) (?:like|love|prefer|rather)|i want|i need|can you|could you|please)\b", re.I
)


def find(slot: Slot, text: str, asked: bool, today: date) -> str | None:
    """The slot's value in one message. asked: the message answers the question for this very slot."""
    if slot.kind == "date":
        return _nth(_dates(text, today), slot, asked, text)
    if slot.kind == "number":
        return _nth(_numbers(text), slot, asked, text)
    if slot.kind == "choice":
        return _nth(_choices(text, slot.values, asked), slot, asked, text)
    named = _choices(text, slot.values, True)
    if named and (asked or not slot.cues or any(_cued(slot, text, at) for at, _ in named)):
        return next((value for at, value in named if _cued(slot, text, at)), named[-1][1])
    return _after_cue(slot, text, asked) or (_bare(slot, text) if asked else None)


def _cued(slot: Slot, text: str, at: int) -> bool:
    before = re.sub(r"\b(?:my|the|a|an|about|of|is|=|:|on|\$)\s*$", "", text[:at].rstrip(), flags=re.I).rstrip().lower()
    return any(re.search(rf"(?:^|\W){re.escape(cue.lower())}$", before) for cue in slot.cues)


def _nth(found: list[tuple[int, str]], slot: Slot, asked: bool, text: str) -> str | None:
    """The found value that this slot means: after its cue, or the only one, or the nth of several."""
    for at, value in reversed(found):
        if _cued(slot, text, at):
            return value
    if asked and found:
        return found[-1 if slot.kind == "choice" else 0][1]
    if slot.cues and (slot.nth or slot.kind == "number" or len(found) > 1):
        return found[slot.nth][1] if slot.kind == "date" and slot.nth < len(found) else None
    if slot.kind == "choice":
        return found[-1][1] if found and not slot.nth else None
    return found[slot.nth][1] if slot.nth < len(found) else None


def _dates(text: str, today: date) -> list[tuple[int, str]]:
    found: dict[int, date] = {}
    for pattern in _DATES:
        for match in pattern.finditer(text):
            parts = match.groupdict()
            name = parts.get("month")
            month = (
                int(parts["m"]) if not name else next(i for i, m in enumerate(MONTHS, 1) if m[:3] == name[:3].lower())
            )
            for year in [int(parts["year"])] if parts["year"] else [today.year, today.year + 1]:
                try:
                    day = date(year, month, int(parts["day"]))
                except ValueError:
                    continue
                if parts["year"] or day >= today:
                    found.setdefault(match.start(), day)
                    break
    for match in re.finditer(r"\b(today|tomorrow|(?:(?:next|this|on)\s+)?(?:" + "|".join(_DAYS) + r"))\b", text, re.I):
        word = match[1].lower().split()[-1]
        ahead = {"today": 0, "tomorrow": 1}.get(word)
        if ahead is None:
            ahead = (_DAYS.index(word) - today.weekday() - 1) % 7 + 1
        found.setdefault(match.start(), today + timedelta(days=ahead))
    return [(at, found[at].isoformat()) for at in sorted(found)]


def _numbers(text: str) -> list[tuple[int, str]]:
    found = [(match.start(), match["number"].replace(",", "")) for match in _AMOUNT.finditer(text)]
    found += [
        (m.start(), str(ONES.index(m[1].lower())))
        for m in re.finditer(rf"\b({'|'.join(ONES)})\b(?!\s*$)", text, re.I)
        if m[1].lower() != "one"
    ]
    if not found and (single := re.fullmatch(rf"\W*({'|'.join(ONES)})\W*", text, re.I)):
        found = [(single.start(1), str(ONES.index(single[1].lower())))]
    return sorted(found)


def _choices(text: str, values: tuple[str, ...], asked: bool) -> list[tuple[int, str]]:
    """Every value named in the text, in order; the longest where several begin at one place."""
    found: dict[int, str] = {}
    for value in sorted(values, key=len, reverse=True):
        words = re.escape(value).replace(r"\ ", r"[\s_-]+").replace("_", r"[\s_-]+")
        short = rf"|{value[:3]}\.?" if value.lower() in MONTHS else ""
        for match in re.finditer(rf"(?<![\w])(?:{words}{short})(?:s|'s)?(?![\w])", text, re.I):
            doubtful = match[0] in ("may", "march", "mar", "jun", "sun") and not asked
            if doubtful and not re.search(
                r"\b(?:in|during|for|of|next|early|late|mid|about)\s+$", text[: match.start()]
            ):
                continue
            if not any(at <= match.start() < at + len(other) for at, other in found.items()):
                found[match.start()] = value
    return [(at, found[at]) for at in sorted(found)]


def _after_cue(slot: Slot, text: str, asked: bool) -> str | None:
    lower = text == text.lower()
    for match in reversed(list(re.finditer(r"|".join(rf"\b{re.escape(cue)}\b" for cue in sorted(slot.cues, key=len, reverse=True)), text, re.I))) if slot.cues else []:  # fmt: skip
        rest = text[match.end() :].lstrip(" :,")
        named = _NAMES.match(rest)
        value = named[1] if named else ""
        if not named and (lower or asked) and (plain := _LOWER.match(rest)):
            value = _STOPS.sub("", plain[1])
        value = value.strip(" .,")
        if value and not _NO_NAME.match(value):
            return value
    return None


def _bare(slot: Slot, text: str) -> str | None:
    """The whole message as the value: a short answer, or any text where anything may be meant."""
    answer = _FILLER.sub("", text.strip()).strip(" .!")
    if not answer or text.rstrip().endswith("?"):
        return None
    if not slot.cues and not slot.values:
        return answer[:200]
    named = _NAMES.fullmatch(answer)
    if _REQUEST.search(answer) or (not named and (len(answer.split()) > 3 or _NO_NAME.match(answer))):
        return None
    return answer
