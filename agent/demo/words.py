"""The values in a person's words: dates, numbers, choices, places. Prefers no match over a wrong one."""

import calendar
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Literal

from rapidfuzz import fuzz

from agent.demo.arguments import Argument, singular

_ONES = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
_MONTHS = "|".join(f"{name[:3]}(?:{name[3:]})?|{name[:4]}" for name in map(str.lower, calendar.month_name[1:]))
_DAYS = "|".join(f"{name[:3]}(?:{name[3:]})?" for name in map(str.lower, calendar.day_name))
_DATE_WORD = re.compile(rf"\b(?:{_DAYS}|today|tomorrow)\b|\b(?:{_MONTHS})\.? ?\d|\d(?:st|nd|rd|th)?(?: of)? (?:{_MONTHS})\b|\d[-/]\d", re.I)  # fmt: skip
_RANGE = re.compile(rf"(\b(?:{_MONTHS})\.?) (\d{{1,2}})(?:st|nd|rd|th)? ?(?:-|–|to|until|through|and) ?(\d{{1,2}})(?:st|nd|rd|th)?\b(?![-/.]?\d)", re.I)  # fmt: skip
_SPAN = re.compile(rf"\b(\d+|an?|{'|'.join(_ONES)}) (?:working |business )?(day|week)s?\b", re.I)
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_NUMBER = re.compile(rf"(?<![\w.#/-])[$€£]?\s?(\d{{1,3}}(?:,\d{{3}})+(?:\.\d+)?|\d+(?:\.\d+)?)(?![\w/-]|\.\d)|\b({'|'.join(_ONES)}|an?)\b", re.I)  # fmt: skip
_CUE = re.compile(
    r"\b(?:(?P<origin>from|out of|leav(?:e|ing)|depart(?:ing)?|(?:live|living|based|home|am|i'm) (?:in|near|at))"
    r"|(?P<target>to|into|in|at|visit(?:ing)?|near|around|towards?|for))\s*(?:my|the|a)?\s*$",
    re.I,
)
_FILLER = re.compile(
    r"^(?:(?:oh|well|hm+|yeah|yep|yup|nope|nah|perfect|great|fine|agreed|sorry|i'm sorry|actually|ok(?:ay)?|yes|no|not|sure|please|thanks|thank you|hello|hi|hey|and|then|"
    r"it'?s|it is|that'?s|i (?:said|mean|meant)|make (?:it|that)|let'?s (?:say|do|take|try|go with)|(?:how|what) about|"
    r"maybe|i think|i'?ll (?:take|be in|go with)|try|just|because|my|the)\b[\s,.!:]*)+",
    re.I,
)
_NAME = r"(?:St\. )?[A-Z][\w'&-]*(?:\.(?=\w))?"
_NAMES = re.compile(rf"{_NAME}(?: (?:of |de |la )?{_NAME})*(?:, [A-Z]{{2}}\b)?")
_SMALL = re.compile(r"(?:st\. )?[a-z][\w']*(?: [a-z][\w']*){0,3}")
_NO_PLACE = re.compile(
    r"\b(?:i|i'm|i'd|i'll|me|my|we|you|he|she|it|they|this|that|these|those|there|here|what|which|who|where|when|why|how|"
    r"some|any|all|everything|something|anything|nothing|somewhere|anywhere|is|are|am|was|be|do|does|did|have|has|can|could|"
    r"will|would|should|may|might|want|need|like|love|prefer|think|know|see|get|go|going|come|make|take|buy|book|order|show|"
    r"find|tell|help|look|ask|use|pay|give|send|move|put|add|cancel|change|start|stop|end|wait|hello|hi|hey|thanks|thank|"
    r"please|yes|no|not|nope|ok|okay|sure|fine|great|perfect|good|maybe|one|first|second|third|last|thing|people|"
    rf"today|tomorrow|next|week|weekend|month|the|a|an|and|{_MONTHS}|{_DAYS}|{'|'.join(_ONES)})\b",
    re.I,
)
_ORIGIN = re.compile(r"(?:leav|depart|fly|from|out of|live|living|based|home|am |i'm )", re.I)
_PREPOSITION = re.compile(
    r"\b((?:(?:leav(?:e|ing)|depart(?:ing)?|fly(?:ing)?) )?(?:from|out of)|leaving|departing|(?:live|living|based|home|am|i'm) (?:in|near|at)|"
    r"to|into|in|at|visit(?:ing)?|near|around|towards?)\s+(?:the\s+)?",
    re.I,
)
_ENDS = re.compile(
    r"\s+(?:in|on|at|for|from|to|and|or|but|please|around|during|with|this|next|by|then|because|so|if|instead|thanks|now|"
    rf"{_MONTHS}|{_DAYS})\b.*|\s+\d.*",
    re.I,
)


