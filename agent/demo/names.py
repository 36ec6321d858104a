"""What has a name (a choice, a row of a list, a sample identity), found in a person's words."""

import re
from collections.abc import Iterable
from functools import lru_cache

from rapidfuzz import fuzz

from agent.demo.words import is_common, singular, words_of


def resembling(said: Iterable[str], other: str) -> set[str]:
    """Those words that are one of the other text's, with a typo, in the plural, or as a part of it."""
    return {word for word in said if any(alike(word, one) for one in words_of(other))}


@lru_cache(4096)
def alike(word: str, other: str) -> bool:
    word, other = singular(word.lower()), singular(other.lower())
    if len(word) < 4 or len(other) < 4:
        return word == other
    return other.startswith(word) or word.startswith(other) or (len(word) > 4 and word in other) or fuzz.ratio(word, other) > 80  # fmt: skip


@lru_cache(1024)
def mentions(text: str, names: tuple[str, ...], *, loose: bool = False) -> list[tuple[int, int, int]]:
    """Which of the names are in the text: where each begins and ends there, and its place in the list.

    Neighbouring words name one thing together; words that could be several things name none. loose: the beginning of a
    word will do, `pizza` for the pizzeria.
    """
    found: list[tuple[int, int, set[int]]] = []
    parts = [words_of(name) for name in names]
    for match in re.finditer(r"[^\W_]{3,}", text):
        word = match[0].lower()
        if is_common(word):
            meant = {at for at, name in enumerate(names) if name.lower() == word}
        else:
            meant = {at for at, its in enumerate(parts) if any(alike(word, one) for one in its)} or {
                at for at, its in enumerate(parts) if loose and any(one.startswith(word[:4]) for one in its)
            }
        if found and found[-1][2] & meant:
            found[-1] = found[-1][0], match.end(), found[-1][2] & meant
        elif meant:
            found.append((match.start(), match.end(), meant))
    return [(start, end, min(meant)) for start, end, meant in found if len(meant) == 1]
