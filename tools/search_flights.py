"""SearchFlights: flights there and back, real ones when there is a key, else from a mock that repeats itself."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, Field

from tools import Returned, ToolContext, ToolError, tool
from tools.services import flights_api, mock_flights


class Flight(BaseModel):
    """A flight there and back; price is for both ways and one person."""

    airline: str
    flight: str
    departs: str
    arrives: str
    duration: str
    stops: int
    returns: str
    price: Decimal
    currency: str
    cheapest: bool = False


class Flights(BaseModel):
    """The flights, cheapest first."""

    trip: str
    flights: list[Flight]
    note: str


@tool(effect="read", timeout=60)
def search_flights(
    origin: Annotated[
        str,
        Field(
            title="Which city will you depart from?",
            examples=["Austin", "Denver", "Montreal", "JFK", "NYC", "SF", "LA"],
        ),
    ],
    destination: Annotated[str, Field(title="Which city would you like to fly to?")],
    date_depart: Annotated[date, Field(title="On which day would you like to leave?")],
    date_return: Annotated[date, Field(title="And on which day would you like to return?")],
    context: ToolContext,
) -> Returned:
    """Search round-trip flights between two cities, with times and prices; the cheapest is marked.

    Args:
        origin: the city or airport code to depart from
        destination: the city or airport code to fly to, such as the city of the event
        date_depart: the day of the outbound flight, such as the start of the event
        date_return: the day of the return flight, such as the end of the event
    """
    if date_return < date_depart:
        raise ToolError(f"The return on {date_return} is before the departure on {date_depart}. Change one of them.")
    if date_depart < date.today():
        raise ToolError(f"The departure on {date_depart} is in the past. Choose a later day.")
    context.progress(f"Searching flights from {origin} to {destination}")
    environment = context.environment
    if environment.get("RAPIDAPI_KEY") and environment.get("FLIGHTS", "").strip().lower() != "mock":
        trip, offers = flights_api.search(origin, destination, date_depart, date_return, environment)
        return Returned(flights(trip, offers, "live"), source="live")
    trip, offers = mock_flights.search(origin, destination, date_depart, date_return)
    return Returned(flights(trip, offers, "mock"), source="mock")


def flights(trip: str, offers: list[dict[str, Any]], source: str) -> Flights:
    """The offers cheapest first, the cheapest marked and named."""
    found = sorted((Flight(**offer) for offer in offers), key=lambda flight: flight.price)
    if not found:
        return Flights(trip=trip, flights=[], note=f"No flights were found for {trip} ({source}).")
    best = found[0]
    best.cheapest = True
    note = f"The cheapest is {best.airline} {best.flight} at {best.price} {best.currency}"
    return Flights(trip=trip, flights=found, note=f"{note}, there and back for one person ({source}).")
