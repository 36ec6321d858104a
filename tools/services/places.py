"""Cities as people write them: "Austin, TX", "montréal", "SF"."""

import csv
import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from pathlib import Path

DATA = Path(__file__).resolve().parent.parent / "data"

_SHORT = {
    "sf": "san francisco",
    "frisco": "san francisco",
    "nyc": "new york",
    "new york city": "new york",
    "la": "los angeles",
    "l.a.": "los angeles",
    "nola": "new orleans",
    "dc": "washington",
    "washington dc": "washington",
    "washington d.c.": "washington",
    "vegas": "las vegas",
    "philly": "philadelphia",
    "cdmx": "mexico city",
    "ciudad de mexico": "mexico city",
    "saint louis": "st. louis",
}


@dataclass(frozen=True)
class Airport:
    code: str
    city: str
    region: str
    country: str
    latitude: float
    longitude: float
    utc_offset: float


def city_key(text: str) -> str:
    """One spelling for all spellings of a city: without region, accents and case."""
    plain = unicodedata.normalize("NFKD", text.split(",")[0].split("(")[0])
    key = " ".join("".join(char for char in plain if not unicodedata.combining(char)).casefold().split())
    return _SHORT.get(key, key)


@cache
def airports() -> tuple[Airport, ...]:
    with (DATA / "airports.csv").open(encoding="utf-8", newline="") as lines:
        return tuple(
            Airport(
                row["code"],
                row["city"],
                row["region"],
                row["country"],
                float(row["latitude"]),
                float(row["longitude"]),
                float(row["utc_offset"]),
            )
            for row in csv.DictReader(lines)
        )


def find_airport(text: str) -> Airport | None:
    """The airport of a code ("AUS"), a city ("Austin, TX") or both ("Austin (AUS)")."""
    words = set(re.findall(r"\b[A-Z]{3}\b", text.upper()))
    key = city_key(text)
    by_city = next((airport for airport in airports() if city_key(airport.city) == key), None)
    return by_city or next((airport for airport in airports() if airport.code in words), None)
