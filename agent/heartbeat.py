"""Heartbeats on a timer: they say that the worker lives, and carry what a page may show meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from temporalio import activity

LIVENESS = 1.0
"""Seconds between two beats when there is nothing new to show; the workflow takes five silent ones for a death."""


class Pulse:
    """What the next beats carry: {"text"?: the reply so far, "progress"?: a tool's words, "fraction"?: 0 to 1}."""

    def __init__(self) -> None:
        self._shown: dict[str, Any] = {}

    def show(self, **shown: Any) -> None:
        """Replace what is carried. A snapshot, not a difference: beats in between get lost."""
        self._shown = shown

    def beat(self) -> dict[str, Any]:
        """Tell the server; returns what was told."""
        activity.heartbeat(self._shown)
        return self._shown


@asynccontextmanager
async def pulse(interval: float) -> AsyncIterator[Pulse]:
    """Beat while the body runs: every `interval` seconds while something new is shown (0 = never), else for liveness."""
    current = Pulse()

    async def keep_beating() -> None:
        told: dict[str, Any] = {}
        last = asyncio.get_running_loop().time()
        while True:
            await asyncio.sleep(interval or LIVENESS)
            now = asyncio.get_running_loop().time()
            if (interval and current._shown != told) or now - last >= LIVENESS:
                told, last = current.beat(), now

    task = asyncio.create_task(keep_beating())
    try:
        yield current
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
