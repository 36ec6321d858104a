"""What a person wants of the chat itself: yes, no, enough, help, something else. And which words say nothing."""

import re
from collections.abc import Iterable

from rapidfuzz import fuzz

FILLER = re.compile(
    r"^(?:(?:oh|well|hm+|uh|um|yeah|yep|yup|nope|nah|perfect|great|fine|agreed|sorry|i'm sorry|actually|ok(?:ay)?|yes|no|not|sure|please|thanks|thank you|hello|hi|hey|hola|hallo|bonjour|ciao|and|then|so|"
    r"it'?s|it is|that'?s|i (?:said|mean|meant|want|would like|choose|pick)|i'd like|make (?:it|that)|let'?s (?:say|do|take|try|go with)|(?:how|what) about|"
    r"maybe|i think|i'?ll (?:take|be in|go with)|my city is|try|just|because|my|the)\b[\s,.!:]*)+",
    re.I,
)
_COMMON = re.compile(
    "the|and|for|you|your|are|was|were|will|would|could|should|can|may|might|this|that|these|those|with|from|into|out|off|"
    "have|has|had|not|but|all|any|some|our|their|them|they|his|her|its|who|what|which|when|why|how|please|thanks|thank|want|"
    "need|like|love|get|give|take|make|let|see|look|show|list|find|check|tell|say|ask|put|use|try|help|know|think|one|two|"
    "three|four|five|six|seven|eight|nine|ten|first|second|third|last|next|more|others?|another|then|there|here|yes|yeah|"
    "sure|okay|now|just|also|only|very|too|much|many|about|things?|something|anything|over|been|instead|maybe|guess|"
    "book|buy|nice|good|fine|great|split|page|hope|mobile|reading"  # which are cities, too
)
_MEANS = {
    "agrees": r"(?:yes|yeah|yep|yup|sure|ok(?:ay)?|fine|great|perfect|please do|go (?:ahead|on)|do (?:it|that|so)|sounds good|continue|let'?s (?:go|do)|book it|check ?out|pay|agreed|correct|right|that works|proceed|i agree|good|(?:try |once )?(?:it )?(?:again|more)|retry)\b",
    "refuses": r"(?:no|nope|nah|not|don'?t|rather not)\b",
    "enough": r"(?:no\W+|nope\W+)?(?:(?:thanks?|thank you)\W+)?(?:that'?s|that is|that will be) (?:all|it|enough)\b|(?:no\W+)?nothing (?:else|more)\b|no more\b",
    "stops": r"(?:(?:please |let'?s |i (?:want|would like|'?d like) to |can we )?(?:stop|end|quit|exit|finish)(?: (?:here|now|it|this|the (?:chat|conversation)|conversation|please))*|(?:good)?bye.*|cancel(?: (?:it|this|everything|please))*|never ?mind.*|forget (?:it|about it|everything)|i'?m done.*)\W*$",
    "greets": r"(?:hi|hello|hey|hola|hallo|bonjour|good (?:morning|day|afternoon|evening))\b",
    "thanks": r"(?:thanks?|thank you|thx|cheers|great,? thank)",
    "inquires": r"(?:(?:and|so|now|ok|but|then|hm+|oh|well|yes|no)\W+)*(?:what(?! about)|which|how (?:much|long|many)|when|where|who|does|do (?:you|they|i|we)|is|are)\b",
}
_HOLDS = {
    "wants_help": r"\bwhat (?:else )?(?:can|do|could) you (?:do|help)|\bhow (?:can|do) you (?:help|work)|\bwho are you|^\W*help\b|\bwhat is this\b|\bwhat are (?:my|the) (?:options|choices)|\bwhat (?:do you have|have you got|else is there|is there)\b",
    "changes": r"\b(?:actually|instead|rather|change|another|different|other|switch|sorry|wait|on second thought|make (?:it|that)|what about|how about|i meant|try|also|add|only|more|too|as well|and)\b",
    "everything": r"\b(?:all|each|everything|the (?:whole|entire)|whatever is left)\b",
    "both": r"\bboth\b",
    "half": r"\bhalf\b",
    "refers": r"\b(?:it|its|that|they|them|these|those|ones?|others?)\b",
    "anything": r"\b(?:any|any ?(?:thing|where|time|one)|what|where|when|who)ever\b|\bany(?:thing|where|time|one)?\b|\byou (?:choose|pick|decide)\b|\bsurprise me\b|\b(?:no preference|don'?t (?:care|mind))\b",
    "swears": r"\b(?:wtf|fuck\w*|shit\w*|damn|crap|bullshit|stupid|idiot|useless|sucks?)\b",
}  # fmt: skip
_PATTERNS = {name: re.compile(rf"^\W*(?:{means})", re.I) for name, means in _MEANS.items()} | {
    name: re.compile(holds, re.I) for name, holds in _HOLDS.items()
}


def means(text: str, *wishes: str) -> bool:
    """Whether the text begins with, or holds, the words of one of these wishes: `agrees`, `stops`, `thanks` and so on."""
    return any(_PATTERNS[wish].search(text) for wish in wishes)


def is_anything(text: str) -> bool:
    """The person leaves the choice to us: `whenever`."""
    return means(text, "anything") and not means(text, "inquires")


def content(text: str) -> set[str]:
    """The words that say what it is about, lowercase."""
    return {word for word in re.findall(r"[^\W_]{3,}", text.lower()) if not _COMMON.fullmatch(word)}


def is_common(word: str) -> bool:
    """A word that says nothing about a subject."""
    return len(word) < 3 or _COMMON.fullmatch(word.lower().strip(" .!?'\"")) is not None


def resembling(words: Iterable[str], other: str) -> set[str]:
    """Those words that are one of the other text's, with a typo, in the plural, or as a part of it."""
    theirs = re.findall(r"[^\W_]{3,}", other.lower())
    return {word for word in words if any(_alike(word, one) for one in theirs)}


def _alike(word: str, other: str) -> bool:
    if len(word) < 4 or len(other) < 4:
        return word == other
    return word[:5] == other[:5] or (len(word) > 4 and word.rstrip("s") in other) or fuzz.ratio(word, other) >= 80


def is_sentence(text: str) -> bool:
    """It says something by itself; a few words without a verb may be an answer that was not understood."""
    return len(text.split()) > 6 or bool(re.search(r"\b(?:is|are|was|were|i|i'm|you|would|want|like|have|has|can|do|does)\b", text, re.I))  # fmt: skip
