"""Cities in a person's words. A name is a city if it is a known one, or is written like one after `from` or `to`."""

import re
import unicodedata
from functools import cache, lru_cache

from rapidfuzz import fuzz, process

from agent.demo.dates import WEEKDAYS
from agent.demo.numbers import MONTHS
from agent.demo.words import bare, is_common

_CUE = re.compile(
    r"\b(?:(?P<origin>from|out of|leav(?:e|ing)|depart(?:ing)?|(?:live|living|based|home|am|i'm) (?:in|near|at))"
    r"|to|into|in|at|visit(?:ing)?|near|around|towards?|for|during|next|early|late|mid|about)\s*(?:my|the|a)?\s*$",
    re.I,
)
_WORD = re.compile(r"(?:St\. ?)?[^\W_][\w'&-]*", re.I)
_NAME = re.compile(r"(?:St\. )?[A-Z][\w'&-]*(?: (?:of |de |la )?(?:St\. )?[A-Z][\w'&-]*)*")
_NO_NAME = re.compile(rf"\b(?:I|I'm|My|The|A|An|It|This|That|{MONTHS}|{WEEKDAYS})\b", re.I)
_END = re.compile(r"[,;!?]|(?<!\bst)\.(?:\s|$)|\b(?:in|on|at|from|to|for|with|next|during|around)\b", re.I)
_REGION = re.compile(r",? ([A-Z]{2})\b|, [A-Z][a-z]+(?=\W*$|,)")
_LONGEST, _NEAR, _ALIKE = 4, 100, 85


def cue(before: str) -> str:
    """What the words before a place, or another thing, make of it: `origin` (from), `target` (to) or nothing."""
    found = _CUE.search(before)
    return "" if not found else "origin" if found["origin"] else "target"


@lru_cache(1024)
def places(text: str, examples: tuple[str, ...]) -> list[tuple[str, str]]:
    """Each place with its cue. examples: of the argument."""
    found: list[tuple[str, str]] = []
    end = 0
    for match in _WORD.finditer(text):
        start = match.start()
        before, clause = text[max(end, start - _NEAR) : start], _END.split(text[start : start + _NEAR])[0]
        led, alone = cue(before), not bare(re.split(r"[,;!?.]", before)[-1])
        for length in [word.end() for word in _WORD.finditer(clause)][_LONGEST - 1 :: -1] if start >= end else ():
            said, rest = clause[:length], re.findall(r"[^\W\d]+", clause[length:])
            near = _near(_key(said), examples)
            name = near or (said if {_key(said), said} & _cities() and not is_common(said) else "")
            clear = led or (alone and all(map(is_common, rest))) or (near and said[0].isupper())
            written = led and _NAME.fullmatch(said) and not _NO_NAME.search(said)
            if written or (name and clear):
                region = _REGION.match(text, start + length)  # Austin, TX
                found.append((f"{name or said}, {region[1]}" if region and region[1] else name or said, led))
                end = region.end() if region and region[0].strip(" ,") not in examples else start + length
                break
    return found


def _near(key: str, examples: tuple[str, ...]) -> str:
    """The example that is meant: a typo corrected, the beginning completed (san fran)."""
    begun = [one for one in examples if len(key) > _LONGEST and _key(one).startswith(key)]
    alike = process.extractOne(key, examples, scorer=fuzz.ratio, processor=_key, score_cutoff=_ALIKE)
    return str(alike[0]) if alike else begun[0] if len(begun) == 1 else ""


@lru_cache(4096)
def _key(name: str) -> str:
    """One spelling for all: without accents and case."""
    letters = unicodedata.normalize("NFKD", re.sub(r"\bst\. ?", "saint ", name, flags=re.I))
    return "".join(letter for letter in letters if not unicodedata.combining(letter)).casefold()


@cache
def _cities() -> frozenset[str]:
    """Names, and codes in capitals, of all cities with an airport."""
    import airportsdata  # only where there may be a place: it takes a tenth of a second, and 10 MiB

    airports, areas = airportsdata.load("IATA"), airportsdata.load_iata_macs()
    names = [*(one["city"] for one in airports.values()), *(str(one["name"]) for one in areas.values())]
    return frozenset([*airports, *areas, *map(_key, names)])
