"""What a plain "yes" or "no" under a card means. Pure."""

import re
from typing import Literal

_YES = {
    *("yes", "y", "yeah", "yep", "yup", "ok", "okay", "sure", "confirm", "confirmed", "approve", "approved", "do it"),
    *("go ahead", "please do", "yes please", "yes go ahead", "yes do it", "yes confirm", "ok go ahead", "sounds good"),
}
_NO = {"no", "n", "nope", "nah", "no thanks", "no thank you", "decline", "declined", "cancel", "don't", "do not"}


def verdict(text: str) -> Literal["confirm", "decline", ""]:
    """confirm or decline, or "" for anything that says more than that."""
    said = " ".join(re.sub(r"[.,!…]+", " ", text.lower().replace("’", "'")).split())
    return "confirm" if said in _YES else "decline" if said in _NO else ""
