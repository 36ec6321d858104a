"""What runs as long as the page's process does: server and worker are kept from its start, and the terminal says how far they are."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from agent import local
from agent.page.desk import Desk, open_desk

EVERY = 5.0
"""Longest silence of the terminal while something is under way, in seconds."""


@asynccontextmanager
async def lifespan(_app: Any) -> AsyncIterator[dict[str, Any]]:
    """Begin before the first browser comes, and let go at the end. Where it is not run, the first visit begins all."""
    telling = asyncio.create_task(tell(open_desk()))
    try:
        yield {}
    finally:
        telling.cancel()
        local.release()


async def tell(desk: Desk) -> None:
    """Name each step in the terminal until server and worker run, or one sentence why they cannot."""
    await asyncio.to_thread(desk.begin)
    if desk.problem:
        say(desk.problem)
        return
    said, silent = "", 0.0
    while True:
        status = desk.local()
        words = status.problem or status.step
        if words != said or silent >= EVERY:
            say(words if status.age < EVERY or status.settled else f"{words} ({status.age:.0f} s)")
            said, silent = words, 0.0
        if status.settled:
            return
        await asyncio.sleep(0.2)
        silent += 0.2


def say(sentence: str) -> None:
    """One line for the terminal, at once."""
    sys.stdout.write(f"  {sentence}\n")
    sys.stdout.flush()