@dataclass(frozen=True)
class Found:
    """One value, where it stands, and whether `from` or `to` (or their like) comes before it."""

    at: int
    value: str
    cue: Literal["origin", "target", ""] = ""


def find(
    arguments: Sequence[Argument],
    text: str,
    asked: Argument | None,
    today: date,
    topics: frozenset[str] = frozenset(),
) -> dict[str, str]:
    """The values of one tool's arguments in one message.

    asked: the argument that the message answers, if any. topics: words of the goal and its tools, which name no place.
    """
    values: dict[str, str] = {}
    for argument in arguments:
        if argument.kind == "email" and (email := _EMAIL.search(text)):
            values[argument.name] = email[0]
        elif argument.kind == "code" and (code := _code(argument, text, asked == argument)):
            values[argument.name] = code
        elif argument.kind == "text" and asked == argument and (words := bare(text)):
            values[argument.name] = words
    groups: dict[tuple[str, tuple[str, ...]], list[Argument]] = {}
    for argument in arguments:
        groups.setdefault((argument.kind, argument.choices), []).append(argument)
    for (kind, allowed), group in groups.items():
        mine = asked if asked in group else None
        if kind == "choice":
            values |= _shared(group, choices(text, allowed, mine is not None), mine, asked)
        elif kind == "place":
            values |= _shared(group, _places(text, mine, topics), mine, asked)
        elif kind == "date":
            values |= _shared_dates(group, text, mine, today)
        elif kind == "number" and (number := numbers(text, today, alone=mine is not None)):
            values[(mine or group[0]).name] = number[0]
    return values


def _shared(
    group: Sequence[Argument], found: list[Found], mine: Argument | None, asked: Argument | None
) -> dict[str, str]:
    """Which argument means which value: by the words before it, else the one that was asked for, else by their order."""
    values: dict[str, str] = {}
    plain = []
    for one in found:
        fits = [argument for argument in group if one.cue and argument.origin == (one.cue == "origin")]
        if fits and (len(group) > 1 or mine or one.cue == "target" or fits[0].origin):
            left = [argument for argument in fits if argument.name not in values]
            values[(mine if mine in fits else (left or fits)[0]).name] = one.value
        elif not one.cue or (mine and len(found) == 1 and one.cue == "target"):
            plain.append(one)
    if mine is None and asked is not None and asked.kind == group[0].kind:
        return values  # an answer to another question; only what is said to be from or to somewhere counts here
    order = [mine] if mine else []
    order += [argument for argument in group if argument != mine and not (argument.kind == "place" and argument.origin)]
    for one in plain:
        left = [argument for argument in order if argument.name not in values]
        if left and one.value not in values.values():
            values[left[0].name] = one.value
        elif order and (mine or len(group) == 1):
            values[order[0].name] = one.value  # the last of several: people correct themselves
    return values


def _shared_dates(group: Sequence[Argument], text: str, mine: Argument | None, today: date) -> dict[str, str]:
    days = dates(text, today)
    if len(days) > 1 and len(group) > 1:
        return {argument.name: day.value for argument, day in zip(group, days, strict=False)}
    if not days:
        return {}
    until = re.search(r"\b(?:until|till|through|to)\s*$", text[: days[0].at], re.I)
    place = group[1:] if until else [mine] if mine else group
    return {place[0].name: days[0].value} if place else {}


def span(text: str, today: date) -> int:
    """How many days a message asks for, in words such as `only 2 days`; 0 = it doesn't, or names dates."""
    match = _SPAN.search(text)
    if not match or dates(text, today):
        return 0
    count = (
        int(match[1])
        if match[1].isdigit()
        else max(1, _ONES.index(match[1].lower()) if match[1].lower() in _ONES else 1)
    )
    return count * (7 if match[2].lower() == "week" else 1)


