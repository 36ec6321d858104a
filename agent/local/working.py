"""The keeper's second duty: a worker that runs."""

import asyncio
import contextlib
from collections.abc import Mapping

from agent.local.child import Backoff, Child, open_log
from agent.local.parent import KEEPER_PIPE
from agent.local.setup import ROOT, Setup
from agent.local.status import Report

GRACE = 3.5
"""How long a worker may finish what it is doing, in seconds: all must be gone within 5 s of the last page's end."""


async def keep_worker(setup: Setup, environment: Mapping[str, str], report: Report) -> None:
    """Until cancelled: run it, and again when it ends, so that ending it is how to restart it."""
    if not setup.worker:
        return
    log = open_log(setup.directory / "worker.log")
    backoff = Backoff()
    while True:
        await report.answering.wait()
        address = report.status.address
        ours = {"TEMPORAL_ADDRESS": address, "STEADFAST_HOME": setup.home, KEEPER_PIPE: "1", "PYTHONUNBUFFERED": "1"}
        backoff.began()
        child = Child(setup.worker, log=log, environment={**environment, **ours}, cwd=ROOT)
        report.worker(worker_pid=child.pid)
        try:
            speaking = asyncio.ensure_future(child.spoke.wait())
            ending = asyncio.ensure_future(child.ended.wait())
            await asyncio.wait([speaking, ending], return_when=asyncio.FIRST_COMPLETED)
            if child.spoke.is_set():
                report.worker(worker="running", problem="")
            while not child.ended.is_set() and report.status.address == address:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(child.ended.wait(), 0.5)
        finally:
            for waiting in (speaking, ending):
                waiting.cancel()
            await child.stop(GRACE)
        if child.spoke.is_set():
            report.worker(worker="starting", worker_pid=0)
        else:
            words = child.last_line or f"exit code {child.code}; {setup.directory / 'worker.log'} says more"
            report.worker(worker="failed", worker_pid=0, problem=f"The worker does not start: {words}")
        await backoff.wait()
