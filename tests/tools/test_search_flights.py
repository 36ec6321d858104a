from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tools import ToolContext, ToolError, Toolset

SOON = date.today() + timedelta(30)


async def search(toolset: Toolset, context: ToolContext, origin: str, destination: str, **dates: date) -> Any:
    asked = {"date_depart": SOON, "date_return": SOON + timedelta(3)} | dates
    question = {"origin": origin, "destination": destination} | {name: str(day) for name, day in asked.items()}
    return await toolset.tools["SearchFlights"].run(question, context)


async def test_same_question_has_the_same_flights(toolset: Toolset, context: ToolContext) -> None:
    first = await search(toolset, context, "Austin", "San Francisco")
    again = await search(toolset, context, "Austin, TX", "SFO")
    assert first == again
    assert len(first.result["flights"]) == 6
    assert (await search(toolset, context, "Austin", "Seattle")).result != first.result


async def test_cheapest_comes_first_and_is_the_only_one_marked(toolset: Toolset, context: ToolContext) -> None:
    found = (await search(toolset, context, "Boston", "Mexico City")).result
    prices = [Decimal(flight["price"]) for flight in found["flights"]]
    assert prices == sorted(prices)
    assert all(price > 0 and price.as_tuple().exponent == -2 for price in prices)
    assert [flight["cheapest"] for flight in found["flights"]] == [True] + [False] * 5
    assert f"{prices[0]} USD" in found["note"]


async def test_result_is_labelled_mock(toolset: Toolset, context: ToolContext) -> None:
    found = await search(toolset, context, "NYC", "yvr")
    assert found.source == "mock"
    assert found.result["trip"].startswith("New York (JFK) to Vancouver (YVR), ")


@pytest.mark.parametrize(
    ("origin", "destination", "dates", "sentence"),
    [
        ("Atlantis", "Austin", {}, "No airport is known for Atlantis"),
        ("Austin", "AUS", {}, "nothing to fly"),
        ("Austin", "Miami", {"date_return": SOON - timedelta(1)}, "is before the departure"),
        ("Austin", "Miami", {"date_depart": date(2020, 1, 1)}, "is in the past"),
    ],
)
async def test_trip_that_cannot_be_is_told(
    toolset: Toolset, context: ToolContext, origin: str, destination: str, dates: dict[str, date], sentence: str
) -> None:
    with pytest.raises(ToolError, match=sentence):
        await search(toolset, context, origin, destination, **dates)
