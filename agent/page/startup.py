"""What runs as long as the page's process does: it keeps server and worker, and the terminal says how far they are."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from agent import local
from agent.errors import StartFailed
from agent.page.desk import Desk, open_desk


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
    """Name each step in the terminal until server and worker run, or say in one sentence why they do not."""
    await asyncio.to_thread(desk.begin)
    if desk.problem:
        say(desk.problem)
        return
    try:
        await local.wait_ready(desk.settings, say)
    except StartFailed as error:
        say(str(error))


def say(sentence: str) -> None:
    """One line for the terminal, at once."""
    sys.stdout.write(f"  {sentence}\n")
    sys.stdout.flush()
