"""The supervisor's worker: started, and replaced when it dies, does not respond, or a restart is requested."""

import asyncio
import re
import signal
import sysconfig
import time
from collections.abc import Mapping
from pathlib import Path

from agent.local.pipe import SUPERVISED
from agent.local.process import Backoff, Child, open_log
from agent.local.status import ROOT, LocalConfig, StatusReport

STUCK_AFTER, KILLED_AFTER = 4.0, 8.0
"""Seconds without a heartbeat until a worker that ran is called stuck, and until it is killed."""

SLOW_START = 30.0
"""Seconds after which the status names the line at which a worker is that has not started yet."""

CHECK_EVERY = 0.5

_MACHINERY = [ROOT / name for name in ("agent", "tools/kit", "tools/mcp", "worker.py")]


class Silence:
    """How long a child has not sent a heartbeat, in seconds in which we ourselves ran: a suspend is no silence."""

    def __init__(self, child: Child) -> None:
        self.seconds = 0.0
        self._child = child
        self._heartbeats = child.heartbeats
        self._checked = time.monotonic()

    def check(self) -> float:
        now = time.monotonic()
        if self._child.heartbeats != self._heartbeats:
            self._heartbeats, self.seconds = self._child.heartbeats, 0.0
        else:
            self.seconds += min(now - self._checked, 2 * CHECK_EVERY)
        self._checked = now
        return self.seconds


async def run_worker(
    config: LocalConfig, environment: Mapping[str, str], report: StatusReport, restart: asyncio.Event
) -> None:
    """Run it until cancelled; when it ends, it is started again."""
    if not config.worker:
        return
    log = open_log(config.worker_log)
    environment = {**environment, "STEADFAST_HOME": config.home, SUPERVISED: "1", "PYTHONUNBUFFERED": "1"}
    backoff = Backoff()
    while True:
        restart.clear()
        backoff.started()
        child = Child(config.worker, log=log, environment=environment, cwd=ROOT)
        starts = report.status.worker_starts + 1
        report.worker(worker_pid=child.pid, worker_since=time.time(), worker_starts=starts)
        try:
            problem = await _attend(child, config, report, restart)
            crashed = child.ended.is_set() or bool(problem)
            died = (child.pid, time.time()) if crashed else report.status.worker_died
        finally:
            await _stop(child)
        if child.ready.is_set() and child.code and not (problem or restart.is_set()):
            problem = f"The worker ended by itself ({_reason(child, environment)}) and is being restarted."
        if restart.is_set() or child.ready.is_set():
            report.worker(worker="starting", worker_pid=0, worker_died=died, problem=problem)
        else:
            reason = _reason(child, environment)
            problem = (
                f"The worker failed to start: {reason}{'' if reason.endswith('.') else '.'} See {config.worker_log}"
            )
            report.worker(worker="failed", worker_pid=0, worker_died=died, problem=problem)
        if problem:
            log.info("%s", problem)
        if not restart.is_set():
            await _first(restart, timeout=backoff.next())


async def _attend(child: Child, config: LocalConfig, report: StatusReport, restart: asyncio.Event) -> str:
    """Wait until it ends, has to be restarted or does not respond; returns a sentence when it was killed."""
    await _first(report.server_ready, child.ended, restart)
    address = report.status.address
    child.send(address)
    began = time.monotonic()
    while not (await _first(child.ready, child.ended, restart, timeout=SLOW_START)):
        where = await _where(child)
        report.worker(
            problem=f"The worker has not started within {time.monotonic() - began:.0f} s{where and f': it is {where}'}. "
            "If a tool waits for something while it is imported, let it do that in its function; then run "
            f"`python -m agent.local restart`. See {config.worker_log}"
        )
    if not child.ready.is_set():
        return ""
    report.worker(worker="running", problem="")
    silence = Silence(child)
    while not (child.ended.is_set() or restart.is_set()) and report.status.address == address:
        await _first(child.ended, restart, timeout=CHECK_EVERY)
        if silence.check() >= KILLED_AFTER:
            where = await _where(child)
            await child.kill()
            return (
                f"The worker did not respond for {KILLED_AFTER:.0f} s{where and f' ({where})'} and is being replaced."
            )
        if silence.seconds >= STUCK_AFTER:
            words = (
                f"The worker has not responded for {silence.seconds:.0f} s. After {KILLED_AFTER:.0f} s it is replaced."
            )
            report.worker(worker="stuck", problem=words)
        elif report.status.worker == "stuck":
            report.worker(worker="running", problem="")
    if restart.is_set() and not child.ended.is_set():
        report.worker(worker="stopping", problem="")
    return ""


async def _stop(child: Child) -> None:
    """Let it finish what is under way: for the time that its heartbeats announce, and while it responds."""
    child.terminate()
    silence, deadline = Silence(child), time.monotonic() + child.grace
    while not await _first(child.ended, timeout=CHECK_EVERY):
        if silence.check() >= KILLED_AFTER or time.monotonic() > deadline:
            await child.kill()


async def _where(child: Child) -> str:
    """Which line holds it up, such as "in tools/convert.py, line 12 (convert)"; "" when that is unknown."""
    if not hasattr(signal, "SIGUSR1"):
        return ""
    child.errors = []
    child.signal(signal.SIGUSR1)  # faulthandler answers, even while a thread holds the GIL
    await asyncio.sleep(0.5)
    frames = re.findall(r'File "(.+?)", line (\d+) in (.+)', "\n".join(child.errors))
    libraries = [Path(sysconfig.get_path(name)) for name in ("stdlib", "purelib", "platlib")]
    for machinery in (_MACHINERY, [Path(__file__).with_name("pipe.py")]):  # a tool's line rather than one of ours
        for file, line, function in frames:
            if not any(Path(file).is_relative_to(path) for path in (*libraries, *machinery)):
                path = Path(file)
                return f"in {path.relative_to(ROOT) if path.is_relative_to(ROOT) else path}, line {line} ({function})"
    return ""


def _reason(child: Child, environment: Mapping[str, str]) -> str:
    """How it ended: its last line on stderr, without keys, or the signal that killed it."""
    if not child.last_error or not child.code or child.code < 0:
        return f"killed by signal {-child.code}" if child.code and child.code < 0 else f"exit code {child.code}"
    from agent.logs import message_of  # only now: it costs memory that a supervisor seldom needs
    from tools.kit.results import redact

    return redact(message_of(child.last_error), environment)


async def _first(*events: asyncio.Event, timeout: float | None = None) -> bool:
    """Wait until one of them is set; False when none is in time."""
    waiting = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        done, _ = await asyncio.wait(waiting, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        return bool(done)
    finally:
        for task in waiting:
            task.cancel()
