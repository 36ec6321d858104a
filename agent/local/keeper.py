"""The keeper: one process for all pages, which owns server and worker, restarts what dies, and ends with the last page."""

import asyncio
import contextlib
import signal
from collections.abc import Mapping

from agent.local.locks import FileLock
from agent.local.serving import keep_server
from agent.local.setup import Setup
from agent.local.status import Report
from agent.local.working import keep_worker

LOOK_EVERY = 0.25
"""How often the keeper looks whether a page still lives, in seconds."""


async def keep(setup: Setup, environment: Mapping[str, str]) -> None:
    """Be the keeper until no page lives or SIGTERM comes; return at once when there is one already."""
    lock = FileLock(setup.keeper)
    try:
        if await _take(lock):
            await _keep(setup, environment)
    finally:
        lock.close()  # last of all: the next keeper begins when nothing of ours runs any more


async def _keep(setup: Setup, environment: Mapping[str, str]) -> None:
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):  # Windows
            asyncio.get_running_loop().add_signal_handler(number, told.set)
    report = Report(setup.status, worker=bool(setup.worker))
    server = asyncio.create_task(keep_server(setup, environment, report))
    worker = asyncio.create_task(keep_worker(setup, environment, report))
    users = FileLock(setup.users)
    try:
        while not told.is_set() and not users.take():
            for task in (server, worker):
                if task.done():
                    task.result()  # a defect of ours ends the keeper, and the page starts another
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(told.wait(), LOOK_EVERY)
    finally:
        users.close()  # a page that comes now waits for our end, and then starts a keeper in its own environment
        report.stopping()
        for task in (worker, server):  # in this order: a worker needs the server to finish what it does
            task.cancel()
            await asyncio.wait([task])
        setup.status.unlink(missing_ok=True)


async def _take(lock: FileLock) -> bool:
    """Try for a moment, since a page that looks whether a keeper lives holds the lock while it looks."""
    for _ in range(10):
        if lock.take():
            return True
        await asyncio.sleep(0.03)
    return False
