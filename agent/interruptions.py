"""What became of the earlier attempts of an activity: Temporal's history keeps the last attempt only.

Each heartbeat says whose it is. The next attempt finds it there, and returns with its result what was interrupted.
"""

import os
import socket
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError
from temporalio import activity

from agent.messages import EPOCH, Interruption, Json

MARK = "attempt"
"""The part of the heartbeats' details that is kept here."""

KEPT = 20
"""Interruptions of one activity at most; later ones are counted on the last."""

WORKER = f"{os.getpid()}@{socket.gethostname()}"
"""This process, as the SDK names it in histories."""


def earlier_ones(info: activity.Info) -> list[Interruption]:
    """What interrupted the attempts before this one, oldest first."""
    found = read_mark(info.heartbeat_details)  # "Try now" counts attempts from 1 again, and keeps the details
    if info.attempt <= 1 and not found:
        return []
    found = found or [Interruption(kind="lost", attempt=info.attempt - 1)]
    last = found[-1]
    last.next_worker, last.resumed = WORKER, info.started_time
    if last.attempt < info.attempt - 1:  # attempts that came to no heartbeat
        last.times += info.attempt - 1 - last.attempt
    return merged(found)


def mark(info: activity.Info, before: list[Interruption], reason: str = "") -> dict[str, Json]:
    """What a heartbeat says for the next attempt, should this one be interrupted; `reason`: it has just failed."""
    now: dict[str, Json] = {"number": info.attempt, "worker": WORKER, "at": datetime.now(UTC).isoformat()}
    now |= {"reason": reason} if reason else {}
    now |= {"before": [each.model_dump(mode="json") for each in before]} if before else {}
    return {MARK: now}


def read_mark(details: Iterable[Any]) -> list[Interruption]:
    """The attempt whose last heartbeat this was, after those before it; [] if it says nothing of itself."""
    for each in details:
        told = each.get(MARK) if isinstance(each, dict) else None
        with suppress(ValidationError, ValueError, KeyError, TypeError):
            if isinstance(told, dict):
                before = [Interruption.model_validate(one) for one in told.get("before", [])]
                reason = str(told.get("reason", ""))
                kind = "failed" if reason else "died"
                at = datetime.fromisoformat(told["at"])
                attempt, worker = int(told["number"]), str(told["worker"])
                return [*before, Interruption(kind=kind, attempt=attempt, worker=worker, at=at, reason=reason)]
    return []


def merged(found: list[Interruption]) -> list[Interruption]:
    """The same failure again and again is one entry with a count, and so is what is too much to keep."""
    kept: list[Interruption] = []
    for each in found:
        last = kept[-1] if kept else None
        repeated = last is not None and each.kind == last.kind == "failed" and each.reason == last.reason
        if last is not None and (repeated or len(kept) >= KEPT):
            ending = {"next_worker": each.next_worker, "resumed": each.resumed or EPOCH}
            kept[-1] = last.model_copy(update={**ending, "times": last.times + each.times, "attempt": each.attempt})
        else:
            kept.append(each)
    return kept
