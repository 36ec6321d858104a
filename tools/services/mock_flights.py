"""Flights that do not exist, made of the question alone: asked again, they are the same."""

import hashlib
import random
from datetime import date, timedelta
from decimal import Decimal
from math import asin, cos, radians, sin, sqrt
from typing import Any

from tools.kit.tool import ToolError
from tools.services.places import Airport, find_airport

AIRLINES = {
    "Alder Air": "AD",
    "Bluebird Airways": "BB",
    "Cordillera": "CD",
    "Great Plains Air": "GP",
    "Harbor Jet": "HJ",
    "Meridian": "MD",
    "Northline": "NL",
    "Osprey": "OY",
    "Pelican Air": "PL",
    "Prairie Connect": "PC",
    "Sunward": "SW",
    "Tamarack": "TK",
}


def search(origin: str, destination: str, depart: date, back: date) -> tuple[str, list[dict[str, Any]]]:
    """The trip in words and its offers; raises ToolError for a place without an airport that we know."""
    start, end = _airport(origin), _airport(destination)
    if start == end:
        raise ToolError(f"{origin} and {destination} have the same airport, {start.code}: there is nothing to fly.")
    question = f"{start.code} {end.code} {depart} {back}"
    chance = random.Random(hashlib.sha256(question.encode()).digest())  # noqa: S311 the same question, the same flights
    distance = _distance(start, end)
    offers = [_offer(chance, airline, start, end, distance) for airline in chance.sample(sorted(AIRLINES), 6)]
    trip = f"{start.city} ({start.code}) to {end.city} ({end.code}), {depart:%d %B %Y} to {back:%d %B %Y}"
    return trip, offers


def _offer(chance: random.Random, airline: str, start: Airport, end: Airport, distance: float) -> dict[str, Any]:
    stops = 0 if distance < 900 else chance.choice((0, 0, 1, 1, 2))
    minutes = int(40 + distance / 13 + stops * chance.randint(65, 140))
    leaves = 5 * chance.randint(72, 252)  # 06:00 to 21:00, every five minutes
    lands = leaves + minutes + int((end.utc_offset - start.utc_offset) * 60)
    price = Decimal(int(9000 + distance * chance.uniform(5.5, 11.0) * (1 - 0.12 * stops))) / 100
    return {
        "airline": airline,
        "flight": f"{AIRLINES[airline]} {chance.randint(100, 2999)}",
        "departs": _clock(leaves),
        "arrives": _clock(lands),
        "duration": f"{minutes // 60} h {minutes % 60:02} min",
        "stops": stops,
        "returns": _clock(5 * chance.randint(72, 252)),
        "price": price.quantize(Decimal("0.01")),
        "currency": "USD",
    }


def _airport(place: str) -> Airport:
    airport = find_airport(place)
    if airport is None:
        raise ToolError(f"No airport is known for {place}. Name a larger city nearby, or an airport code such as AUS.")
    return airport


def _distance(start: Airport, end: Airport) -> float:
    """In kilometres, along the great circle."""
    latitudes = radians(start.latitude), radians(end.latitude)
    slope = sin((latitudes[1] - latitudes[0]) / 2) ** 2
    turn = cos(latitudes[0]) * cos(latitudes[1]) * sin(radians(end.longitude - start.longitude) / 2) ** 2
    return 12_742 * asin(sqrt(slope + turn))


def _clock(minutes: int) -> str:
    days, rest = divmod(minutes, 24 * 60)
    moment = timedelta(minutes=rest)
    text = f"{moment.seconds // 3600:02}:{moment.seconds // 60 % 60:02}"
    return f"{text} ({days:+d} day)" if days else text
