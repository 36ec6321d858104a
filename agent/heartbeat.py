"""Heartbeats on a timer: they show that the worker is alive, and carry what a page may show meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from temporalio import activity

LIVENESS = 1.0
"""Seconds between two heartbeats when there is nothing new to show; after 5 silent ones the workflow retries elsewhere."""


class Heartbeater:
    """What the next heartbeats carry: {"text"?: the reply so far, "progress"?: what a tool is doing, "fraction"?: 0–1}."""

    def __init__(self) -> None:
        self._details: dict[str, Any] = {}

    def show(self, **details: Any) -> None:
        """Replace what is carried. A snapshot, not a difference: heartbeats in between may be skipped."""
        self._details = details

    def send(self) -> dict[str, Any]:
        """Send a heartbeat; returns the details that it carried."""
        activity.heartbeat(self._details)
        return self._details

    def has_news(self, since: dict[str, Any]) -> bool:
        """Whether there are other details than these."""
        return self._details != since


@asynccontextmanager
async def heartbeating(interval: float) -> AsyncIterator[Heartbeater]:
    """Send heartbeats while the body runs: every second, and every `interval` seconds while details change (0 = never)."""
    heartbeater = Heartbeater()

    async def send_all() -> None:
        sent: dict[str, Any] = {}
        loop = asyncio.get_running_loop()
        last = loop.time()
        while True:
            await asyncio.sleep(interval or LIVENESS)
            if (interval and heartbeater.has_news(sent)) or loop.time() - last >= LIVENESS:
                sent, last = heartbeater.send(), loop.time()

    task = asyncio.create_task(send_all())
    try:
        yield heartbeater
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
