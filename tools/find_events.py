"""FindEvents: what is on in a city around a month, from a calendar of ours of yearly events."""

import csv
from calendar import month_abbr, month_name
from datetime import date, timedelta
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field

from tools import Returned, ToolContext, tool
from tools.services.places import DATA, city_key


def _month_name(value: object) -> object:
    """March for "mar", 3, "2027-03" and "5 March 2027"; anything else is left for the type to refuse."""
    words = str(value).replace("-", " ").replace(".", " ").replace(",", " ").lower().split()
    names = {name.lower(): full for name, full in zip(month_abbr, month_name, strict=True) if name}
    names |= {full.lower(): full for full in month_name if full}
    named = next((names[word] for word in words if word in names), None)
    number = words[-1] if len(words) == 1 else words[1] if len(words) > 1 else ""
    if named is None and number.isdecimal() and 1 <= int(number) <= 12:
        named = month_name[int(number)]
    return named or value


Month = Annotated[
    Literal[
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ],
    BeforeValidator(_month_name),
]


class Event(BaseModel):
    """One event, with its next dates."""

    name: str
    start: date
    end: date
    venue: str
    city: str
    description: str


class Events(BaseModel):
    """Those of the month asked for come first, then those of the months before and after it."""

    events: list[Event]
    note: str


@cache
def _calendar() -> tuple[dict[str, str], ...]:
    """Rows of the nth weekday (0 = Monday) of a month, lasting some days."""
    with (DATA / "events.csv").open(encoding="utf-8", newline="") as lines:
        return tuple(csv.DictReader(lines))


CITIES = sorted({row["city"] for row in _calendar()})


@tool(effect="read", timeout=20)
def find_events(
    city: Annotated[str, Field(title="Which city would you like to visit?", examples=[*CITIES, "SF", "NYC", "LA"])],
    month: Annotated[Month, Field(title="In which month would you like to go?")],
    context: ToolContext,
) -> Returned:
    """Look for events in a city in a month, with dates and venues, in North America.

    Args:
        city: the city to visit
        month: the month of the visit; the months before and after it are shown too
    """
    context.progress(f"Looking through the calendar of {city}")
    return Returned(upcoming(city, list(month_name).index(month), date.today()), source="mock")


def upcoming(city: str, month: int, today: date) -> Events:
    """The events of a city around the next such month; every one of them begins after today."""
    rows = [row for row in _calendar() if city_key(row["city"]) == city_key(city)]
    if not rows:
        known = ", ".join(sorted({row["city"] for row in _calendar()}))
        return Events(events=[], note=f"No events are known for {city}. There are events for: {known}.")
    year = today.year
    if not any(event.start > today for event in _in_month(rows, year, month)):
        year += 1
    before, after = (year - (month == 1), (month - 2) % 12 + 1), (year + (month == 12), month % 12 + 1)
    asked = _in_month(rows, year, month)
    around = _in_month(rows, *before) + _in_month(rows, *after)
    asked, around = ([event for event in events if event.start > today] for events in (asked, around))
    name = f"{month_name[month]} {year}"
    note = f"{len(asked)} in {name}, and {len(around)} in the months before and after."
    return Events(events=asked + around, note=note)


def _in_month(rows: list[dict[str, str]], year: int, month: int) -> list[Event]:
    events = []
    for row in rows:
        if int(row["month"]) != month:
            continue
        first = date(year, month, 1)
        start = first + timedelta((int(row["weekday"]) - first.weekday()) % 7 + 7 * (int(row["week"]) - 1))
        fields: dict[str, Any] = {name: row[name] for name in ("name", "venue", "city", "description")}
        events.append(Event(start=start, end=start + timedelta(int(row["days"]) - 1), **fields))
    return sorted(events, key=lambda event: event.start)
