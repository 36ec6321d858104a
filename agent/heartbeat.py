"""Heartbeats on a timer: they show that the worker is alive, and carry what a page may show meanwhile."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError
from temporalio import activity

from agent import interruptions
from agent.messages import ModelUse

LIVENESS = 1.0
"""Seconds between two heartbeats when there is nothing new to show; after 5 silent ones the workflow retries elsewhere."""

FIRST = 0.3
"""Seconds until the first heartbeat at the latest: an attempt whose worker dies before it leaves no trace of which it was."""

QUIET = 3.0
"""Seconds until the first heartbeat when details are not sent: most calls are over by then, and need none."""

BEATS = 40.0
"""Heartbeats a second of all activities of the process that show something new: with many, each shows it less often."""

_running: set["Heartbeater"] = set()


class Heartbeater:
    """What the next heartbeats carry: {"text"?: the reply so far, "waiting_for"?: the model that does not begin to answer,
    "progress"?: what a tool is doing, "fraction"?: 0–1}.

    usage: what all attempts of this activity have used of models; heartbeats carry it from one attempt to the next.
    first_word: when the reply began to show.
    interruptions: what became of the attempts before this one; they carry that too.
    """

    def __init__(self, on_use: Callable[[ModelUse], None]) -> None:
        self._on_use = on_use
        self.first_word: datetime | None = None
        self.interruptions = interruptions.earlier_ones(activity.info())
        self._details: dict[str, Any] = {}
        self._later: asyncio.TimerHandle | None = None
        self.usage = _used_before()

    def show(self, **details: Any) -> None:
        """Replace what is carried. A snapshot, not a difference: heartbeats in between may be skipped."""
        self.show_nothing_later()
        self._details = details
        if self.first_word is None and details.get("text"):
            self.first_word = datetime.now(UTC)

    def show_after(self, seconds: float, **details: Any) -> None:
        """Show it later, unless something else is shown first."""
        self.show_nothing_later()
        self._later = asyncio.get_running_loop().call_later(seconds, lambda: self.show(**details))

    def show_nothing_later(self) -> None:
        """Forget what was to be shown."""
        if self._later:
            self._later.cancel()
        self._later = None

    @property
    def text(self) -> str:
        """The reply so far."""
        return str(self._details.get("text") or "")

    def add_usage(self, use: ModelUse) -> None:
        """Count a call of a model."""
        self.usage = self.usage.plus(use) if self.usage else use
        self._on_use(use)

    def fail(self, reason: str) -> None:
        """Hand on to the next attempt, if there is any, why this one failed and what was used."""
        self.send(reason)

    def send(self, reason: str = "") -> dict[str, Any]:
        """Send a heartbeat; returns what it shows."""
        kept = {"usage": self.usage.model_dump(mode="json")} if self.usage else {}
        activity.heartbeat(self._details | kept | interruptions.mark(activity.info(), self.interruptions, reason))
        return self._details

    def has_news(self, since: dict[str, Any]) -> bool:
        """Whether it would show anything else than this."""
        return self._details != since


@asynccontextmanager
async def heartbeating(
    interval: float, on_use: Callable[[ModelUse], None] = lambda _: None
) -> AsyncIterator[Heartbeater]:
    """Send heartbeats while the body runs: every second, and every `interval` seconds while details change (0 = never).

    Temporal Cloud bills each. on_use: told of each call of a model.
    """
    heartbeater = Heartbeater(on_use)

    async def send_all() -> None:
        sent: dict[str, Any] = {}
        loop = asyncio.get_running_loop()
        last = loop.time() - LIVENESS + FIRST
        if not interval:
            await asyncio.sleep(QUIET - LIVENESS)
        while True:
            crowded = min(LIVENESS, len(_running) / BEATS)
            await asyncio.sleep(max(interval, crowded) if interval else LIVENESS)
            if (interval and heartbeater.has_news(sent)) or loop.time() - last >= LIVENESS:
                sent, last = heartbeater.send(), loop.time()

    task = asyncio.create_task(send_all())
    _running.add(heartbeater)
    try:
        yield heartbeater
    finally:
        task.cancel()
        _running.discard(heartbeater)
        heartbeater.show_nothing_later()
        with suppress(asyncio.CancelledError):
            await task


def _used_before() -> ModelUse | None:
    for details in activity.info().heartbeat_details:
        with suppress(ValidationError):
            if isinstance(details, dict) and "usage" in details:
                return ModelUse.model_validate(details["usage"])
    return None
