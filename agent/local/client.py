"""The page's side: it holds a lock that says a page lives, ensures that a supervisor is running, and reads its status."""

import asyncio
import contextlib
import math
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

from agent.errors import StartFailed
from agent.local.home import prepare_home, write_problem
from agent.local.locks import FileLock, is_free
from agent.local.process import LONGEST_DELAY, SHORTEST_DELAY
from agent.local.status import ROOT, LocalConfig, LocalStatus, read_status
from agent.settings import Settings

CHECK_EVERY = 0.5
"""How often a page checks whether the supervisor still lives, in seconds."""

REPORT_EVERY = 5.0
"""How often wait_ready repeats a step that lasts, in seconds."""

# Streamlit's hot reload imports changed modules again. What the process holds is kept where that does not reach.
_clients: dict[str, Any] = vars(sys.modules.setdefault("_steadfast", ModuleType("_steadfast"))).setdefault(
    "local_clients", {}
)
_guard = threading.Lock()


class _Client:
    """One page's share in a supervisor: a lock that says it lives, and a thread that starts one whenever there is none."""

    def __init__(self, config: LocalConfig, environment: Mapping[str, str]) -> None:
        self.failures = 0
        self._config = config
        self._environment = dict(environment)
        self._process: subprocess.Popen[bytes] | None = None
        self._started, self._delay = -math.inf, 0.0
        self._closed = threading.Event()
        self._pages_lock: FileLock | None = None
        self._check()
        threading.Thread(target=self._watch, name="steadfast-local", daemon=True).start()

    def close(self) -> None:
        self._closed.set()

    def _watch(self) -> None:
        while not self._closed.wait(CHECK_EVERY):
            with contextlib.suppress(OSError, StartFailed):  # a full disk: it may pass
                self._check()
        if self._pages_lock:
            self._pages_lock.close()
        if self._process:
            self._process.wait()

    def _hold_lock(self) -> None:
        """Share the lock; again when somebody deleted the home, so that the supervisor of the old one ends."""
        if self._pages_lock and not self._pages_lock.is_of(self._config.pages_lock):
            self._pages_lock.close()
            self._pages_lock = None
        if not self._pages_lock:
            prepare_home(Path(self._config.home), self._config.directory)
            self._pages_lock = FileLock(self._config.pages_lock)
            self._pages_lock.share()

    def _check(self) -> None:
        self._hold_lock()
        if self._process and self._process.poll() is None:
            return
        age = time.monotonic() - self._started
        if age < self._delay or not is_free(self._config.supervisor_lock):
            return
        crashed = self._process and self._process.returncode and age < LONGEST_DELAY
        self.failures = self.failures + 1 if crashed else 0
        self._delay = min(SHORTEST_DELAY * 2**self.failures, LONGEST_DELAY)
        self._started = time.monotonic()
        log_file = self._config.supervisor_log
        full = log_file.exists() and log_file.stat().st_size > 100_000
        log_file.touch(mode=0o600)
        with log_file.open("wb" if full else "ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own command
                [sys.executable, "-m", "agent.local", self._config.to_json()],
                cwd=ROOT,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                start_new_session=True,  # the terminal's Ctrl-C is for the page
                creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
                | getattr(subprocess, "DETACHED_PROCESS", 0),
            )


def ensure(settings: Settings, environment: Mapping[str, str] | None = None) -> None:
    """Ensure that a supervisor runs as long as this process does. Idempotent, never blocks; call it on every run.

    environment: that of the server and the worker, from before the page read its .env, so that a worker restarted later
    reads the .env of then; the process's own when not given. The first page's environment and settings win.
    Raises StartFailed when the home directory cannot be written.
    """
    ensure_config(LocalConfig.of(settings), environment)


def ensure_config(config: LocalConfig, environment: Mapping[str, str] | None = None) -> None:
    """`ensure` for a config made by hand."""
    key = str(config.directory)
    if key in _clients or not config.needs_supervisor:
        return
    with _guard:
        if key not in _clients:
            try:
                _clients[key] = _Client(config, os.environ if environment is None else environment)
            except OSError as error:
                raise StartFailed(write_problem(error, config.directory)) from None


def release() -> None:
    """This page stops, and unless another lives, the supervisor ends what it started. Does not wait for that.

    An idle worker ends at once; one that works may finish what is under way, for as long as WORKER_GRACE.
    """
    with _guard:
        while _clients:
            _clients.popitem()[1].close()


def status(settings: Settings) -> LocalStatus:
    """What server and worker are doing now."""
    return status_of(LocalConfig.of(settings))


def status_of(config: LocalConfig) -> LocalStatus:
    """`status` for a config made by hand."""
    if not config.needs_supervisor:
        return LocalStatus(step="Ready", phase="ready", address=config.address, worker="off")
    if config.directory.exists() and not is_free(config.supervisor_lock):
        return read_status(config.status)
    client = _clients.get(str(config.directory))
    if client and client.failures >= 3:
        problem = f"The supervisor of server and worker exits as soon as it starts; see {config.supervisor_log}"
        return LocalStatus(phase="failed", problem=problem)
    return LocalStatus()


async def wait_ready(settings: Settings, say: Callable[[str], None], timeout: float = 3600.0) -> LocalStatus:
    """Report each step as it begins, and at least every 5 s; return when the worker runs, is off, or fails to start.

    Call ensure() first. Raises StartFailed when there is no server, or nothing is ready in time.
    """
    return await wait_config_ready(LocalConfig.of(settings), say, timeout)


async def wait_config_ready(config: LocalConfig, say: Callable[[str], None], timeout: float) -> LocalStatus:
    """`wait_ready` for a config made by hand."""
    now = asyncio.get_running_loop().time
    reported, reported_at, deadline = "", now(), now() + timeout
    while True:
        status = status_of(config)
        if status.step != reported:
            say(status.step)
            reported, reported_at = status.step, now()
        elif now() - reported_at >= REPORT_EVERY:
            say(f"{status.step} ({status.age:.0f} s so far)")
            reported_at = now()
        if status.phase == "failed":
            raise StartFailed(status.problem)
        if status.settled:
            return status
        if now() > deadline:
            raise StartFailed(
                f"Nothing was ready within {timeout:.0f} s; the last step was: {status.step}. Start again."
            )
        await asyncio.sleep(0.1)


def kill(settings: Settings, part: Literal["worker", "server"]) -> None:
    """Have the supervisor kill what it runs with SIGKILL, as a crash would; it is replaced at once."""
    config = LocalConfig.of(settings)
    if config.directory.exists() and not is_free(config.supervisor_lock):
        config.request("kill-worker" if part == "worker" else "kill-server").touch()


def restart_worker(settings: Settings) -> bool:
    """Ask the supervisor to restart the worker with the .env of now; False when no embedded worker is running.

    The worker may finish what is under way, for as long as its WORKER_GRACE.
    """
    config = LocalConfig.of(settings)
    if not config.directory.exists() or is_free(config.supervisor_lock) or read_status(config.status).worker == "off":
        return False
    config.request("restart").touch()
    return True
