"""What a person wants of the chat itself (yes, no, enough), and which words say something."""

import re
from functools import lru_cache

_COMMON = frozenset(
    """a an of to in as it is by such and on or no so do be me my we us he at if up i am oh ok the for you your are was were
    will would could should can may might this that these those with from into out off have has had not but all any some our their
    them they his her its who what which when why how please thanks thank want need like love get give take make let see look show
    list find check tell say ask put use try help know think one two three four five six seven eight nine ten first second third
    last next more other others another then there here yes yeah sure okay now just also only very too much many about thing
    things something anything over been instead maybe guess book buy nice good fine great best split page hope mobile reading best""".split()  # noqa: SIM905
)  # the last six are cities, too
_GENERIC = frozenset("the a an of to in for and or on as it is by with from such".split())  # noqa: SIM905
_FILLER = (
    r"oh|well|hm+|uh|um|yeah|yep|yup|nope|nah|perfect|great|fine|agreed|sorry|i'm sorry|actually|ok(?:ay)?|yes|no|not|"
    r"sure|please|thanks|thank you|hello|hi|hey|hola|hallo|bonjour|ciao|and|then|so|it'?s|it is|that'?s|maybe|i think|"
    r"i (?:said|mean|meant|want|would like|choose|pick)|i'd like|make (?:it|that)|let'?s (?:say|do|take|try|go with)|"
    r"(?:how|what) about|i'?ll (?:take|be in|go with)|my city is|try|just|because|my|the"
)
_BEGINS = {
    "filler": rf"(?:(?:{_FILLER})\b[\s,.!:]*)+",
    "agrees": r"(?:yes|yeah|yep|yup|sure|ok(?:ay)?|fine|great|perfect|please do|go (?:ahead|on)|do (?:it|that|so)|sounds good|continue|let'?s (?:go|do)|book it|check ?out|pay|agreed|correct|right|that works|proceed|i agree|good|(?:try |once )?(?:it )?(?:again|more)|retry)\b",
    "refuses": r"(?:no|nope|nah|not|none|don'?t|rather not|(?:it'?s |that'?s )?too \w+)\b",
    "enough": r"(?:no\W+|nope\W+)?(?:(?:thanks?|thank you)\W+)?(?:that'?s|that is|that will be) (?:all|it|enough|everything)\b|(?:no\W+)?nothing (?:else|more)\b|no more\b",
    "stops": r"(?:(?:please |let'?s |i (?:want|would like|'?d like) to |can we )?(?:stop|end|quit|exit|finish)(?: (?:here|now|it|this|the (?:chat|conversation)|conversation|please))*|(?:good)?bye.*|cancel(?: (?:it|this|everything|please))*|never ?mind.*|forget (?:it|about it|everything)|i'?m done.*)\W*$",
    "greets": r"(?:hi|hello|hey|hola|hallo|bonjour|good (?:morning|day|afternoon|evening))\b",
    "thanks": r"(?:thanks?|thank you|thx|cheers|great,? thank)",
    "inquires": r"(?:(?:and|so|now|ok|but|then|hm+|oh|well|yes|no)\W+)*(?:what(?! about)|which|how (?:much|long|many)|when|where|who|does|do (?:you|they|i|we)|is|are)\b",
}
_HOLDS = {
    "wants_help": r"\bwhat (?:else )?(?:can|do|could) you (?:do|help)|\bhow (?:can|do) you (?:help|work)|\bwho are you|^\W*help\b|\bwhat is this\b|\bwhat are (?:my|the) (?:options|choices)|\bwhat (?:do you have|have you got|else is there|is there)\b",
    "changes": r"\b(?:actually|instead|rather|change|another|different|other|switch|sorry|wait|on second thought|make (?:it|that)|what about|how about|i meant|try|also|add|only|more|too|as well|and)\b",
    "everything": r"\b(?:all|each|everything|the (?:whole|entire)|whatever is left)\b",
    "swaps": r"\b(?:the other (?:way|direction)|vice versa|the reverse|swap)\b",
    "both": r"\bboth\b",
    "half": r"\bhalf\b",
    "refers": r"\b(?:it|its|that|they|them|these|those|ones?|others?)\b",
    "anything": r"\b(?:any|any ?(?:thing|where|time|one)|what|where|when|who|which)ever\b|\bany(?:thing|where|time|one)?\b|\byou (?:choose|pick|decide)\b|\bsurprise me\b|\b(?:no preference|don'?t (?:care|mind))\b",
    "unsure": r"\b(?:i don'?t know|i do not know|idk|not sure|no idea|i can'?t decide)\b",
    "swears": r"\b(?:wtf|fuck\w*|shit\w*|damn|crap|bullshit|stupid|idiot|useless|sucks?)\b",
    "states": r"\b(?:is|are|was|were|i|i'm|you|would|want|like|have|has|can|do|does)\b|(?:\S+\s+){6}",
}  # fmt: skip
_WISHES = {name: re.compile(rf"^\W*(?:{wish})", re.I) for name, wish in _BEGINS.items()} | {
    name: re.compile(wish, re.I) for name, wish in _HOLDS.items()
}


def means(text: str, *wishes: str) -> bool:
    """Whether the text begins with, or holds, the words of one of these wishes: `agrees`, `stops`, `thanks` and so on."""
    return any(_WISHES[wish].search(text) for wish in wishes)


def is_anything(text: str) -> bool:
    """The person leaves the choice to us: `whenever`; `anything without meat` doesn't."""
    return means(text, "anything") and not means(text, "inquires") and not content(_WISHES["anything"].sub("", text))


def bare(text: str) -> str:
    """The text without the words that only lead to what is said."""
    return _WISHES["filler"].sub("", text.strip()).strip(" .!?")


@lru_cache(4096)
def words_of(text: str) -> frozenset[str]:
    """The words of a text, lowercase and singular."""
    return frozenset(singular(word) for word in re.findall(r"[^\W_]{2,}", text.lower()) if word not in _GENERIC)


def content(text: str) -> set[str]:
    """Those that say what it is about."""
    return {word for word in words_of(text) if not is_common(word)}


def is_common(word: str) -> bool:
    """It says nothing about a subject."""
    return len(word) < 3 or word.lower().strip(" .!?'\"") in _COMMON


def singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word
