"""The flight search on loopback: two airports, two itineraries, and faults on request."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.tools.services.serving import serving

PLACES = {"austin": ("AUS", "Austin"), "boston": ("BOS", "Boston")}


@dataclass
class FlightsStub:
    """fault: what every answer is instead of the right one; calls: path and question of each request."""

    url: str = ""
    fault: str = ""
    itineraries: list[dict[str, Any]] = field(default_factory=list)
    calls: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)
    go_on: threading.Event = field(default_factory=threading.Event)

    def answer(self, path: str, question: dict[str, str]) -> dict[str, Any]:
        if path == "/api/v1/flights/searchAirport":
            code, name = PLACES.get(question["query"].lower(), ("", ""))
            params = {"skyId": code, "entityId": f"9{code}", "flightPlaceType": "AIRPORT", "localizedName": name}
            place = {"presentation": {"title": name}, "navigation": {"relevantFlightParams": params}}
            return {"status": True, "timestamp": 1, "data": [place] if code else []}
        return {"status": True, "data": {"context": {"totalResults": 2}, "itineraries": self.itineraries}}


def itinerary(airline: str, code: str, price: float) -> dict[str, Any]:
    carrier = {"id": 1, "name": airline, "alternateId": code}
    segment = {"flightNumber": "203", "operatingCarrier": carrier, "marketingCarrier": carrier}
    there = {
        "departure": "2099-04-11T06:25:00",
        "arrival": "2099-04-11T11:05:00",
        "durationInMinutes": 220,
        "stopCount": 0,
    }
    return {
        "id": "x",
        "price": {"raw": price, "formatted": f"${price:.0f}"},
        "legs": [there | {"segments": [segment]}, there | {"departure": "2099-04-14T18:40:00", "segments": [segment]}],
    }


@contextmanager
def serve_flights() -> Iterator[FlightsStub]:
    stub = FlightsStub(itineraries=[itinerary("Dear Air", "DA", 512.5), itinerary("Cheap Air", "CA", 199.99)])

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            question = dict(parse_qsl(parts.query))
            stub.calls.append((parts.path, question))
            stub.keys.add(self.headers["x-rapidapi-key"])
            if stub.fault == "slow":
                stub.go_on.wait(30)
            if stub.fault == "close":
                self.close_connection = True
                return
            status = int(stub.fault) if stub.fault.isdecimal() else 200
            body = stub.fault.removeprefix("body ") if stub.fault.startswith("body ") else ""
            raw = (body or json.dumps(stub.answer(parts.path, question))).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(raw)))
            self.send_header("Retry-After", "7")
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, format: str, *args: object) -> None:
            """Keep the tests' output quiet."""

    with serving(Handler, stub.go_on) as stub.url:
        yield stub
