"""Cities in a person's words. A name is a city if it is a known one, or is written like one after `from` or `to`."""

import re
import unicodedata
from collections.abc import Sequence
from functools import cache, lru_cache

from rapidfuzz import fuzz, process

from agent.demo.dates import WEEKDAYS
from agent.demo.numbers import MONTHS
from agent.demo.words import bare, is_common

_CUE = re.compile(
    r"\b(?:(?P<origin>from|out of|leav(?:e|ing)|depart(?:ing)?|(?:live|living|based|home|am|i'm) (?:in|near|at))"
    r"|to|into|in|at|visit(?:ing)?|near|around|towards?|for)\s*(?:my|the|a)?\s*$",
    re.I,
)
_WORD = re.compile(r"(?:St\. ?)?[^\W_][\w'&-]*", re.I)
_NAME = re.compile(r"(?:St\. )?[A-Z][\w'&-]*(?: (?:of |de |la )?(?:St\. )?[A-Z][\w'&-]*){0,3}")
_NO_NAME = re.compile(rf"(?:^| )(?:I|I'm|My|The|A|An|It|This|That|{MONTHS}|{WEEKDAYS})\b.*", re.I)
_REGION = re.compile(r",? ([A-Z]{2})\b|, [A-Z][a-z]+(?=\W*$|,)")
_END = re.compile(r"[,;!?]|(?<!\bst)\.(?:\s|$)|\b(?:in|on|at|from|to|for|with|next|during|around)\b", re.I)
_LONGEST, _ALIKE = 4, 85


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
        if match.start() < end:
            continue
        led = cue(text[: match.start()])
        clause = re.split(_END, text[match.start() :])[0]
        alone = not bare(re.split(r"[,;!?.]", text[end : match.start()])[-1])
        name = _NO_NAME.sub("", written[0]) if led and (written := _NAME.match(clause)) else ""
        words = [word.end() for word in _WORD.finditer(clause)][:_LONGEST]
        for length in reversed(words):
            known = _known(clause[:length], examples)
            sure = (
                led
                or (alone and all(map(is_common, re.findall(r"[^\W\d]+", clause[length:]))))
                or (_example(clause[:length], examples) and clause[0].isupper())
            )
            if known and sure and len(known.split()) >= len(name.split()):
                name = known
                break
        else:
            length = len(name)
        if name:
            end = match.start() + length
            region = _REGION.match(text, end)
            found.append((f"{name}, {region[1]}" if region and region[1] else name, led))  # Austin, TX
            end = region.end() if region and not _known(region[0].strip(" ,"), examples) else end
    return found


def _known(said: str, examples: Sequence[str]) -> str:
    """One of the examples with a typo corrected, else what is the name or the code of a city with an airport."""
    said = said.strip(" .!'\"")
    key = _key(said)
    if is_common(key):
        return ""
    return _example(said, examples) or (said if {key, said} & _cities() else "")


def _example(said: str, examples: Sequence[str]) -> str:
    """The example that is meant, a typo corrected."""
    near = process.extractOne(_key(said), examples, scorer=fuzz.ratio, processor=_key, score_cutoff=_ALIKE)
    return str(near[0]) if near else ""


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
