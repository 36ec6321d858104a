"""People are identified by their email address."""

import re
from typing import Annotated

from pydantic import AfterValidator


def _address(text: str) -> str:
    if not re.fullmatch(r"[^\s@]+@[^\s@]+\.[^\s@]+", text):
        raise ValueError("must be an email address such as alex.rivera@example.com")
    return text.lower()


PEOPLE = ["alex.rivera@example.com", "mei.tanaka@example.com"]
"""Two of those in the mock data; the examples of every argument that is an email address."""

Email = Annotated[str, AfterValidator(_address)]
