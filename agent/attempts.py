"""How an activity fails: what Temporal retries, what the person reads, and what is only in the log."""

import asyncio
import logging
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta

from pydantic import ValidationError
from temporalio import activity
from temporalio.exceptions import ApplicationError, TimeoutError, TimeoutType

from agent.errors import KeyMissing, ModelError, ModelGarbled, ModelUnavailable
from agent.heartbeat import Heartbeater
from agent.interruptions import read_mark
from agent.messages import Interruption, ModelUse
from tools.kit.results import redact
from tools.kit.tool import CheckFailed

INTERNAL_ERROR = "InternalError"
"""The type of a failure that nobody foresaw. Its message is a sentence of ours; the error itself is only in the log."""

KEY_MISSING = KeyMissing.__name__
"""The type of the failure of a worker that could not even read what it was asked to do (agent/codec.py)."""

INTERNAL_ATTEMPTS = 3
"""After so many attempts an internal error is reported to the person, and the chat goes on."""

GARBLED_ATTEMPTS = 4
"""After so many empty or truncated answers the person is told, and decides."""

READABLE = (
    "ToolError",
    "TryAgain",
    "ModelUnavailable",
    "ModelRefused",
    "ContextTooLong",
    "BudgetSpent",
    "ModelError",
    INTERNAL_ERROR,
    KEY_MISSING,
)
"""The types of failures whose message is a sentence for the person; any other may hold anything, a key for example."""

STOPPED = "Its worker was stopped."

_log = logging.getLogger(__name__)


@contextmanager
def explained_failures(heartbeater: Heartbeater, environment: Mapping[str, str]) -> Iterator[None]:
    """Turn every error of the body into an ApplicationError whose message can be stored and shown.

    What the models used is its detail, and stays in the heartbeats for the next attempt: it counts all the same.
    """
    try:
        yield
    except ApplicationError as error:
        if not error.non_retryable:
            heartbeater.fail(error.message)
        raise
    except (asyncio.CancelledError, KeyboardInterrupt, GeneratorExit):
        if heartbeater.usage or activity.is_worker_shutdown():
            heartbeater.fail(STOPPED)
        raise
    except BaseException as error:  # a SystemExit of a tool must not end the worker
        if isinstance(error, ModelError) and error.use:
            heartbeater.add_usage(error.use)
        if not isinstance(error, ModelError):
            log_redacted(error, environment)
        failure = _failure(error, heartbeater.usage)
        if not failure.non_retryable or heartbeater.usage:
            heartbeater.fail(failure.message)
        raise failure from None


def _failure(error: BaseException, usage: ModelUse | None) -> ApplicationError:
    details = [usage.model_dump(mode="json")] if usage else []
    attempt = activity.info().attempt
    if isinstance(error, ModelGarbled):
        last = attempt >= GARBLED_ATTEMPTS
        sentence = f"{error} Send it again, or pick another model." if last else str(error)
        return ApplicationError(sentence, *details, type="ModelUnavailable", non_retryable=last)
    if isinstance(error, ModelUnavailable):
        delay = timedelta(seconds=min(error.retry_after, 120)) if error.retry_after else None
        return ApplicationError(str(error), *details, type="ModelUnavailable", next_retry_delay=delay)
    if isinstance(error, ModelError):
        return ApplicationError(str(error), *details, type=type(error).__name__, non_retryable=True)
    if isinstance(error, CheckFailed):
        return ApplicationError(str(error), *details, type=INTERNAL_ERROR, non_retryable=True)
    last = attempt >= INTERNAL_ATTEMPTS
    sentence = f"This step failed with an internal error ({type(error).__name__}); the worker's log has the details."
    return ApplicationError(sentence, *details, type=INTERNAL_ERROR, non_retryable=last)


def log_redacted(error: BaseException, environment: Mapping[str, str]) -> None:
    """The whole error, without keys. Temporal's own logger would print it as it is."""
    lines = "".join(traceback.format_exception(error)).splitlines()
    told = "\n".join(redact(line, environment) for line in lines)
    _log.error("Activity %s, attempt %d: %s", activity.info().activity_type, activity.info().attempt, told)


def failure_sentence(failure: BaseException | None) -> str:
    """Why an activity failed, for the person."""
    if isinstance(failure, ApplicationError) and failure.type in READABLE:
        return failure.message
    if isinstance(failure, TimeoutError):
        died = failure.type == TimeoutType.HEARTBEAT
        return "The process that ran it died, or lost its connection." if died else "It did not answer in time."
    return "It failed because of an internal error; the worker's log has the details."


def failure_interruptions(failure: BaseException | None) -> list[Interruption]:
    """What the heartbeats of an attempt tell whose worker died, and which nobody took over."""
    if isinstance(failure, TimeoutError) and failure.type == TimeoutType.HEARTBEAT:
        return read_mark(failure.last_heartbeat_details)
    return []


def failure_usage(failure: BaseException | None) -> ModelUse | None:
    """What the failed attempts used of models."""
    if not isinstance(failure, ApplicationError) or not failure.details:
        return None
    try:
        return ModelUse.model_validate(failure.details[0])
    except ValidationError:
        return None
