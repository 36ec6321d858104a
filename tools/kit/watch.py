"""An async tool that blocks would stop the whole worker: no heartbeat, no other chat. So it ends the worker instead."""

import asyncio
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

LONGEST = 10
"""How long a tool may hold up the event loop, in seconds; after 5, another worker is already asked."""

EXIT = 70


@contextmanager
def watched(name: str, longest: int = LONGEST) -> Iterator[None]:
    """While the body runs: should the event loop stand still, say who holds it up, and end the process.

    Whoever keeps the worker starts it again, and its chats go on. A thread cannot be stopped from outside, a process can.
    """
    loop, mine, over = asyncio.get_running_loop(), threading.get_ident(), threading.Event()

    def watch() -> None:
        while not over.wait(1):
            moved = threading.Event()
            loop.call_soon_threadsafe(moved.set)
            # second by second: a process that was stopped and goes on has not blocked
            if any(moved.wait(1) or over.is_set() for _ in range(longest)):
                continue
            frame = sys._current_frames()[mine]
            print(  # noqa: T201
                f"{name} or another async tool has blocked the worker for {longest} s at {frame.f_code.co_filename}, "
                f"line {frame.f_lineno}, so the worker ends. Make it a plain `def`, or await what it waits for.",
                file=sys.stderr,
                flush=True,
            )
            os._exit(EXIT)

    threading.Thread(target=watch, daemon=True, name="watch").start()
    try:
        yield
    finally:
        over.set()
