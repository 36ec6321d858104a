"""What a provider's failure means: try again, try another model, send less, or give up. Our words only.

A provider's own words may echo a key: redacted they go to the worker's log, and nowhere else.
"""

import re
from collections.abc import Mapping, Sequence
from email.utils import parsedate_to_datetime
from time import time
from typing import Any

from agent.llm.chain import Failure
from agent.llm.library import litellm
from agent.messages import ModelUse

_NO_MONEY = re.compile(r"insufficient_quota|credit balance is too low|exceeded your current quota|billing", re.I)
_TOO_LONG = re.compile(r"context.?length|context window|maximum context|prompt is too long|too many tokens", re.I)
_UNREACHED = re.compile(
    r"cannot connect|connection (?:error|refused|reset)|server disconnected|name or service|resolve", re.I
)
_NO_MODEL = re.compile(
    r"model_not_found|(?:the |unknown |invalid |unsupported )model\b.{0,80}(?:not exist|not found|not supported|not available|invalid)"
    r"|(?:unknown|invalid|unsupported|no such) model|not a valid model|invalid model name",
    re.I | re.S,
)
_SCHEMA = re.compile(r"invalid schema for function '([^']+)'|\btools?[.[](\d+)\]?[.:]", re.I)
_LONGEST_WAIT = 3600.0


class Garbled(Exception):
    """The answer is of no use. use: what it used all the same, as far as the provider said so."""

    def __init__(self, use: ModelUse) -> None:
        super().__init__()
        self.use = use


class CutShort(Garbled):
    """The stream ended before the answer did."""


class NoAnswer(Garbled):
    """The model answered with neither words nor a call."""


def classify(error: Exception, tools: Sequence[str] = ()) -> Failure:
    """The meaning of an exception of one call. tools: the names that were offered, in their order."""
    status = status_of(error)
    code = f" ({status})" if status else ""
    text = own_words(error)
    if isinstance(error, TimeoutError | litellm.Timeout):
        return Failure("transient", "did not answer in time")
    if isinstance(error, CutShort | litellm.exceptions.MidStreamFallbackError):
        return Failure("garbled", "broke off in the middle of its answer")
    if isinstance(error, NoAnswer):
        return Failure("garbled", "gave an empty answer")
    if isinstance(error, litellm.ContextWindowExceededError) or (status in (400, 413) and _TOO_LONG.search(text)):
        return Failure("too_long", f"cannot read that much at once{code}", "Start a new chat.")
    if status == 402 or (status in (400, 403, 429) and _NO_MONEY.search(text)):
        return Failure("other_model", f"has no credits left{code}", "Add credits, or change LLM_MODEL.")
    if isinstance(error, litellm.AuthenticationError) or status in (401, 403):
        return Failure("other_model", f"refused the key{code}", "Correct the key in .env and restart the worker.")
    if status == 429:
        return Failure("transient", f"allows no more requests for now{code}", retry_after=_retry_after(error))
    if isinstance(error, litellm.NotFoundError) or status == 404 or (status == 400 and _NO_MODEL.search(text)):
        return Failure("other_model", f"does not exist at its provider{code}", "Correct its name or LLM_BASE_URL.")
    if status in (400, 422) and (tool := _refused_tool(text, tools)):
        return Failure(
            "refused", f"refused the schema of the tool {tool}{code}", "The worker's log says what is wrong with it."
        )
    if isinstance(error, litellm.BadRequestError) or status in (400, 405, 413, 415, 422):
        return Failure("refused", f"refused the request{code}", "Try another model.")
    if _UNREACHED.search(text):
        return Failure("transient", "cannot be reached", "Check the network and LLM_BASE_URL.")
    return Failure("transient", f"has trouble{code}", retry_after=_retry_after(error))


def _refused_tool(text: str, tools: Sequence[str]) -> str:
    """Which of the tools offered a provider names in its refusal, by name (OpenAI) or by number (Anthropic)."""
    for match in _SCHEMA.finditer(text):
        if match[1] in tools:
            return match[1]
        if match[2] and int(match[2][:4]) < len(tools):
            return tools[int(match[2][:4])]
    return ""


def own_words(error: Exception) -> str:
    """What the provider said, or the network; its first 4,000 characters."""
    return " ".join(f"{error} {getattr(error, 'body', '') or ''}"[:4_000].split())


def status_of(error: Exception) -> int | None:
    """The HTTP status of an answer that is an error."""
    status = getattr(error, "status_code", None)
    return status if isinstance(status, int) and status != 200 else None


def request_id(error: Exception) -> str:
    """What the provider calls the request: its support asks for it."""
    named = [_header(headers, name) for headers in _headers(error) for name in ("x-request-id", "request-id")]
    told = re.search(r"\breq_\w{6,60}", own_words(error))
    return next((value[:80] for value in named if value), told[0] if told else "")


def _headers(error: Exception) -> list[Any]:
    response = getattr(error, "response", None)
    return [getattr(error, "litellm_response_headers", None), getattr(response, "headers", None)]


def _retry_after(error: Exception) -> float | None:
    """Seconds of a Retry-After header, which is a number or a date."""
    for headers in _headers(error):
        value = _header(headers, "retry-after")
        if value is None:
            continue
        try:
            seconds = float(value)
        except ValueError:
            try:
                seconds = parsedate_to_datetime(value).timestamp() - time()
            except ValueError:
                continue
        if seconds == seconds:  # not NaN
            return min(max(seconds, 0.0), _LONGEST_WAIT)
    return None


def _header(headers: Mapping[str, Any] | None, wanted: str) -> str | None:
    return next((str(value) for name, value in (headers or {}).items() if str(name).lower() == wanted), None)
