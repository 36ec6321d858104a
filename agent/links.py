"""Links to a chat: signed, and of use only while the chat itself has them among its links. Pure.

read: shows the chat. owner: whoever opens it first becomes its owner. decide: decides one proposal, once.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import get_args

from agent.messages import Link, LinkKind

IN_FORCE = 20
"""How many links of one chat may be in force."""

KEPT = 50
"""How many links a chat remembers, those out of force included."""

LONGEST = 30 * 24 * 3600
"""Seconds for which a link may be in force."""


@dataclass(frozen=True)
class LinkClaim:
    """What a token says, signed: which link of which chat it is. Whether the link is in force, the chat knows."""

    chat_id: str
    link_id: str
    kind: LinkKind


def in_force(links: Iterable[Link], now: datetime) -> list[Link]:
    """Those that are neither used, nor revoked, nor expired."""
    return [link for link in links if not link.over and now < link.expires]


def find(links: Iterable[Link], link_id: str, kind: LinkKind, now: datetime) -> Link | None:
    """The link in force of this id and kind."""
    return next((link for link in in_force(links, now) if (link.id, link.kind) == (link_id, kind)), None)


def token(key: str, chat_id: str, link: Link) -> str:
    """What stands in the address."""
    said = f"{link.kind}:{link.id}:{int(link.expires.timestamp())}:{chat_id}".encode()
    return f"{base64.urlsafe_b64encode(said).decode().rstrip('=')}.{_sign(key, said)}"


def read_token(key: str, text: str, now: datetime) -> LinkClaim | None:
    """What a token of ours says; None for any other, and for one that has expired."""
    encoded, _, signature = text.partition(".")
    try:
        said = base64.urlsafe_b64decode(encoded.encode("ascii") + b"==")
        if not hmac.compare_digest(signature.encode(), _sign(key, said).encode()):
            return None
        kind, link_id, expires, chat_id = said.decode().split(":", 3)
    except (ValueError, binascii.Error):
        return None
    if kind not in get_args(LinkKind) or now >= datetime.fromtimestamp(int(expires), UTC):
        return None
    return LinkClaim(chat_id, link_id, kind)  # type: ignore[arg-type]


def _sign(key: str, said: bytes) -> str:
    return hmac.new(key.encode(), b"link " + said, hashlib.sha256).hexdigest()
