"""A child process: its lines go to a log, it dies with us, and it is stopped with a grace period."""

import asyncio
import contextlib
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import IO

SHORTEST_DELAY, LONGEST_DELAY = 0.2, 10.0
"""Seconds to wait before restarting what died: the first time, and at most."""

HEARTBEAT = b"\0%d\n"
"""What a child that is alive writes to its stdout, with the seconds that it may take to stop when it is asked to."""

# The kernel kills the child when the thread that started it ends. Set between fork and exec by a moment of Python
# rather than by preexec_fn, which can deadlock in a process with threads.
_DIE_WITH_PARENT = """\
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGKILL)
if os.getppid() == int(sys.argv[1]):
    os.execvp(sys.argv[2], sys.argv[2:])
"""


def _bound(command: Sequence[str]) -> list[str]:
    """The command, made to die with this thread where the kernel offers that (Linux)."""
    if sys.platform != "linux":
        return list(command)
    return [sys.executable, "-I", "-S", "-c", _DIE_WITH_PARENT, str(os.getpid()), *command]


class _LogLine(logging.Formatter):
    """With the time before it, unless it is JSON, which has its own."""

    def format(self, record: logging.LogRecord) -> str:
        line = record.getMessage()
        return line if line.startswith('{"') else super().format(record)


def open_log(path: Path) -> logging.Logger:
    """A log file of at most about 2 MB; the newest lines are kept."""
    path.parent.mkdir(parents=True, exist_ok=True)
    log = logging.getLogger(f"steadfast.{path}")
    if not log.handlers:
        handler = RotatingFileHandler(path, maxBytes=1_000_000, backupCount=1, encoding="utf-8", delay=True)
        handler.setFormatter(_LogLine("%(asctime)s %(message)s"))
        log.addHandler(handler)
        log.setLevel(logging.INFO)
        log.propagate = False
    return log


class Child:
    """A started process. `ready` is set by its first heartbeat, `ended` when it is gone.

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
        self.ready = asyncio.Event()
        self.ended = asyncio.Event()
        self.code: int | None = None
        self.heartbeats = 0
        self.grace = 0.0
        self.errors: list[str] = []
        self._loop = asyncio.get_running_loop()
        self._log = log
        windows = sys.platform == "win32"
        self._process = subprocess.Popen(  # noqa: S603 - our own command
            _bound(command),
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
            threading.Thread(target=read, args=(stream,), daemon=True)
            for read, stream in ((self._read_output, output), (self._read_errors, errors))
        ]
        for thread in (*readers, threading.Thread(target=self._reap, args=(readers,), daemon=True)):
            thread.start()

    @property
    def last_error(self) -> str:
        """Its last line on stderr: of a stack trace the exception."""
        return self.errors[-1] if self.errors else ""

    def send(self, line: str) -> None:
        """Write a line to its stdin."""
        with contextlib.suppress(OSError, ValueError):  # it has ended
            self._stdin.write(line.encode() + b"\n")
            self._stdin.flush()

    def terminate(self) -> None:
        """Ask it to stop."""
        if sys.platform == "win32":  # there terminating is killing; a worker stops when its stdin closes
            self._stdin.close()
        elif not self.ended.is_set():
            self._process.terminate()

    def signal(self, number: int) -> None:
        if not self.ended.is_set():
            self._process.send_signal(number)

    async def kill(self) -> None:
        if not self.ended.is_set():
            self._process.kill()
            await self.ended.wait()

    async def stop(self, grace: float) -> None:
        """Ask it to stop, and kill it when it has not ended within `grace` seconds."""
        if grace:
            self.terminate()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.ended.wait(), grace)
        await self.kill()

    def _read_output(self, stream: IO[bytes]) -> None:
        for line in self._lines(stream):
            printed, is_heartbeat, grace = line.rstrip(b"\n").partition(b"\0")
            if is_heartbeat and grace.isdigit():
                self.heartbeats, self.grace = self.heartbeats + 1, float(grace)
                self._set(self.ready)
            if text := printed.decode("utf-8", "replace").rstrip():
                self._log.info("%s", text)

    def _read_errors(self, stream: IO[bytes]) -> None:
        for line in self._lines(stream):
            if text := line.decode("utf-8", "replace").rstrip():
                self._log.info("%s", text)
                self.errors = [*self.errors[-399:], text]

    def _lines(self, stream: IO[bytes]) -> Iterator[bytes]:
        with stream:
            while line := stream.readline(65_536):
                yield line

    def _reap(self, readers: list[threading.Thread]) -> None:
        if hasattr(os, "waitid"):  # its own children go with it, before its number can be given to another process
            with contextlib.suppress(ChildProcessError):
                os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
            with contextlib.suppress(OSError):
                os.killpg(self.pid, signal.SIGKILL)
        self.code = self._process.wait()
        self._stdin.close()
        for reader in readers:
            reader.join(0.5)  # so that its last lines are there
        self._set(self.ended)

    def _set(self, event: asyncio.Event) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed, so nobody waits
            self._loop.call_soon_threadsafe(event.set)


def kill(pid: int) -> None:
    """End a process at once, as a crash would; nothing where there is none (0)."""
    if pid > 0:
        with contextlib.suppress(OSError):
            os.kill(pid, getattr(signal, "SIGKILL", signal.SIGTERM))


class Backoff:
    """0.2 s, doubling up to 10 s; reset when something has run for 10 s."""

    def __init__(self) -> None:
        self._delay = SHORTEST_DELAY / 2
        self._started = time.monotonic()

    def started(self) -> None:
        self._started = time.monotonic()

    def next(self) -> float:
        """How many seconds to wait before the next start."""
        ran_long = time.monotonic() - self._started > LONGEST_DELAY
        self._delay = SHORTEST_DELAY if ran_long else min(self._delay * 2, LONGEST_DELAY)
        return self._delay
