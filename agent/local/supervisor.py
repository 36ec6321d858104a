"""The supervisor: one process for all pages that owns server and worker, restarts what dies, and ends with the last page."""

import asyncio
import contextlib
import signal
from collections.abc import Mapping
from pathlib import Path

from agent.errors import StartFailed
from agent.local.binary import temporal_binary
from agent.local.database import PersistentServer
from agent.local.locks import FileLock
from agent.local.process import SUPERVISED, Backoff, Child, open_log
from agent.local.server import accepts_connections, find_web_ui, is_temporal
from agent.local.status import ROOT, LocalConfig, StatusReport
from agent.settings import Settings

CHECK_EVERY = 0.25
"""How often the supervisor checks whether a page still lives, in seconds."""

GRACE = 3.5
"""How long a worker may finish what it is doing, in seconds: all must be gone within 5 s of the last page's end."""


async def supervise(config: LocalConfig, environment: Mapping[str, str]) -> None:
    """Run server and worker until no page lives or SIGTERM comes; return at once when another supervisor does."""
    lock = FileLock(config.supervisor_lock)
    try:
        if await _acquire(lock):
            await _supervise(config, environment)
    finally:
        lock.close()  # last of all: the next supervisor starts when nothing of ours runs any more


async def _supervise(config: LocalConfig, environment: Mapping[str, str]) -> None:
    terminated = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):  # Windows
            asyncio.get_running_loop().add_signal_handler(number, terminated.set)
    report = StatusReport(config.status, worker=bool(config.worker))
    worker = asyncio.create_task(_run_worker(config, environment, report))  # beside the server: it imports meanwhile
    server = asyncio.create_task(_run_server(config, environment, report))
    pages = FileLock(config.pages_lock)
    try:
        while not terminated.is_set() and not pages.take():
            for task in (server, worker):
                if task.done():
                    task.result()  # a defect of ours ends the supervisor, and the page starts another
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(terminated.wait(), CHECK_EVERY)
    finally:
        pages.close()  # a page that opens now waits for our end, then starts a supervisor in its own environment
        report.stopping()
        for task in (worker, server):  # in this order: a worker needs the server to finish what it does
            task.cancel()
            await asyncio.wait([task])
        config.status.unlink(missing_ok=True)


async def _acquire(lock: FileLock) -> bool:
    """Try for a moment, since a page that checks for a supervisor holds the lock while it does."""
    for _ in range(10):
        if lock.take():
            return True
        await asyncio.sleep(0.03)
    return False


async def _run_server(config: LocalConfig, environment: Mapping[str, str], report: StatusReport) -> None:
    """Use the given server, else one that is there, else our own, until cancelled."""
    if config.address:
        report.server(phase="ready", address=config.address, ui_url=await find_web_ui(config.address))
        return
    report.server(step="Looking for a Temporal server")
    if await is_temporal(config.look_at):
        report.server(phase="ready", address=config.look_at, ui_url=await find_web_ui(config.look_at))
        await _watch_existing(config.look_at, report)
    await _run_own_server(config, environment, report)


async def _watch_existing(address: str, report: StatusReport) -> None:
    """Stay with the server that was found: the chats are there, and on another they would seem lost."""
    gone = f"The Temporal server at {address} does not answer any more. Start it again."
    while True:
        await asyncio.sleep(2)
        report.server(problem="" if await accepts_connections(address) else gone)


async def _run_own_server(config: LocalConfig, environment: Mapping[str, str], report: StatusReport) -> None:
    settings = Settings(steadfast_home=config.home, temporal_cli_path=config.cli_path)
    own = PersistentServer(Path(config.home), config.namespace)
    backoff = Backoff()
    try:
        while True:
            backoff.started()
            try:
                binary = await temporal_binary(settings, lambda step: report.server(step=step, phase="starting"))
                report.server(step="Starting the Temporal server", phase="starting")
                server = await own.start(binary, environment)
            except StartFailed as error:
                report.server(phase="failed", step="Trying to start the Temporal server", problem=str(error))
            else:
                try:
                    report.server(
                        phase="ready",
                        address=server.address,
                        ui_url=server.ui_url,
                        server_pid=server.child.pid,
                        problem="",
                    )
                    await server.child.ended.wait()
                finally:
                    await server.stop()
                report.server(step="Restarting the Temporal server", phase="starting", server_pid=0)
            await backoff.wait()
    finally:
        own.close()


async def _run_worker(config: LocalConfig, environment: Mapping[str, str], report: StatusReport) -> None:
    """Run the worker until cancelled, and restart it when it ends, so that ending it is how to restart it."""
    if not config.worker:
        return
    log = open_log(config.worker_log)
    ours = {"STEADFAST_HOME": config.home, SUPERVISED: "1", "PYTHONUNBUFFERED": "1"}
    backoff = Backoff()
    while True:
        backoff.started()
        child = Child(config.worker, log=log, environment={**environment, **ours}, cwd=ROOT)
        report.worker(worker_pid=child.pid)
        try:
            await _first(report.server_ready, child.ended)
            address = report.status.address
            child.send(address)
            await _first(child.ready, child.ended)
            if child.ready.is_set():
                report.worker(worker="running", problem="")
            while not child.ended.is_set() and report.status.address == address:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(child.ended.wait(), 0.5)
        finally:
            await child.stop(GRACE)
        if child.ready.is_set():
            report.worker(worker="starting", worker_pid=0)
        else:
            reason = child.last_error or f"exit code {child.code}; see {config.worker_log}"
            report.worker(worker="failed", worker_pid=0, problem=f"The worker failed to start: {reason}")
        await backoff.wait()


async def _first(*events: asyncio.Event) -> None:
    """Wait until one of them is set."""
    waiting = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()
