"""The supervisor: one process for all pages that owns server and worker, restarts what dies, and ends with the last page."""

import asyncio
import contextlib
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import get_args

from agent.errors import StartFailed
from agent.local.binary import temporal_binary
from agent.local.database import PersistentServer
from agent.local.home import disk_problem
from agent.local.locks import FileLock
from agent.local.process import Backoff, kill
from agent.local.server import DevServer, accepts_connections, find_web_ui, is_temporal
from agent.local.status import LocalConfig, Request, StatusReport
from agent.local.worker import run_worker
from agent.settings import Settings

CHECK_EVERY = 0.25
"""How often the supervisor checks whether a page still lives, in seconds."""

SERVER_TIMEOUT, SERVER_KILLED_AFTER = 2.0, 8.0
"""Seconds that our server has for an answer, and after which one that gives none is killed."""


async def supervise(config: LocalConfig, environment: Mapping[str, str]) -> None:
    """Run server and worker until no page lives or SIGTERM comes; return at once when another supervisor does."""
    lock = FileLock(config.supervisor_lock)
    try:
        if await _acquire(lock):
            await _supervise(config, environment)
    finally:
        lock.close()  # last of all: the next supervisor starts when nothing of ours runs any more


async def _supervise(config: LocalConfig, environment: Mapping[str, str]) -> None:
    terminated, restart, reset = asyncio.Event(), asyncio.Event(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):  # Windows
            asyncio.get_running_loop().add_signal_handler(number, terminated.set)
    report = StatusReport(config.status, worker=bool(config.worker))
    worker = asyncio.create_task(run_worker(config, environment, report, restart))  # it imports beside the server
    server = asyncio.create_task(_run_server(config, environment, report, reset))
    pages = FileLock(config.pages_lock)
    try:
        while not terminated.is_set() and not pages.take():
            for task in (server, worker):
                if task.done():
                    task.result()  # a defect of ours ends the supervisor, and the page starts another
            for request, event in ((config.request("restart"), restart), (config.request("reset"), reset)):
                if _remove(request):
                    event.set()
            if _remove(config.request("kill-worker")):
                kill(report.status.worker_pid)
            if _remove(config.request("kill-server")):
                kill(report.status.server_pid)
            report.flush()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(terminated.wait(), CHECK_EVERY)
    finally:
        pages.close()  # a page that opens now waits for our end, then starts a supervisor in its own environment
        report.stopping()
        for task in (worker, server):  # in this order: a worker needs the server to finish what it does
            task.cancel()
            await asyncio.wait([task])
        for file in (config.status, *map(config.request, get_args(Request))):
            _remove(file)


def _remove(file: Path) -> bool:
    """Delete it; whether it was there."""
    try:
        file.unlink()
    except OSError:
        return False
    return True


async def _acquire(lock: FileLock) -> bool:
    """Try for a moment, since a page that checks for a supervisor holds the lock while it does."""
    for _ in range(10):
        if lock.take():
            return True
        await asyncio.sleep(0.03)
    return False


async def _run_server(
    config: LocalConfig, environment: Mapping[str, str], report: StatusReport, reset: asyncio.Event
) -> None:
    """Use the given server, else one that is there, else our own, until cancelled."""
    if config.address:
        report.server(phase="ready", address=config.address, ui_url=await find_web_ui(config.address))
        return
    report.server(step="Looking for a Temporal server")
    if await is_temporal(config.look_at):
        report.server(phase="ready", address=config.look_at, ui_url=await find_web_ui(config.look_at))
        await _watch_existing(config.look_at, report)
    await _run_own_server(config, environment, report, reset)


async def _watch_existing(address: str, report: StatusReport) -> None:
    """Stay with the server that was found: the chats are there, and on another they would seem lost."""
    gone = f"The Temporal server at {address} does not answer any more. Start it again."
    while True:
        await asyncio.sleep(2)
        report.server(problem="" if await accepts_connections(address) else gone)


async def _run_own_server(
    config: LocalConfig, environment: Mapping[str, str], report: StatusReport, reset: asyncio.Event
) -> None:
    settings = Settings(steadfast_home=config.home, temporal_cli_path=config.cli_path)
    own = PersistentServer(Path(config.home), config.namespace)
    backoff = Backoff()
    try:
        while True:
            if reset.is_set():
                own.set_database_aside()
                reset.clear()
            backoff.started()
            try:
                binary = await temporal_binary(settings, lambda step: report.server(step=step, phase="starting"))
                report.server(step="Starting the Temporal server", phase="starting")
                server = await own.start(binary, environment)
            except StartFailed as error:
                problem = disk_problem(Path(config.home), error) or str(error)  # a full disk also stops a download
                report.server(phase="failed", step="Trying to start the Temporal server", problem=problem)
            else:
                try:
                    report.server(
                        phase="ready",
                        address=server.address,
                        ui_url=server.ui_url,
                        server_pid=server.child.pid,
                        server_since=time.time(),
                        problem=own.notice,
                    )
                    await _attend(server, Path(config.home), report, own.notice, reset)
                    if not reset.is_set():
                        report.server(server_died=(server.child.pid, time.time()), server_pid=0, phase="starting")
                finally:
                    await server.stop()
                report.server(step="Restarting the Temporal server", phase="starting", server_pid=0)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(reset.wait(), backoff.next())
    finally:
        own.close()


async def _attend(server: DevServer, home: Path, report: StatusReport, notice: str, reset: asyncio.Event) -> None:
    """Wait until it ends, its database is to be set aside, or it has not answered for so long that it has to be killed."""
    silent = 0.0
    while not (server.child.ended.is_set() or reset.is_set()) and silent < SERVER_KILLED_AFTER:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(server.child.ended.wait(), 1.0)
        asked = time.monotonic()
        try:
            await server.call("system-info", timeout=SERVER_TIMEOUT)
        except (OSError, ValueError):
            silent += 1.0 + min(time.monotonic() - asked, SERVER_TIMEOUT)  # no longer: a suspend is no silence
        else:
            silent = 0.0
        problem = f"The Temporal server has not answered for {silent:.0f} s. After {SERVER_KILLED_AFTER:.0f} s it is restarted."
        report.server(problem=problem if silent else disk_problem(home) or notice)
