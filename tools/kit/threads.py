"""Blocking work beside the event loop, and what happens to work that blocks the loop itself."""

import asyncio
import contextvars
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

T = TypeVar("T")

LONGEST = 10
"""How long a tool may hold up the event loop, in seconds; after 5, another worker is already asked."""

EXIT = 70


async def in_thread(work: Callable[[], T]) -> T:
    """Run blocking work in a thread of its own: one that hangs takes no place in a pool, and holds up no exit."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Callable[[], T]] = loop.create_future()

    def settle(outcome: Callable[[], T]) -> None:
        if not done.done():
            done.set_result(outcome)

    def target() -> None:
        outcome = _outcome(work)
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, outcome)

    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(target,), daemon=True, name="tool").start()
    return (await done)()


def _outcome(work: Callable[[], T]) -> Callable[[], T]:
    """What to do in the loop: return what the work returned, or raise what it raised, as an error that a loop carries."""
    try:
        result = work()
    except StopIteration:  # no coroutine can raise it
        return _raising(RuntimeError("StopIteration"))
    except Exception as error:
        return _raising(error)
    except BaseException as error:  # SystemExit and its like end the thread's work, not the worker
        return _raising(stopped(error))
    return lambda: result


def _raising(error: Exception) -> Callable[[], Any]:
    def outcome() -> None:
        raise error

    return outcome


def stopped(error: BaseException) -> RuntimeError:
    """An error like any other, in place of one that would end the worker."""
    return RuntimeError(f"it tried to stop the worker with {type(error).__name__}")


@contextmanager
def blocked_loop_watchdog(name: str, longest: int = LONGEST) -> Iterator[None]:
    """While the body runs: should the event loop stand still, say who holds it up, and end the process.

    A supervisor starts the worker again, and its chats go on. A thread cannot be stopped from outside, a process can.
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

    threading.Thread(target=watch, daemon=True, name="watchdog").start()
    try:
        yield
    finally:
        over.set()
