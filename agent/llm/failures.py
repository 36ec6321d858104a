"""What a provider's failure means: try again, try another model, send less, or give up. Our words only.

A provider's text may echo a key, so none of it goes any further than this module.
"""

import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from time import time
from typing import Any

from agent.llm.chain import Failure
from agent.llm.library import litellm

_NO_MONEY = re.compile(r"insufficient_quota|credit balance is too low|exceeded your current quota|billing", re.I)
_TOO_LONG = re.compile(r"context.?length|context window|maximum context|prompt is too long|too many tokens", re.I)
_UNREACHED = re.compile(
    r"cannot connect|connection (?:error|refused|reset)|server disconnected|name or service|resolve", re.I
)
_LONGEST_WAIT = 3600.0


class CutShort(Exception):
    """The stream ended before the answer did."""


class NoAnswer(Exception):
    """The model answered with neither words nor a call."""


def classify(error: Exception) -> Failure:
    """The meaning of an exception of one call."""
    status = getattr(error, "status_code", None)
    code = f" ({status})" if isinstance(status, int) and status != 200 else ""
    text = f"{error} {getattr(error, 'body', '') or ''}"[:4_000]
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
    if isinstance(error, litellm.NotFoundError) or status == 404:
        return Failure("refused", f"does not exist at its provider{code}", "Correct the model's name or LLM_BASE_URL.")
    if isinstance(error, litellm.BadRequestError) or status in (400, 405, 413, 415, 422):
        return Failure("refused", f"refused the request{code}", "Try another model.")
    if _UNREACHED.search(text):
        return Failure("transient", "cannot be reached", "Check the network and LLM_BASE_URL.")
    return Failure("transient", f"has trouble{code}", retry_after=_retry_after(error))


def _retry_after(error: Exception) -> float | None:
    """Seconds of a Retry-After header, which is a number or a date."""
    for headers in (
        getattr(error, "litellm_response_headers", None),
        getattr(getattr(error, "response", None), "headers", None),
    ):
        value = _header(headers)
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


def _header(headers: Mapping[str, Any] | None) -> str | None:
    return next((str(value) for name, value in (headers or {}).items() if str(name).lower() == "retry-after"), None)
