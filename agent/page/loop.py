"""One asyncio loop on one daemon thread: scripts run on threads of their own, a Temporal client on one loop."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

from agent.errors import ServerUnavailable

PATIENCE = 10.0
"""Seconds that a click waits for its answer."""

_T = TypeVar("_T")


class BackgroundLoop:
    """Runs coroutines from any thread, and the background tasks of the page."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, name="page-loop", daemon=True)
        self._thread.start()

    def call_soon(self, callback: Callable[[], None]) -> None:
        """Call it on the loop's thread, without waiting."""
        self.loop.call_soon_threadsafe(callback)

    def spawn(self, coroutine: Coroutine[Any, Any, _T]) -> "Future[_T]":
        """Start it; the future is done when it ends."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop)

    def run(self, coroutine: Coroutine[Any, Any, _T], patience: float = PATIENCE) -> _T:
        """Its result, or its error; after `patience` seconds it is cancelled."""
        future = self.spawn(coroutine)
        try:
            return future.result(patience)
        except TimeoutError:
            future.cancel()
            raise ServerUnavailable(
                "The Temporal server took too long to answer. What you did may have been received; "
                "if it doesn't appear, do it again: it won't be processed twice."
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