@lru_cache(1024)
def dates(text: str, today: date) -> list[Found]:
    """Days in the order they are named, as ISO dates; one without a year is the next such day."""
    if not _DATE_WORD.search(text):
        return []
    from dateparser.search import search_dates  # only where there is a date: the import takes a while

    plain = re.sub(r"\b(?:the )?day after tomorrow\b", (today + timedelta(2)).isoformat(), text, flags=re.I)
    plain = _EMAIL.sub(" ", _RANGE.sub(r"\1 \2 to \1 \3", plain))
    settings = {"PREFER_DATES_FROM": "future", "RELATIVE_BASE": datetime.combine(today, datetime.min.time())}
    found, at = [], 0
    for words, moment in search_dates(plain, languages=["en"], settings=settings) or []:
        at = plain.find(words, at)
        if _DATE_WORD.search(words) and not _SPAN.fullmatch(words):
            lead = re.match(r"(?:from|on|to|until|till|through|the)\s+", words, re.I)
            found.append(Found(at + (lead.end() if lead else 0), moment.date().isoformat()))
    return found


def numbers(text: str, today: date, *, alone: bool = True) -> list[str]:
    """Numbers in digits or words that are no dates, addresses, spans or places in a list. alone: `one`, `a` count too."""
    if dates(text, today):
        return []
    text = re.sub(rf"{_EMAIL.pattern}|{_SPAN.pattern}|(?:\bnumber|\bno\.|\boption|#)\s*\d+", " ", text, flags=re.I)
    found = []
    for match in _NUMBER.finditer(text):
        word = (match[2] or "").lower()
        if word in ("one", "a", "an") and not ((alone and text[match.end() :].strip(" .!") != "") or bare_number(text)):
            continue
        if word == "one" and re.search(
            r"\b(?:the|that|this|which|\w+(?:st|nd|rd|th))\s+(?:\w+ )?$", text[: match.start()], re.I
        ):
            continue
        found.append(match[1].replace(",", "") if match[1] else str(_ONES.index(word) if word in _ONES else 1))
    return found


def bare_number(text: str) -> int | None:
    """The number that a clause of the message consists of: `1, from NYC` -> 1."""
    for clause in re.split(r"[,;!]|\.\s", text):
        if match := re.fullmatch(
            rf"\W*(?:number |option |no\. ?)?(\d{{1,2}}|{'|'.join(_ONES)})\W*(?:please\W*)?", clause, re.I
        ):
            return int(match[1]) if match[1].isdigit() else _ONES.index(match[1].lower())
    return None


def choices(text: str, allowed: Sequence[str], asked: bool) -> list[Found]:
    """Every choice named in the text, in order; the longest where several begin at one place; small typos are corrected."""
    found: dict[int, str] = {}
    for value in sorted(allowed, key=len, reverse=True):
        words = r"[\s_-]+".join(re.escape(part) for part in re.split(r"[\s_-]+", value))
        for match in re.finditer(rf"(?<!\w)(?:{words}|{re.escape(value[:3])}\.?)(?:s|'s)?(?!\w)", text, re.I):
            short = len(match[0].strip(".")) < len(value)
            before = text[: match.start()]
            doubtful = short or match[0] in ("may", "march")
            if (
                doubtful
                and not asked
                and not re.fullmatch(r"\W*", before + text[match.end() :])
                and not re.search(r"\b(?:in|during|for|of|next|early|late|mid|about|to|from)\s+$", before)
            ):
                continue
            if short and any(other != value and other[:3].lower() == value[:3].lower() for other in allowed):
                continue
            if not any(at <= match.start() < at + len(other) for at, other in found.items()):
                found[match.start()] = value
    for match in re.finditer(r"[^\W\d_]{4,}", text) if not found else ():
        near = [value for value in allowed if _near(match[0], value, asked)]
        if len(near) == 1:
            found[match.start()] = near[0]
    return [Found(at, found[at], _cue(text, at)) for at in sorted(found)]


def _near(word: str, value: str, asked: bool) -> bool:
    """A typo of one of its words, or, in an answer, the beginning of one: `pizza` is the pizzeria."""
    parts = value.lower().split()
    if any(len(part) > 4 and word.lower() != part and fuzz.ratio(word.lower(), part) >= 80 for part in parts):
        return True
    return asked and any(part.startswith(word.lower()[:4]) for part in parts)


def _cue(text: str, at: int) -> Literal["origin", "target", ""]:
    match = _CUE.search(text[:at])
    return "" if not match else "origin" if match["origin"] else "target"


