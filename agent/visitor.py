"""Visitor: who asks. What they may do with a chat is checked in agent/client.py."""

import hashlib
import re
from dataclasses import dataclass

from agent.text import sanitize_text

_ID_LENGTH = 32
_NAME_LENGTH = 60


@dataclass(frozen=True)
class Visitor:
    """id: stable, and what the server keeps of them with their chats; "" = nobody. label: how their decisions name them."""

    id: str
    label: str
    is_owner: bool = False

    def owns(self, owner: str) -> bool:
        """Whether a chat that belongs to `owner` is theirs; the installation's owner owns all."""
        return self.is_owner or (self.id != "" and self.id == owner)


OWNER = Visitor("owner", "the owner", is_owner=True)
NOBODY = Visitor("", "")


def of_browser(secret: str) -> Visitor:
    """The visitor whose browser keeps this secret."""
    found = _digest("browser", secret)
    return Visitor(found, f"visitor {found[:6]}")


def of_login(issuer: str, subject: str, name: str = "", email: str = "") -> Visitor:
    """The visitor whom an OpenID provider knows by this subject; NOBODY without both.

    The label tells people of one name apart, and nobody can name themselves as something else does ("settings").
    """
    if not issuer or not subject:
        return NOBODY
    found = _digest("login", issuer, subject)
    name, email = _printable(name), _printable(email)
    if not name and re.fullmatch(r"[^\s@]+@[^\s@]+", email):
        return Visitor(found, email)
    return Visitor(found, f"{name or 'visitor'} ({email or found[:6]})")


def _digest(*parts: str) -> str:
    lengths = "".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.sha256(lengths.encode()).hexdigest()[:_ID_LENGTH]


def _printable(text: str) -> str:
    return "".join(each for each in sanitize_text(text) if each.isprintable())[:_NAME_LENGTH]
