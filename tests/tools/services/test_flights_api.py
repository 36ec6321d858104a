"""SearchFlights with a key: against a stub of the flight search, over HTTP."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.tools.services.flights_stub import FlightsStub, serve_flights
from tools import Returned, ToolContext, ToolError, Toolset, TryAgain
from tools.services import flights_api

KEY = "0123456789abcdef0123"
ASKED = {"origin": "Austin", "destination": "Boston", "date_depart": "2099-04-11", "date_return": "2099-04-14"}


@pytest.fixture
def stub() -> Iterator[FlightsStub]:
    with serve_flights() as stub:
        yield stub


async def search(toolset: Toolset, stub: FlightsStub, asked: dict[str, str] = ASKED, **environment: str) -> Returned:
    keys = {"RAPIDAPI_KEY": KEY, "RAPIDAPI_URL_FLIGHTS": stub.url} | environment
    return await toolset.tools["SearchFlights"].run(asked, ToolContext("chat/1", keys))


async def test_airports_are_looked_up_and_the_flights_come_cheapest_first(toolset: Toolset, stub: FlightsStub) -> None:
    returned = await search(toolset, stub)
    assert returned.source == "live"
    assert returned.result["trip"] == "Austin (AUS) to Boston (BOS), 11 April 2099 to 14 April 2099"
    assert returned.result["flights"][0] == {
        "airline": "Cheap Air",
        "flight": "CA 203",
        "departs": "06:25",
        "arrives": "11:05",
        "duration": "3 h 40 min",
        "stops": 0,
        "returns": "18:40",
        "price": "199.99",
        "currency": "USD",
        "cheapest": True,
    }
    assert [flight["price"] for flight in returned.result["flights"]] == ["199.99", "512.50"]
    assert returned.result["note"].endswith("(live).")


async def test_search_asks_for_the_airports_found_and_the_dates(toolset: Toolset, stub: FlightsStub) -> None:
    await search(toolset, stub)
    assert [path for path, _ in stub.calls] == ["/api/v1/flights/searchAirport"] * 2 + ["/api/v2/flights/searchFlights"]
    question = stub.calls[-1][1]
    asked = ("originSkyId", "originEntityId", "destinationSkyId", "destinationEntityId", "date", "returnDate")
    assert [question[name] for name in asked] == ["AUS", "9AUS", "BOS", "9BOS", "2099-04-11", "2099-04-14"]
    assert stub.keys == {KEY}


async def test_flights_mock_brings_the_mock_back(toolset: Toolset, stub: FlightsStub) -> None:
    assert (await search(toolset, stub, FLIGHTS="Mock")).source == "mock"
    assert stub.calls == []


async def test_no_flights_is_a_result(toolset: Toolset, stub: FlightsStub) -> None:
    stub.itineraries = []
    result = (await search(toolset, stub)).result
    assert result["flights"] == []
    assert result["note"].startswith("No flights were found for Austin (AUS) to Boston (BOS)")


async def test_only_the_ten_cheapest_are_kept(toolset: Toolset, stub: FlightsStub) -> None:
    stub.itineraries *= 10
    assert len((await search(toolset, stub)).result["flights"]) == 10


async def test_unknown_airport_is_told(toolset: Toolset, stub: FlightsStub) -> None:
    with pytest.raises(ToolError, match=r"^No airport is known for Atlantis\."):
        await search(toolset, stub, ASKED | {"origin": "Atlantis"})


async def failure(toolset: Toolset, stub: FlightsStub, fault: str) -> Any:
    stub.fault = fault
    with pytest.raises((ToolError, TryAgain)) as caught:
        await search(toolset, stub)
    assert KEY not in str(caught.value)
    return caught.value


@pytest.mark.parametrize("fault", ["401", "403"])
async def test_refused_key_is_told_and_not_retried(toolset: Toolset, stub: FlightsStub, fault: str) -> None:
    error = await failure(toolset, stub, fault)
    assert isinstance(error, ToolError)
    assert "RAPIDAPI_KEY" in str(error)
    assert "FLIGHTS=mock" in str(error)
    assert len(stub.calls) == 1


async def test_too_many_requests_wait_as_long_as_asked(toolset: Toolset, stub: FlightsStub) -> None:
    error = await failure(toolset, stub, "429")
    assert isinstance(error, TryAgain)
    assert error.retry_after == 7


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ("500", "had an internal error (status 500)"),
        ("503", "had an internal error (status 503)"),
        ("close", "cannot be reached"),
        ("slow", "did not answer in time"),
        ("body <html>", "unexpected response"),
        ('body {"data": 3}', "unexpected response"),
        ('body {"status": false, "message": "oops"}', "unexpected response"),
        ('body {"data": [{"navigation": {}}]}', "unexpected response"),
    ],
)
async def test_passing_trouble_is_tried_again(
    toolset: Toolset, stub: FlightsStub, monkeypatch: pytest.MonkeyPatch, fault: str, sentence: str
) -> None:
    monkeypatch.setattr(flights_api, "SECONDS_PER_CALL", 0.3)
    error = await failure(toolset, stub, fault)
    assert isinstance(error, TryAgain)
    assert sentence in str(error)


async def test_question_that_is_refused_is_told(toolset: Toolset, stub: FlightsStub) -> None:
    assert isinstance(await failure(toolset, stub, "422"), ToolError)
