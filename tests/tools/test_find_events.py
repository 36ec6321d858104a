from calendar import month_name
from datetime import date, timedelta

import pytest

from tools import InvalidArguments, ToolContext, Toolset
from tools.find_events import _calendar, upcoming
from tools.services.places import find_airport

TODAY = date(2026, 11, 22)


def test_every_city_has_events_in_every_month_and_an_airport() -> None:
    cities = {row["city"] for row in _calendar()}
    assert len(cities) >= 12
    for city in cities:
        assert find_airport(city) is not None
        for month in range(1, 13):
            assert sum(row["city"] == city and row["month"] == str(month) for row in _calendar()) >= 2


@pytest.mark.parametrize("today", [date(2026, 1, 1) + timedelta(days) for days in range(0, 730, 9)])
def test_dates_always_lie_in_the_future_and_within_a_year(today: date) -> None:
    for month in range(1, 13):
        events = upcoming("Austin", month, today).events
        assert events[0].start.month == month
        for event in events:
            assert today < event.start < event.end
            assert event.start < today + timedelta(430)


def test_month_before_and_after_are_shown_after_the_month_asked_for() -> None:
    months = [event.start.month for event in upcoming("San Francisco", 1, TODAY).events]
    assert months == sorted(months, key=[1, 12, 2].index)
    assert set(months) == {12, 1, 2}


def test_months_around_belong_to_the_same_winter() -> None:
    starts = {(event.start.year, event.start.month) for event in upcoming("San Francisco", 12, TODAY).events}
    assert starts == {(2026, 11), (2026, 12), (2027, 1)}


def test_same_day_gives_the_same_events() -> None:
    assert upcoming("Toronto", 5, TODAY) == upcoming("toronto, ON", 5, TODAY)


def test_unknown_city_is_answered_with_the_known_ones() -> None:
    found = upcoming("Springfield", 5, TODAY)
    assert found.events == []
    assert found.note.startswith("No events are known for Springfield. There are events for: Austin, Boston")


@pytest.mark.parametrize(
    ("typed", "month"),
    [("mar", "March"), ("MARCH", "March"), (3, "March"), ("2027-03", "March"), ("5 March 2027", "March")],
)
def test_month_is_read_as_people_write_it(toolset: Toolset, typed: object, month: str) -> None:
    assert toolset.tools["FindEvents"].validate({"city": "SF", "month": typed})["month"] == month


@pytest.mark.parametrize("typed", ["Smarch", "13", "soon"])
def test_no_month_is_refused(toolset: Toolset, typed: str) -> None:
    with pytest.raises(InvalidArguments, match="month must be one of: January"):
        toolset.tools["FindEvents"].validate({"city": "SF", "month": typed})


async def test_tool_gives_a_table_with_names_and_dates(toolset: Toolset, context: ToolContext) -> None:
    returned = await toolset.tools["FindEvents"].run({"city": "SF", "month": month_name[date.today().month]}, context)
    assert set(returned.result["events"][0]) == {"name", "start", "end", "venue", "city", "description"}
