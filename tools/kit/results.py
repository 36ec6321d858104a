"""What leaves a tool: results as plain JSON of a bearable size, and text without keys."""

import dataclasses
import json
import math
import re
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from functools import lru_cache
from typing import Any
from urllib.parse import quote, quote_plus

from pydantic import BaseModel
from pydantic_core import PydanticSerializationError, to_jsonable_python

LIMIT = 200_000
"""The largest result, in bytes of JSON: it stays in the chat's history."""

DEPTH = 50
"""The deepest nesting: what is written 200 deep can be written, but not every reader can read it again."""

_SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASS|CREDENTIAL|_PAT$", re.IGNORECASE)
_SECRET_SHAPE = re.compile(
    r"\b(?:sk|rk|pk)[-_][\w-]{8,}"  # Stripe, OpenAI, Anthropic
    r"|(?<=Bearer )\S+"
    r"|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"
)
_HIDDEN = "[hidden]"
_LONGEST_SENTENCE = 500
_LONG_KEY = 32


class NotKept(Exception):
    """A result that no history can hold; the message says why, as the end of a sentence."""


def plain(value: object, environment: Mapping[str, str], deadline: float = math.inf) -> Any:
    """The value as plain JSON without the environment's keys: Decimals and dates as text, iterators as lists.

    What is built is never larger than LIMIT, and nothing is built after the deadline (of time.monotonic). Raises
    NotKept, and whatever an iterator of the tool raises.
    """
    return _Copy(secrets(environment), deadline).of(value)


class _Copy:
    """A copy of one value that is made piece by piece, each piece measured before it is added."""

    def __init__(self, hide: re.Pattern[str] | None, deadline: float) -> None:
        self._hide = hide
        self._deadline = deadline
        self._left = LIMIT
        self._path: list[str] = []
        self._inside: set[int] = set()

    def of(self, value: Any) -> Any:
        match value:
            case None | bool():
                return self._measured(value, 4)
            case Enum():
                return self.of(value.value)
            case int():
                if value.bit_length() > 1024:  # longer ones cannot be written by every writer
                    raise self._not_json("too large a number")
                return self._measured(int(value), value.bit_length() // 4 + 1)
            case float():
                if not math.isfinite(value):
                    raise self._not_json(f"the number {value}")
                return self._measured(float(value), 8)
            case str():
                return self._text(value)
            case bytes() | bytearray():
                if len(value) > self._left:
                    raise _too_large()
                try:
                    return self._text(value.decode())
                except UnicodeDecodeError:
                    raise self._not_json("bytes that are not text") from None
        return self._container(value)

    def _container(self, value: Any) -> Any:
        if isinstance(value, type):
            raise self._not_json("a class")
        if id(value) in self._inside:
            raise NotKept("it contains itself")
        if len(self._inside) >= DEPTH:
            raise NotKept(f"it is nested more than {DEPTH} deep")
        self._inside.add(id(value))
        try:
            if isinstance(value, BaseModel):
                return self.of(value.model_dump(warnings="none", by_alias=True))
            if dataclasses.is_dataclass(value):
                return self._object((field.name, getattr(value, field.name)) for field in dataclasses.fields(value))
            if isinstance(value, Mapping):
                return self._object(value.items())
            if isinstance(value, list | tuple | set | frozenset | deque | Iterator):
                return self._list(value)
            return self.of(to_jsonable_python(value))
        except (PydanticSerializationError, RecursionError) as error:
            if "Circular reference" in str(error):
                raise NotKept("it contains itself") from None
            raise self._not_json(f"a value of type {type(value).__name__}") from None
        finally:
            self._inside.discard(id(value))

    def _object(self, items: Iterable[tuple[Any, Any]]) -> dict[str, Any]:
        self._measured(None, 2)
        made: dict[str, Any] = {}
        for name, value in items:
            key = self._text(name if isinstance(name, str) else next(iter(to_jsonable_python({name: None}))))
            self._path.append(key)
            made[key] = self.of(value)
            self._path.pop()
        return made

    def _list(self, items: Iterable[Any]) -> list[Any]:
        self._measured(None, 2)
        made: list[Any] = []
        for value in items:
            self._path.append(str(len(made)))
            made.append(self.of(value))
            self._path.pop()
        return made

    def _text(self, text: str) -> str:
        if len(text) > self._left:
            raise _too_large()
        hidden = self._hide.sub(_HIDDEN, text) if self._hide else str(text)
        try:
            self._measured(hidden, len(json.dumps(hidden, ensure_ascii=False).encode()))
        except UnicodeEncodeError:
            raise self._not_json("text that is not Unicode") from None
        return hidden

    def _measured(self, value: Any, size: int) -> Any:
        """The value, once it is known to fit; the commas and colons count as one byte each."""
        self._left -= size + 1
        if self._left < 0:
            raise _too_large()
        if time.monotonic() > self._deadline:
            raise NotKept("reading it took too long")
        return value

    def _not_json(self, what: str) -> NotKept:
        where = redact(".".join(self._path), {})[-80:]
        return NotKept(f"it is not JSON-serializable ({f'{where} is ' if where else ''}{what})")


def _too_large() -> NotKept:
    return NotKept(f"it is larger than {LIMIT // 1000} kB; ask for less")


def secrets(environment: Mapping[str, str]) -> re.Pattern[str] | None:
    """Finds every key of the environment, as it is and as an address or a string shows it; None where there is none."""
    values = _values(environment)
    return _pattern(values) if values else None


def _values(environment: Mapping[str, str]) -> frozenset[str]:
    """Every value that is named as one; of a list of keys, such as PAYLOAD_KEYS, each of them as well."""
    named = [value for name, value in environment.items() if _SECRET_NAME.search(name) and len(value) >= 6]
    parts = [part for value in named for part in re.split(r"[,:\s]+", value) if len(part) >= _LONG_KEY]
    return frozenset([*named, *parts])


@lru_cache(maxsize=64)
def _pattern(values: frozenset[str]) -> re.Pattern[str]:
    forms = {
        form
        for value in values
        for form in (value, quote(value), quote(value, safe=""), quote_plus(value), repr(value)[1:-1])
    }
    return re.compile("|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True)))


def hide(text: str, environment: Mapping[str, str]) -> str:
    """A text with every key of the environment hidden."""
    known = secrets(environment)
    return known.sub(_HIDDEN, text) if known else text


def hide_growing(text: str, environment: Mapping[str, str]) -> str:
    """The same for a text that grows: an end that may be the beginning of a key is left out for now."""
    text = hide(text, environment)
    for value in _values(environment):
        for length in range(min(len(value) - 1, len(text)), 3, -1):
            if text.endswith(value[:length]):
                return text[:-length]
    return text


def redact(text: str, environment: Mapping[str, str]) -> str:
    """A sentence with every key hidden, and whatever has the shape of one, cut to a sentence's length."""
    text = hide(text, environment)
    text = _SECRET_SHAPE.sub(_HIDDEN, text)
    return text if len(text) <= _LONGEST_SENTENCE else text[: _LONGEST_SENTENCE - 1] + "…"
