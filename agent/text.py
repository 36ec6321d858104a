"""What text and which JSON values may be stored: no control characters, nothing that a reader could not decode."""

import math
from typing import TypeGuard

from pydantic_core import to_json

from agent.messages import Json

_ARGUMENTS_BYTES = 64_000
_ARGUMENTS_DEPTH = 50
_CONTROLS = dict.fromkeys([*range(32), *range(127, 160)]) | {ord("\n"): "\n", ord("\t"): "\t"}


def sanitize_text(text: str) -> str:
    """Text without control characters (line ends and tabs stay), lone surrogates, and space around it."""
    return text.replace("\r\n", "\n").translate(_CONTROLS).encode("utf-8", "replace").decode().strip()


def is_plain_json(value: Json, depth: int = _ARGUMENTS_DEPTH) -> bool:
    """Whether a value is JSON that every parser reads back: no NaN, no lone surrogates, nested at most `depth` deep.

    Some encoders write 200 levels, which their decoders then refuse.
    """
    match value:
        case None | bool():
            return True
        case int():
            return value.bit_length() <= 1024  # not every encoder writes longer ones
        case float():
            return math.isfinite(value)
        case str():
            return value.isascii() or value.encode("utf-8", "ignore").decode() == value
        case list():
            return depth > 0 and all(is_plain_json(item, depth - 1) for item in value)
        case dict():
            return depth > 0 and all(
                isinstance(name, str) and is_plain_json(name) and is_plain_json(item, depth - 1)
                for name, item in value.items()
            )
        case _:
            return False


def are_arguments(value: Json) -> TypeGuard[dict[str, Json]]:
    """Whether a value can be the arguments of a tool."""
    return isinstance(value, dict) and is_plain_json(value) and len(to_json(value)) <= _ARGUMENTS_BYTES
