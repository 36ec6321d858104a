"""How people are told apart in the mock world: by their address."""

import re
from typing import Annotated

from pydantic import AfterValidator


def _address(text: str) -> str:
    if not re.fullmatch(r"[^\s@]+@[^\s@]+\.[^\s@]+", text):
        raise ValueError("must be an address such as alex.rivera@example.com")
    return text.lower()


PEOPLE = ["alex.rivera@example.com", "mei.tanaka@example.com"]
"""Two of those whom the mock world knows; the examples of every argument that is an address."""

Email = Annotated[str, AfterValidator(_address)]
