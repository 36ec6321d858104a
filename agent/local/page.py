"""A page's side: it says that it lives, sees to it that a keeper lives too, and reads what the keeper says."""

import contextlib
import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from agent.errors import StartFailed
from agent.local.child import LONGEST, SHORTEST
from agent.local.locks import FileLock, is_free
from agent.local.setup import ROOT, Setup, setup_of
from agent.local.status import LocalStatus, read_status
from agent.settings import Settings

LOOK_EVERY = 0.5
"""How often a page looks whether the keeper still lives, in seconds."""

# Streamlit's hot reload imports changed modules anew. What the process holds is kept where that does not reach.
_held: dict[str, Any] = vars(sys.modules.setdefault("_steadfast_held", ModuleType("_steadfast_held"))).setdefault(
    "pages", {}
)
_guard = threading.Lock()


class _Page:
    """Our share in one keeper: a lock that says we live, and a thread that starts a keeper whenever there is none."""

    def __init__(self, setup: Setup, environment: Mapping[str, str]) -> None:
        self.failures = 0
        self._setup = setup
        self._environment = dict(environment)
        self._process: subprocess.Popen[bytes] | None = None
        self._started, self._delay = -math.inf, 0.0
        self._left = threading.Event()
        self._users: FileLock | None = None
        self._look()
        threading.Thread(target=self._watch, name="steadfast-keeper", daemon=True).start()

    def leave(self) -> None:
        self._left.set()

    def _watch(self) -> None:
        while not self._left.wait(LOOK_EVERY):
            with contextlib.suppress(OSError):  # a full disk: it may pass
                self._look()
        if self._users:
            self._users.close()
        if self._process:
            self._process.wait()

    def _hold(self) -> None:
        """Share the lock; anew when somebody deleted the home under us, so that the keeper of the old one ends."""
        if self._users and not self._users.is_of(self._setup.users):
            self._users.close()
            self._users = None
        if not self._users:
            Path(self._setup.home).mkdir(mode=0o700, parents=True, exist_ok=True)  # chats are nobody else's
            self._users = FileLock(self._setup.users)
            self._users.share()

    def _look(self) -> None:
        self._hold()
        if self._process and self._process.poll() is None:
            return
        age = time.monotonic() - self._started
        if age < self._delay or not is_free(self._setup.keeper):
            return
        crashed = self._process and self._process.returncode and age < LONGEST
        self.failures = self.failures + 1 if crashed else 0
        self._delay = min(SHORTEST * 2**self.failures, LONGEST)
        self._started = time.monotonic()
        log_file = self._setup.keeper_log
        full = log_file.exists() and log_file.stat().st_size > 100_000
        with log_file.open("wb" if full else "ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own command
                [sys.executable, "-m", "agent.local", self._setup.to_json()],
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
    """See to it that a keeper lives as long as this process does. Idempotent, never blocks; call it on every run.

    environment: that of the server and the worker, from before the page read its .env, so that a worker started later
    reads the .env of then; the process's own when not given. The first page's environment and settings win.
    Raises StartFailed when the home directory cannot be written.
    """
    join(setup_of(settings), environment)


def join(setup: Setup, environment: Mapping[str, str] | None = None) -> None:
    """`ensure` for a setup made by hand."""
    key = str(setup.directory)
    if key in _held or not setup.needs_keeper:
        return
    with _guard:
        if key not in _held:
            try:
                _held[key] = _Page(setup, os.environ if environment is None else environment)
            except OSError as error:
                raise StartFailed(
                    f"{setup.directory} cannot be written ({error.strerror}). "
                    "Set STEADFAST_HOME to a directory that can, then start again."
                ) from None


def release() -> None:
    """This page stops: within 5 s the keeper ends what it started, unless another page lives. Does not wait for that."""
    with _guard:
        while _held:
            _held.popitem()[1].leave()


def status(settings: Settings) -> LocalStatus:
    """What server and worker are doing now."""
    return look(setup_of(settings))


def look(setup: Setup) -> LocalStatus:
    """`status` for a setup made by hand."""
    if not setup.needs_keeper:
        return LocalStatus(step="Ready", phase="ready", address=setup.address, worker="off")
    if setup.directory.exists() and not is_free(setup.keeper):
        return read_status(setup.status)
    page = _held.get(str(setup.directory))
    if page and page.failures >= 3:
        problem = f"What starts the Temporal server and the worker ends at once; {setup.keeper_log} says why."
        return LocalStatus(phase="failed", problem=problem)
    return LocalStatus()


def restart_worker(settings: Settings) -> bool:
    """Let the worker finish what it does and begin again, with the .env of now; False when there is none of ours."""
    pid = status(settings).worker_pid
    with contextlib.suppress(OSError):
        if pid:
            os.kill(pid, signal.SIGTERM)
            return True
    return False
