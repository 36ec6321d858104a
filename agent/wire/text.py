"""What may come in at all: text without control characters, JSON that every reader can read."""

import math
from typing import TypeGuard

from pydantic_core import to_json

from agent.messages import Json

_ARGUMENTS_BYTES = 64_000
_ARGUMENTS_DEPTH = 50
_CONTROLS = dict.fromkeys([*range(32), *range(127, 160)]) | {ord("\n"): "\n", ord("\t"): "\t"}


class Unreadable(ValueError):
    """Input that is not of any known form; the message is one sentence for the page."""


def clean(text: str) -> str:
    """Text without control characters (line ends and tabs stay) and without halves of surrogate pairs."""
    return text.replace("\r\n", "\n").translate(_CONTROLS).encode("utf-8", "replace").decode().strip()


def carries(value: Json, depth: int = _ARGUMENTS_DEPTH) -> bool:
    """Whether a value is JSON that every reader can read: no NaN, no halves of surrogate pairs, not nested for its own
    sake (what is written 200 deep can be written, but not read again)."""
    match value:
        case None | bool():
            return True
        case int():
            return value.bit_length() <= 1024  # longer ones cannot be written by every writer
        case float():
            return math.isfinite(value)
        case str():
            return value.isascii() or value.encode("utf-8", "ignore").decode() == value
        case list():
            return depth > 0 and all(carries(item, depth - 1) for item in value)
        case dict():
            return depth > 0 and all(
                isinstance(name, str) and carries(name) and carries(item, depth - 1) for name, item in value.items()
            )
        case _:
            return False


def are_arguments(value: Json) -> TypeGuard[dict[str, Json]]:
    """Whether a value can be the arguments of a tool."""
    return isinstance(value, dict) and carries(value) and len(to_json(value)) <= _ARGUMENTS_BYTES
