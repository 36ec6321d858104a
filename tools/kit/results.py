"""What leaves a tool: results as plain JSON of a bearable size, and sentences without keys."""

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, quote_plus

from pydantic_core import PydanticSerializationError, to_jsonable_python

from tools.kit.errors import ToolError

LIMIT = 200_000
"""The largest result, in bytes of JSON: it is kept in the chat's history for ever."""

_SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASS|CREDENTIAL|_PAT$", re.IGNORECASE)
_SECRET_SHAPE = re.compile(
    r"\b(?:sk|rk|pk)[-_][\w-]{8,}"  # Stripe, OpenAI, Anthropic
    r"|(?<=Bearer )\S+"
    r"|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"
)
_LONGEST_SENTENCE = 500


def plain(value: object, tool: str) -> Any:
    """The value as plain JSON, Decimals and dates as text; raises ToolError when it is not JSON or too large."""
    try:
        result = to_jsonable_python(value)
        size = len(json.dumps(result, allow_nan=False, ensure_ascii=False).encode())
    except (PydanticSerializationError, ValueError, TypeError, RecursionError):
        raise ToolError(f"{tool} ran, but what it returned cannot be kept: it is not JSON.") from None
    if size > LIMIT:
        raise ToolError(
            f"{tool} ran, but what it returned is too large to keep ({size / 1000:,.0f} kB, at most "
            f"{LIMIT // 1000} kB). Ask it for less."
        )
    return result


def redact(text: str, environment: Mapping[str, str]) -> str:
    """The text with every key hidden, as it is and as an address or a string shows it, and cut to a sentence's length."""
    secrets = [value for name, value in environment.items() if _SECRET_NAME.search(name) and len(value) >= 6]
    forms = {
        form
        for value in secrets
        for form in (value, quote(value), quote(value, safe=""), quote_plus(value), repr(value)[1:-1])
    }
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, "[hidden]")
    text = _SECRET_SHAPE.sub("[hidden]", text)
    return text if len(text) <= _LONGEST_SENTENCE else text[: _LONGEST_SENTENCE - 1] + "…"


def seconds(duration: float) -> str:
    """60.0 -> "60 s"."""
    return f"{duration:g} s"
