"""Days in a person's words, as ISO dates."""

import calendar
import re
from datetime import date, datetime, time, timedelta
from functools import lru_cache

from agent.demo.numbers import MONTHS, digits

WEEKDAYS = "|".join(f"{name[:3]}(?:{name[3:]})?" for name in map(str.lower, calendar.day_name))
DAY_WORDS = re.compile(rf"\b(?:{MONTHS}|{WEEKDAYS}|days?|weeks?|months?|weekend|holidays?|vacation)\b", re.I)
_TH = r"(?:st|nd|rd|th)?"
_MONTH_DAY = (
    rf"(?:{MONTHS})\.? \d{{1,2}}{_TH}(?!\d)(?:,? \d{{4}})?|\d{{1,2}}{_TH} (?:of )?(?:{MONTHS})\b(?:,? \d{{4}})?"
)
_DAY = re.compile(
    r"(?P<iso>\b\d{4}-\d\d-\d\d\b)"
    rf"|\b(?:(?:{WEEKDAYS}),? (?:the )?)?(?P<said>(?<![\d.])(?:{_MONTH_DAY}|\d{{1,2}}[/-]\d{{1,2}}(?:[/-]\d{{2,4}})?(?![-/\d])|\d{{1,2}}\.\d{{1,2}}\.\d{{4}}))"
    rf"|\b(?P<weekday>{WEEKDAYS})s?\b"
    r"|\bin (?P<count>\d+|an?) (?P<unit>day|week|month)s?\b"
    r"|(?:(?<=until the )|(?<=till the )|(?<=to the )|(?<=on the ))(?P<nth>\d{1,2}(?:st|nd|rd|th)\b)"
    r"|\b(?P<word>today|(?:the )?day after tomorrow|tomorrow|the day after|next week)\b",
    re.I,
)
_NEXT_WEEK = re.compile(rf"\bnext week,? (?:on )?({WEEKDAYS})\b|\b({WEEKDAYS}),? next week\b", re.I)
_RANGES = (
    (rf"\b((?:{MONTHS})\.?) (\d{{1,2}}){_TH} ?(?:-|–|to|till|until|through|and) ?(?:the )?(\d{{1,2}}){_TH}\b(?![-/.]?\d)", r"\1 \2 to \1 \3"),
    (rf"\b(\d{{1,2}}){_TH} ?(?:-|–|to|till|until|through|and) ?(?:the )?(\d{{1,2}}){_TH} (?:of )?({MONTHS})\b", r"\1 \3 to \2 \3"),
)  # fmt: skip


@lru_cache(1024)
def dates(text: str, today: date) -> list[tuple[int, str]]:
    """Where each day stands in the text that `plain` gives, and the day; without a year it is the next such day."""
    found: list[tuple[int, str]] = []
    last = today + timedelta(6 - today.weekday()) if _NEXT_WEEK.search(text) else today
    for match in _DAY.finditer(plain(text)):
        if day := _day(match, last, today):
            found.append((match.start(), day.isoformat()))
            last = day
    return found


def plain(text: str) -> str:
    """The text with numbers in digits and both ends of each range in full."""
    text = digits(_NEXT_WEEK.sub(r"\1\2", text))
    for pattern, full in _RANGES:
        text = re.sub(pattern, full, text, flags=re.I)
    return text


def _day(match: re.Match[str], last: date, today: date) -> date | None:
    """A weekday is the first one after the day named before it."""
    from dateutil.parser import ParserError, parse  # only where there is a date
    from dateutil.relativedelta import relativedelta

    if match["weekday"]:
        at = [name[:3].lower() for name in calendar.day_name].index(match["weekday"][:3].lower())
        return last + timedelta((at - last.weekday() - 1) % 7 + 1)
    if match["count"]:
        many = int(match["count"]) if match["count"].isdigit() else 1
        return today + relativedelta(**{f"{match['unit'].lower()}s": many})  # type: ignore[arg-type]
    if word := (match["word"] or "").lower():
        near = {"today": 0, "tomorrow": 1, "next week": 7 - today.weekday()}
        return last + timedelta(1) if word == "the day after" else today + timedelta(near.get(word, 2))
    said = match["iso"] or match["said"] or match["nth"]
    try:
        day = parse(re.sub(r"\bof\b", "", said), default=datetime.combine(today, time())).date()
    except (ParserError, OverflowError):
        return None
    if day >= today or re.search(r"\d{4}|[/.-]\d{1,2}[/.-]", said):
        return day
    return day + relativedelta(months=1 if match["nth"] else 12)
