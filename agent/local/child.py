"""A child process of the keeper: its lines go to a log, it dies when we die, and it stops when told."""

import asyncio
import contextlib
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import IO

SHORTEST, LONGEST = 0.2, 10.0
"""Seconds to wait before what died is started again: the first time, and at most."""

# The kernel kills the child when the thread that started it ends. Set between fork and exec by a moment of Python
# rather than by preexec_fn, which can deadlock in a process with threads.
_DIE_WITH_PARENT = """\
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGKILL)
if os.getppid() == int(sys.argv[1]):
    os.execvp(sys.argv[2], sys.argv[2:])
"""


def bound(command: Sequence[str]) -> list[str]:
    """The command, made to die with this thread where the kernel offers that (Linux)."""
    if sys.platform != "linux":
        return list(command)
    return [sys.executable, "-I", "-S", "-c", _DIE_WITH_PARENT, str(os.getpid()), *command]


def open_log(path: Path) -> logging.Logger:
    """A log file of at most about 2 MB; the newest lines are kept."""
    path.parent.mkdir(parents=True, exist_ok=True)
    log = logging.getLogger(f"steadfast.{path}")
    if not log.handlers:
        handler = RotatingFileHandler(path, maxBytes=1_000_000, backupCount=1, encoding="utf-8", delay=True)
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
        log.addHandler(handler)
        log.setLevel(logging.INFO)
        log.propagate = False
    return log


class Child:
    """A started process. `spoke` is set by its first line on stdout, `ended` when it is gone.

    Threads read its pipes: an asyncio subprocess would wait for grandchildren that hold them open.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        log: logging.Logger,
        environment: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        keep: Sequence[int] = (),
    ) -> None:
        self.spoke = asyncio.Event()
        self.ended = asyncio.Event()
        self.lines: list[str] = []
        self.code: int | None = None
        self._loop = asyncio.get_running_loop()
        self._log = log
        windows = sys.platform == "win32"
        self._process = subprocess.Popen(  # noqa: S603 - our own command
            bound(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=None if environment is None else dict(environment),
            cwd=cwd,
            pass_fds=() if windows else tuple(keep),
            process_group=None if windows else 0,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
            | getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
        self.pid = self._process.pid
        stdin, output, errors = self._process.stdin, self._process.stdout, self._process.stderr
        assert stdin is not None
        assert output is not None
        assert errors is not None
        self._stdin = stdin
        readers = [
            threading.Thread(target=self._read, args=(stream, event), daemon=True)
            for stream, event in ((output, self.spoke), (errors, None))
        ]
        for thread in (*readers, threading.Thread(target=self._reap, args=(readers,), daemon=True)):
            thread.start()

    @property
    def last_line(self) -> str:
        """What it said last on stderr, or "" when that was a stack trace, which is for the log only."""
        if any("Traceback (most recent call last)" in line for line in self.lines):
            return ""
        return self.lines[-1] if self.lines else ""

    async def stop(self, grace: float) -> None:
        """Ask it to stop, and end it when it has not within `grace` seconds."""
        self._stdin.close()
        if grace and not self.ended.is_set():
            if sys.platform != "win32":  # there terminating is killing, and a worker heeds its closed stdin
                self._process.terminate()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.ended.wait(), grace)
        if not self.ended.is_set():
            self._process.kill()
            await self.ended.wait()

    def _read(self, stream: IO[bytes], heard: asyncio.Event | None) -> None:
        with stream:
            while line := stream.readline(65_536):
                text = line.decode("utf-8", "replace").rstrip()
                self._log.info("%s", text)
                if heard:
                    self._tell(heard)
                elif text:
                    self.lines = [*self.lines[-49:], text]

    def _reap(self, readers: list[threading.Thread]) -> None:
        if hasattr(os, "waitid"):  # its own children go with it, before its number can be given to another process
            with contextlib.suppress(ChildProcessError):
                os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
            with contextlib.suppress(OSError):
                os.killpg(self.pid, signal.SIGKILL)
        self.code = self._process.wait()
        self._stdin.close()
        for reader in readers:
            reader.join(0.5)  # so that its last words are there
        self._tell(self.ended)

    def _tell(self, event: asyncio.Event) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody listens any more
            self._loop.call_soon_threadsafe(event.set)


class Backoff:
    """0.2 s, doubling up to 10 s; anew after something has run for 10 s."""

    def __init__(self) -> None:
        self._delay = SHORTEST / 2
        self._began = time.monotonic()

    def began(self) -> None:
        self._began = time.monotonic()

    async def wait(self) -> None:
        ran_long = time.monotonic() - self._began > LONGEST
        self._delay = SHORTEST if ran_long else min(self._delay * 2, LONGEST)
        await asyncio.sleep(self._delay)
