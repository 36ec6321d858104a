"""Real flights, from the Sky Scrapper API on RapidAPI: look up both airports, then search."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from tools.kit.tool import ToolError, TryAgain

if TYPE_CHECKING:
    import httpx

VARIABLES = {
    "RAPIDAPI_KEY": "SearchFlights searches real flights with this key; not set: mock flights",
    "RAPIDAPI_HOST_FLIGHTS": "the API's host on RapidAPI, if not `sky-scrapper.p.rapidapi.com`",
    "RAPIDAPI_URL_FLIGHTS": "where that API is, if not at its usual address",
    "FLIGHTS": "`mock`: mock flights even with the key",
}

HOST = "sky-scrapper.p.rapidapi.com"
SECONDS_PER_CALL = 20.0
MOST = 10
CURRENCY = "USD"


class _Answer(BaseModel):
    """Only what we use of an answer, so that whatever else it holds may change."""

    model_config = ConfigDict(alias_generator=to_camel)


class _Params(_Answer):
    sky_id: str
    entity_id: str
    localized_name: str = ""


class _Navigation(_Answer):
    relevant_flight_params: _Params


class _Place(_Answer):
    navigation: _Navigation


class _Carrier(_Answer):
    name: str
    alternate_id: str = ""


class _Segment(_Answer):
    flight_number: str = ""
    operating_carrier: _Carrier | None = None
    marketing_carrier: _Carrier | None = None


class _Leg(_Answer):
    departure: datetime
    arrival: datetime
    duration_in_minutes: int = 0
    stop_count: int = 0
    segments: list[_Segment] = Field(min_length=1)


class _Price(_Answer):
    raw: Decimal


class _Itinerary(_Answer):
    price: _Price
    legs: list[_Leg] = Field(min_length=2)


class _Found(_Answer):
    itineraries: list[_Itinerary] = []


class _Places(_Answer):
    data: list[_Place]


class _Search(_Answer):
    data: _Found


T = TypeVar("T", bound=_Answer)


def search(
    origin: str, destination: str, depart: date, back: date, environment: Mapping[str, str]
) -> tuple[str, list[dict[str, Any]]]:
    """The trip in words, and at most ten of the cheapest offers.

    RAPIDAPI_KEY, RAPIDAPI_HOST_FLIGHTS and RAPIDAPI_URL_FLIGHTS are read from environment.
    """
    import httpx

    host = environment.get("RAPIDAPI_HOST_FLIGHTS") or HOST
    address = environment.get("RAPIDAPI_URL_FLIGHTS") or f"https://{host}"
    headers = {"x-rapidapi-key": environment["RAPIDAPI_KEY"].strip(), "x-rapidapi-host": host}
    with httpx.Client(base_url=address, headers=headers, timeout=SECONDS_PER_CALL) as client:
        start, end = _place(client, origin), _place(client, destination)
        question = {
            "originSkyId": start.sky_id,
            "originEntityId": start.entity_id,
            "destinationSkyId": end.sky_id,
            "destinationEntityId": end.entity_id,
            "date": str(depart),
            "returnDate": str(back),
            "cabinClass": "economy",
            "adults": "1",
            "sortBy": "best",
            "currency": CURRENCY,
            "market": "en-US",
            "countryCode": "US",
        }
        found = _get(client, "/api/v2/flights/searchFlights", question, _Search).data.itineraries
    names = [f"{place.localized_name or place.sky_id} ({place.sky_id})" for place in (start, end)]
    trip = f"{names[0]} to {names[1]}, {depart:%d %B %Y} to {back:%d %B %Y}"
    return trip, [_offer(itinerary) for itinerary in sorted(found, key=lambda each: each.price.raw)[:MOST]]


def _place(client: "httpx.Client", query: str) -> _Params:
    places = _get(client, "/api/v1/flights/searchAirport", {"query": query, "locale": "en-US"}, _Places).data
    if not places:
        raise ToolError(f"No airport is known for {query}. Name a larger city nearby, or an airport code such as AUS.")
    return places[0].navigation.relevant_flight_params


def _offer(itinerary: _Itinerary) -> dict[str, Any]:
    there, back = itinerary.legs[0], itinerary.legs[1]
    first = there.segments[0]
    carrier = first.operating_carrier or first.marketing_carrier
    return {
        "airline": carrier.name if carrier else "unknown",
        "flight": f"{carrier.alternate_id if carrier else ''} {first.flight_number}".strip(),
        "departs": f"{there.departure:%H:%M}",
        "arrives": f"{there.arrival:%H:%M}",
        "duration": f"{there.duration_in_minutes // 60} h {there.duration_in_minutes % 60:02} min",
        "stops": there.stop_count,
        "returns": f"{back.departure:%H:%M}",
        "price": itinerary.price.raw.quantize(Decimal("0.01")),
        "currency": CURRENCY,
    }


def _get(client: "httpx.Client", path: str, question: dict[str, str], shape: type[T]) -> T:
    """One request; what is wrong with its answer becomes an error of ours, to be tried again or final."""
    import httpx

    try:
        answer = client.get(path, params=question)
    except httpx.TimeoutException:
        raise TryAgain("The flight search did not answer in time.") from None
    except httpx.HTTPError:
        raise TryAgain("The flight search cannot be reached.") from None
    if answer.status_code in (401, 403):
        raise ToolError(
            "The flight search rejected the key in RAPIDAPI_KEY. Put a valid one in .env and restart the worker, "
            "or set FLIGHTS=mock."
        )
    if answer.status_code == 429:
        wait = answer.headers.get("retry-after", "")
        raise TryAgain(
            "The flight search has reached the request limit of this key.", float(wait) if wait.isdecimal() else None
        )
    if answer.status_code >= 500:
        raise TryAgain(f"The flight search had an internal error (status {answer.status_code}).")
    if answer.status_code != 200:
        raise ToolError(f"The flight search rejected the request (status {answer.status_code}).")
    try:
        return shape.model_validate_json(answer.content)
    except ValidationError:
        raise TryAgain("The flight search returned an unexpected response.") from None
