"""Cities in a person's words. A name is a city if it is a known one, or is written like one after `from` or `to`."""

import re
import unicodedata
from collections.abc import Sequence
from functools import cache
from itertools import repeat

from rapidfuzz import fuzz, process

from agent.demo.dates import WEEKDAYS
from agent.demo.numbers import MONTHS
from agent.demo.words import FILLER, is_common

_PREPOSITION = re.compile(
    r"\b((?:(?:leav(?:e|ing)|depart(?:ing)?|fly(?:ing)?) )?(?:from|out of)|leaving|departing|(?:live|living|based|home|am|i'm) (?:in|near|at)|"
    r"to|into|in|at|visit(?:ing)?|near|around|towards?)\s+(?:the\s+)?",
    re.I,
)
_ORIGIN = re.compile(r"leav|depart|from|out of|liv|based|home|am|i'm", re.I)
_NAME = re.compile(r"(?:St\. )?[A-Z][\w'&-]*(?: (?:of |de |la )?(?:St\. )?[A-Z][\w'&-]*){0,3}")
_NO_NAME = re.compile(rf"(?:^| )(?:I|I'm|My|The|A|An|It|This|That|{MONTHS}|{WEEKDAYS})\b.*", re.I)
_REGION = re.compile(r"([A-Z]{2})|[A-Z][a-z]+")
_LONGEST, _ALIKE = 4, 85


def places(text: str, examples: Sequence[str]) -> list[tuple[str, str]]:
    """Each place with what stands before it: `origin` (from), `target` (to) or nothing. examples: of the argument."""
    found: list[tuple[str, str]] = []
    for clause in re.split(r"[,;!?]\s*|(?<!\b[Ss]t)\.(?:\s+|$)", text):
        if found and (region := _REGION.fullmatch(clause.strip())) and not _known(clause, examples):
            found[-1] = (f"{found[-1][0]}, {region[1]}" if region[1] else found[-1][0], found[-1][1])  # Austin, TX
            continue
        parts = ["", *_PREPOSITION.split(FILLER.sub("", clause.strip()))]
        for before, said in zip(parts[::2], parts[1::2], strict=True):
            if value := _place(said.strip(), before, examples):
                found.append((value, "" if not before else "origin" if _ORIGIN.search(before) else "target"))
    named = map(_example, [match[0] for match in _NAME.finditer(text)], repeat(examples))
    return found or [(name, "") for name in named if name]


def _place(said: str, before: str, examples: Sequence[str]) -> str:
    """The place that the words begin with; without a preposition nothing else of weight may follow."""
    words = said.split()
    match = _NAME.match(said) if before else None
    name = _NO_NAME.sub("", match[0]) if match else ""
    for count in range(min(_LONGEST, len(words)), 0, -1):
        known = _known(" ".join(words[:count]), examples)
        if known and (before or all(map(is_common, words[count:])) or words[count][:1].isdigit()):
            return max(name, known, key=lambda value: len(value.split()))
    return name


def _known(said: str, examples: Sequence[str]) -> str:
    """One of the examples with a typo corrected, else what is the name or the code of a city with an airport."""
    said = said.strip(" .!'\"")
    key = _key(said)
    if not key or is_common(key):
        return ""
    if near := _example(said, examples):
        return near
    return said if {key, said} & _cities() else ""


def _example(said: str, examples: Sequence[str]) -> str:
    """The example that is meant, a typo corrected."""
    near = process.extractOne(_key(said), examples, scorer=fuzz.ratio, processor=_key, score_cutoff=_ALIKE)
    return str(near[0]) if near else ""


def _key(name: str) -> str:
    """One spelling for all: without accents and case."""
    letters = unicodedata.normalize("NFKD", name.replace("St. ", "Saint ").replace("st. ", "saint "))
    return "".join(letter for letter in letters if not unicodedata.combining(letter)).casefold()


@cache
def _cities() -> frozenset[str]:
    """Names, and codes in capitals, of all cities with an airport."""
    import airportsdata  # only where there may be a place: it takes a tenth of a second, and 10 MiB

    airports, areas = airportsdata.load("IATA"), airportsdata.load_iata_macs()
    names = [*(one["city"] for one in airports.values()), *(str(one["name"]) for one in areas.values())]
    return frozenset([*airports, *areas, *map(_key, names)])