def _places(text: str, mine: Argument | None, topics: frozenset[str]) -> list[Found]:
    """Names of places: after a preposition, or a clause that is a name and nothing else. Small letters count in an
    answer, and where nothing is written in capitals."""
    small = mine is not None or re.sub(r"\bI\b", "i", text) == text.lower()
    found: list[Found] = []
    for clause in re.split(r"[,;!?]\s*|(?<!\b[Ss]t)\.(?:\s+|$)", text):
        if found and re.fullmatch(r"[A-Z][A-Za-z]+\W*", clause) and found[-1].at == -1:
            state = clause.strip() if re.fullmatch(r"[A-Z]{2}", clause.strip()) else ""  # Austin, TX; Portland, Oregon
            found[-1] = Found(0, f"{found[-1].value}, {state}" if state else found[-1].value, found[-1].cue)
            continue
        for before, words in _segments(clause):
            name = _NAMES.match(words) or (_SMALL.match(words) if small else None)
            value = _ENDS.sub("", name[0]).strip(" .") if name else ""
            rest = words[len(value) :].strip(" .!")
            whole = not rest or re.match(r"(?:please|then|instead|for|next|on|with|and|\d)\b", rest, re.I)
            known = not before and singular(value.split()[0].lower()) in topics if value else False
            if (
                value
                and (before or whole)
                and not known
                and not (_NO_PLACE.search if value.islower() else _NO_PLACE.match)(value)
            ):
                cue: Literal["origin", "target", ""] = (
                    "" if not before else "origin" if _ORIGIN.match(before) else "target"
                )
                found.append(Found(-1, value, cue))
    return found


def _segments(clause: str) -> list[tuple[str, str]]:
    """The preposition and what follows it, for each; first what comes before any."""
    parts = _PREPOSITION.split(_FILLER.sub("", clause.strip()))
    return [("", parts[0].strip()), *((parts[at].strip(), parts[at + 1].strip()) for at in range(1, len(parts), 2))]


def _code(argument: Argument, text: str, asked: bool) -> str:
    """A word shaped like the argument's examples: 1042 for 1047, TO-7 for TO-001."""
    shapes = {re.sub(r"(\d+)", lambda part: rf"\d{{{max(1, len(part[0]) - 2)},{len(part[0]) + 2}}}", re.escape(one).replace("\\-", "-")) for one in argument.examples}  # fmt: skip
    named = re.escape(argument.name.replace("_", " "))
    for shape in shapes:
        loose = (
            "" if asked or re.search(r"[A-Za-z]", re.sub(r"\\d", "", shape)) else rf"\b{named}\W+(?:number |no\. ?|#)?"
        )
        if match := re.search(rf"{loose}(?<![\w.,$])({shape})(?![\w]|[.,]\d)", text, re.I):
            return match[1]
    return ""


def bare(text: str) -> str:
    """The message as the value of an argument that takes any words; "" for a question."""
    return "" if text.rstrip().endswith("?") else _FILLER.sub("", text.strip()).strip(" .!")[:200]


_ORDINALS = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"]


def ordinals(text: str, count: int, *, bare: bool) -> list[int]:
    """Places in a list of `count`, from 0: `the second one`, `#2`, `the last`, `the first two`; bare: `2` too."""
    lowered = text.lower()
    counts = "|".join([*_ONES[1:], r"\d+"])
    if match := re.search(rf"\b(first|last) ({counts})\b", lowered):
        many = int(match[2]) if match[2].isdigit() else _ONES.index(match[2])
        return list(range(count))[:many] if match[1] == "first" else list(range(count))[-many:]
    found = [_ORDINALS.index(match[1]) for match in re.finditer(rf"\b({'|'.join(_ORDINALS)})\b(?! (?:of )?(?:{_MONTHS}))", lowered)]  # fmt: skip
    found += [int(match[1] or match[2]) - 1 for match in re.finditer(r"(?:\bnumber |\bno\. ?|\boption |#)(\d+)|\b(\d+)(?:st|nd|rd|th)\b", lowered)]  # fmt: skip
    if re.search(r"\blast\b(?! day)", lowered):
        found.append(count - 1)
    if not found and bare and (number := bare_number(text)) is not None:
        found.append(number - 1)
    return [at for at in dict.fromkeys(found) if 0 <= at < count]


def _says(pattern: str, text: str, *, anywhere: bool = False) -> bool:
    return re.search(pattern if anywhere else rf"^\W*(?:{pattern})", text, re.I) is not None


def agrees(text: str) -> bool:
    return _says(r"(?:yes|yeah|yep|sure|ok(?:ay)?|fine|great|perfect|please do|go (?:ahead|on)|do (?:it|that|so)|sounds good|continue|let'?s (?:go|do)|book it|agreed|correct|right|that works|proceed|i agree|good|(?:try |once )?(?:it )?(?:again|more)|retry)\b", text)  # fmt: skip


