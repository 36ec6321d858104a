"""What the terminal shows while server and worker start."""

import asyncio
from collections.abc import Callable

from agent.errors import StartFailed
from agent.local.page import look
from agent.local.setup import Setup, setup_of
from agent.local.status import LocalStatus
from agent.settings import Settings

SAY_EVERY = 5.0


async def wait_ready(settings: Settings, say: Callable[[str], None], timeout: float = 3600.0) -> LocalStatus:
    """Say each step as it begins, and at least every 5 s; return when the worker runs, is off, or does not start.

    Call ensure() first. Raises StartFailed when there is no server, or nothing is ready in time.
    """
    return await await_ready(setup_of(settings), say, timeout)


async def await_ready(setup: Setup, say: Callable[[str], None], timeout: float) -> LocalStatus:
    """`wait_ready` for a setup made by hand."""
    now = asyncio.get_running_loop().time
    said, said_at, deadline = "", now(), now() + timeout
    while True:
        status = look(setup)
        if status.step != said:
            say(status.step)
            said, said_at = status.step, now()
        elif now() - said_at >= SAY_EVERY:
            say(f"{status.step} ({status.age:.0f} s so far)")
            said_at = now()
        if status.phase == "failed":
            raise StartFailed(status.problem)
        if status.settled:
            return status
        if now() > deadline:
            raise StartFailed(
                f"Nothing was ready within {timeout:.0f} s; the last step was: {status.step}. Start again."
            )
        await asyncio.sleep(0.1)
