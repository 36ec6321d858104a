"""One asyncio loop on one daemon thread: scripts run on threads of their own, a Temporal client on one loop."""

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

from agent.errors import ServerUnavailable

PATIENCE = 10.0
"""Seconds that a click waits for its answer."""

_T = TypeVar("_T")


class Bridge:
    """Runs coroutines of the page, and its background tasks."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, name="page-loop", daemon=True)
        self._thread.start()

    def spawn(self, coroutine: Coroutine[Any, Any, _T]) -> "Future[_T]":
        """Begin it; the future is ready when it ends."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop)

    def run(self, coroutine: Coroutine[Any, Any, _T], patience: float = PATIENCE) -> _T:
        """Its result, or its error; past `patience` seconds it is cancelled."""
        future = self.spawn(coroutine)
        try:
            return future.result(patience)
        except TimeoutError:
            future.cancel()
            raise ServerUnavailable(
                "The Temporal server took too long to answer; it may still have understood. "
                "Look whether it shows, else try again: nothing is done twice."
            ) from None

    def close(self) -> None:
        """Cancel what still runs, and end the thread."""
        self.run(_cancel_the_others())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()


async def _cancel_the_others() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
