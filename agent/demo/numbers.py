"""Numbers in digits or words: amounts, counts, and places in a list."""

import calendar
import re
from functools import lru_cache

from text_to_num import alpha2digit

EMAIL = r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
_SPAN = r"\b(?:(?:for|only|just) )?(\d+|an?) (?:working |business |whole )?(day|week)s?\b"
MONTHS = "|".join(f"{name[:3]}(?:{name[3:]})?|{name[:4]}" for name in map(str.lower, calendar.month_name[1:]))
_PLACE = rf"(?:\bnumber |\bno\. ?|\boption |#) ?(\d+)\b|\b(\d+)(?:st|nd|rd|th)\b(?! (?:of )?(?:{MONTHS})\b)"
_NUMBER = r"(?<![\w.#/-])[$€£]? ?(\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)(?![\w/-]|\.\d)"
_PLAIN = (
    (r"\b((?:the|that|this|which|no|any|an?|first|second|third|fourth|fifth|sixth|last|next|\d+(?:st|nd|rd|th))(?: \w+)?) ones?\b", r"\1"),
    (r"\ba (?:couple|few)(?: of)?\b", "2"),
    (r"\bhalf a dozen\b", "6"),
    (r"\ba dozen\b", "12"),
    (r"\ba grand\b", "1000"),
    (r"\b(?:x ?(\d+)|(\d+) ?x)\b", r"\1\2"),
)  # fmt: skip


@lru_cache(1024)
def digits(text: str) -> str:
    """The text with numbers in digits: `two hundred and fifty` is 250, `1.5k` 1500, `the second one` the 2nd."""
    for pattern, plain in _PLAIN:
        text = re.sub(pattern, plain, text, flags=re.I)
    text = re.sub(r"\ban? (?=\d)", "", alpha2digit(text, "en", 0))
    text = re.sub(
        r"\b(\d+(?:\.\d+)?) ?(?:k|grand|1000)\b", lambda found: f"{float(found[1]) * 1000:.10g}", text, flags=re.I
    )
    return re.sub(r"(\d+) ?(?:dollars|bucks|euros|[$€£])? and (\d\d) cents\b", r"\1.\2", text, flags=re.I)


def numbers(text: str, *, article: bool = True) -> list[str]:
    """Numbers that are no addresses, lengths of time or places in a list. article: `a pizza` is one of it."""
    plain = re.sub(rf"{EMAIL}|{_SPAN}|{_PLACE}", " ", digits(text), flags=re.I)
    found = [match[1].replace(",", "") for match in re.finditer(_NUMBER, plain)]
    return found or (["1"] if article and re.search(r"\ban? \w", plain, re.I) else [])


def bare_number(text: str) -> int | None:
    """The number that a clause of the message consists of: `1, from NYC` -> 1."""
    for clause in re.split(r"[,;!]|\.\s", digits(text)):
        if match := re.fullmatch(r"\W*(?:number |option |no\. ?)?(\d{1,2})\W*(?:please\W*)?", clause, re.I):
            return int(match[1])
    return None


def ordinals(text: str, count: int, *, bare: bool = False) -> list[int]:
    """Places in a list of `count`, from 0: `the second one`, `#2`, `the last`, `the first two`; bare: `2` too."""
    lowered, all_places = digits(text).lower(), list(range(count))
    if match := re.search(r"\b(1st|last) (\d+)\b", lowered):
        return all_places[: int(match[2])] if match[1] == "1st" else all_places[-int(match[2]) :]
    found = [int(match[1] or match[2]) - 1 for match in re.finditer(_PLACE, lowered)]
    if re.search(r"\b(?:last|bottom)\b(?! day)", lowered):
        found.append(count - 1)
    if not found and bare and (number := bare_number(text)) is not None:
        found.append(number - 1)
    return [at for at in dict.fromkeys(found) if at in all_places]


def days_in(text: str) -> int:
    """How many days a message asks for, in words such as `only 2 days`; 0 = it doesn't."""
    if not (match := re.search(rf"(?<!in ){_SPAN}", digits(text), re.I)):
        return 0
    return (int(match[1]) if match[1].isdigit() else 1) * (7 if match[2].lower() == "week" else 1)
