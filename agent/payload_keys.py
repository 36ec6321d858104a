"""The keys with which chats are encrypted, as PAYLOAD_KEYS names them. `python -m agent.payload_keys` makes a new one.

Light to import: settings are read by processes that never meet a payload.
"""

import base64
import binascii
import re
import secrets
from dataclasses import dataclass, field

BYTES = 32
"""The length of a key: AES-256."""

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}")
_REMEDY = "`python -m agent.payload_keys` makes one"


@dataclass(frozen=True)
class PayloadKey:
    """id: what payloads name their key by; it is no secret."""

    id: str
    secret: bytes = field(repr=False)


def read_keys(text: str) -> tuple[PayloadKey, ...]:
    """`new:base64,old:base64`: the first one encrypts, all decrypt. Raises ValueError that names no secret."""
    keys = tuple(_read(number, part.strip()) for number, part in enumerate(text.split(","), 1) if part.strip())
    ids = [key.id for key in keys]
    if repeated := next((each for each in ids if ids.count(each) > 1), ""):
        raise ValueError(f"has two keys with the id {repeated}; give each its own, and keep the id of an old one")
    return keys


def _read(number: int, part: str) -> PayloadKey:
    name, colon, encoded = part.partition(":")
    if not colon or not _ID.fullmatch(name):
        raise ValueError(
            f"must be id:key pairs, separated by commas, and number {number} has no id of letters and digits; {_REMEDY}"
        )
    try:
        plain = encoded.strip().rstrip("=").replace("-", "+").replace("_", "/")
        secret = base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(f"has a key, {name}, that is not base64; {_REMEDY}") from None
    if len(secret) != BYTES:
        raise ValueError(f"has a key, {name}, of {len(secret)} bytes instead of {BYTES}; {_REMEDY}")
    return PayloadKey(name, secret)


def new_key() -> str:
    """A key as it stands in PAYLOAD_KEYS, with an id of its own."""
    return f"key-{secrets.token_hex(3)}:{base64.b64encode(secrets.token_bytes(BYTES)).decode()}"


if __name__ == "__main__":
    print(new_key())  # noqa: T201
