"""What a person's words do: agree, refuse, stop, ask for help, take something back, pick one of a list."""

import re
from typing import Any

from agent.llm.scripted.extract import MONTHS, ONES

_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
_EMPTY = re.compile(
    r"the|ones?|please|would|like|want|with|that|this|from|take|for|and|you|can|book|attend|event|flight|go|pick|choose|some|what|which|there|have|your|they|them|their|when|where|will|could|should|about|help|then|than|type|string|description|properties|parameters|name|required|object"
)


def pick(text: str, items: list[Any], prefer: str, asked: bool) -> int | None:
    """Which item of a list the message picks: by its place, by what it is called, or by agreeing to the preferred."""
    lowered = text.lower()
    preferred = next(
        (at for at, item in enumerate(items) if prefer and isinstance(item, dict) and item.get(prefer)), None
    )
    ranked = rf"(?:{'|'.join(_ORDINALS)})[\s-]+|\bnot (?:the )?|n't (?:\w+ )?(?:the )?"
    named = re.search(rf"({ranked})?\b{re.escape(prefer)}\b", lowered) if prefer else None
    if named and not named[1]:
        return preferred
    place = None
    if match := re.search(rf"\b({'|'.join(_ORDINALS)})\b(?!\s+(?:of\s+)?(?:{'|'.join(MONTHS)}))", lowered):
        place = _ORDINALS.index(match[1])
    elif match := re.search(
        r"(?:\bnumber |\bno\. ?|\boption |#)(\d+)|^\W*(\d{1,2})\W*$|\b(\d+)(?:st|nd|rd|th) one\b", lowered
    ):
        place = int(next(group for group in match.groups() if group)) - 1
    elif re.search(r"\blast\b", lowered):
        place = len(items) - 1
    elif asked and (match := re.search(rf"(?:number |option |^\W*)({'|'.join(ONES[1:])})\W*$", lowered)):
        place = ONES.index(match[1]) - 1
    if place is not None:
        return place if 0 <= place < len(items) else None
    for texts in ([title(item) for item in items], [" ".join(_strings(item)) for item in items]):
        scores = [len(words(lowered) & words(text.lower())) for text in texts]
        best = max(scores, default=0)
        if best and scores.count(best) == 1:
            return scores.index(best)
    return preferred if asked and agrees(text) else None


def words(text: str, stem: int = 0) -> set[str]:
    """The words that mean something; with stem, only longer ones, and the beginnings of those."""
    found = {word for word in re.findall(r"[^\W_']{3,}", text.lower()) if not _EMPTY.fullmatch(word)}
    return {word[:stem] for word in found if len(word) >= stem - 1} if stem else found


def spaced(name: str) -> str:
    """CheckBalances, check_balances -> check balances."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[_-]+", " ", name).lower()


def _strings(item: Any) -> list[str]:
    return [str(value) for value in (item.values() if isinstance(item, dict) else [item])]


def title(item: Any) -> str:
    """What an item is called."""
    if not isinstance(item, dict):
        return str(item)
    return str(next((item[key] for key in ("name", "title", "airline", "item", "id") if item.get(key)), ""))


def agrees(text: str) -> bool:
    return bool(
        re.match(
            r"\W*(?:yes|yeah|yep|sure|ok(?:ay)?|fine|great|perfect|please do|go (?:ahead|on)|do (?:it|that|so)|sounds good|continue|let'?s (?:go|do)|book it|agreed|correct|right|that works|proceed|i agree|good|(?:try |once )?(?:it )?(?:again|more)|retry)\b",
            text,
            re.I,
        )
    )


def refuses(text: str) -> bool:
    return bool(re.match(r"\W*(?:no|nope|nah|not|don'?t|rather not)\b", text, re.I))


def stops(text: str) -> bool:
    return bool(
        re.search(
            r"^\W*(?:(?:please |let'?s |i (?:want|would like|'?d like) to |can we )?(?:stop|end|quit|exit|finish)(?: (?:here|now|it|this|the (?:chat|conversation)|conversation|please))*|(?:good)?bye.*|cancel(?: (?:it|this|everything|please))*|"
            r"(?:no,? )?(?:thanks?|thank you),? (?:that'?s|that is) (?:all|it|enough).*|(?:no,? )?(?:that'?s|that is) (?:all|it|enough).*|never ?mind.*|forget (?:it|about it|everything)|i'?m done.*|nothing (?:else|more).*)\W*$",
            text,
            re.I,
        )
    )


def wants_help(text: str) -> bool:
    return bool(
        re.search(
            r"\bwhat (?:else )?(?:can|do|could) you (?:do|help)|\bhow (?:can|do) you (?:help|work)|\bwho are you|^\W*help\b|\bwhat is this\b",
            text,
            re.I,
        )
    )


def changes(text: str) -> bool:
    """The person takes something back."""
    return bool(re.search(r"\b(?:actually|instead|rather|change|another|different|other|switch|sorry|wait|on second thought|make (?:it|that)|what about|how about|i meant|try)\b", text, re.I))  # fmt: skip


def greets(text: str) -> bool:
    return bool(re.match(r"\W*(?:hi|hello|hey|good (?:morning|day|afternoon|evening)|thanks?|thank you)\b", text, re.I))