def refuses(text: str) -> bool:
    return _says(r"(?:no|nope|nah|not|don'?t|rather not)\b", text)


def enough(text: str) -> bool:
    """Nothing more is wanted: `no thats all`."""
    return _says(r"(?:no\W+|nope\W+)?(?:(?:thanks?|thank you)\W+)?(?:that'?s|that is|that will be) (?:all|it|enough)\b|nothing (?:else|more)\b", text)  # fmt: skip


def stops(text: str) -> bool:
    return enough(text) or _says(r"(?:(?:please |let'?s |i (?:want|would like|'?d like) to |can we )?(?:stop|end|quit|exit|finish)(?: (?:here|now|it|this|the (?:chat|conversation)|conversation|please))*|(?:good)?bye.*|cancel(?: (?:it|this|everything|please))*|never ?mind.*|forget (?:it|about it|everything)|i'?m done.*)\W*$", text)  # fmt: skip


def wants_help(text: str) -> bool:
    return _says(r"\bwhat (?:else )?(?:can|do|could) you (?:do|help)|\bhow (?:can|do) you (?:help|work)|\bwho are you|^\W*help\b|\bwhat is this\b|\bwhat are my (?:options|choices)", text, anywhere=True)  # fmt: skip


def changes(text: str) -> bool:
    """The person takes something back, or adds to it."""
    return _says(r"\b(?:actually|instead|rather|change|another|different|other|switch|sorry|wait|on second thought|make (?:it|that)|what about|how about|i meant|try|also|add|only|more|too|as well|and)\b", text, anywhere=True)  # fmt: skip


def greets(text: str) -> bool:
    return _says(r"(?:hi|hello|hey|good (?:morning|day|afternoon|evening)|thanks?|thank you)\b", text)


def inquires(text: str) -> bool:
    """A question about something, not a request."""
    return _says(
        r"(?:(?:and|so|now|ok|but|then)\W+)*(?:what(?! about)|how (?:much|long|many)|when|where|who|does|is)\b", text
    )


def everything(text: str) -> bool:
    """`all of it`."""
    return _says(r"\b(?:all|everything|the (?:whole|entire)|whatever is left)\b", text, anywhere=True)


def resembling(words: Iterable[str], other: str) -> set[str]:
    """Those words that are one of the other text's, with a typo, in the plural, or as a part of it."""
    theirs = re.findall(r"[^\W_]{3,}", other.lower())
    return {word for word in words if any(_alike(word, one) for one in theirs)}


def _alike(word: str, other: str) -> bool:
    if len(word) < 4 or len(other) < 4:
        return word == other
    return word[:5] == other[:5] or (len(word) > 4 and word.rstrip("s") in other) or fuzz.ratio(word, other) >= 80


_COMMON = frozenset(
    [
        "the",
        "and",
        "for",
        "you",
        "your",
        "are",
        "was",
        "were",
        "will",
        "would",
        "could",
        "should",
        "can",
        "may",
        "might",
        "this",
        "that",
        "these",
        "those",
        "with",
        "from",
        "into",
        "out",
        "off",
        "have",
        "has",
        "had",
        "not",
        "but",
        "all",
        "any",
        "some",
        "our",
        "their",
        "them",
        "they",
        "his",
        "her",
        "its",
        "who",
        "what",
        "which",
        "when",
        "why",
        "how",
        "please",
        "thanks",
        "thank",
        "want",
        "need",
        "like",
        "love",
        "get",
        "give",
        "take",
        "make",
        "let",
        "see",
        "look",
        "show",
        "list",
        "find",
        "check",
        "tell",
        "say",
        "ask",
        "put",
        "use",
        "try",
        "help",
        "know",
        "think",
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "first",
        "second",
        "third",
        "last",
        "next",
        "more",
        "other",
        "another",
        "then",
        "there",
        "here",
        "yes",
        "yeah",
        "sure",
        "okay",
        "now",
        "just",
        "also",
        "only",
        "very",
        "too",
        "much",
        "many",
        "about",
        "thing",
        "things",
        "something",
        "anything",
        "over",
        "back",
        "been",
    ]
) - {"back"}


def is_common(word: str) -> bool:
    """A word that says nothing about a subject."""
    return word.lower() in _COMMON


def is_sentence(text: str) -> bool:
    """It says something by itself; a few words without a verb may be an answer that was not understood."""
    return len(text.split()) > 6 or _says(
        r"\b(?:is|are|was|were|i|i'm|you|would|want|like|have|has|can|do|does)\b", text, anywhere=True
    )
