"""Real pages, keepers, servers and workers over one home directory, and what of them lives."""

import asyncio
import dataclasses
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import psutil

from agent.local.page import look
from agent.local.setup import ROOT, Setup
from agent.local.status import LocalStatus

NOBODY = "127.0.0.1:1"
"""Where no Temporal server listens."""


def stand_in(home: Path, manner: str = "calm") -> tuple[str, ...]:
    return (sys.executable, "-m", "tests.local.stand_in", str(home), manner)


async def happens(what: Callable[[], bool], within: float = 30.0) -> None:
    """Wait until it is so."""
    deadline = time.monotonic() + within
    while not what():
        assert time.monotonic() < deadline, f"not so after {within} s"
        await asyncio.sleep(0.01)


class House:
    def __init__(self, home: Path, cli: Path, **setup: object) -> None:
        self.home = home
        self.setup = dataclasses.replace(
            Setup(home=str(home), look_at=NOBODY, cli_path=str(cli), worker=stand_in(home)),
            **setup,  # type: ignore[arg-type]
        )
        self.pages: list[subprocess.Popen[bytes]] = []

    def open_page(self, environment: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
        page = subprocess.Popen(
            [sys.executable, "-m", "tests.local.lone_page", self.setup.to_json()],
            cwd=ROOT,
            env={**os.environ, **(environment or {})},
        )
        self.pages.append(page)
        return page

    def living(self, *words: str) -> list[psutil.Process]:
        """The processes of this home (and no other test's) whose command line has all these words."""
        found = []
        for process in psutil.process_iter():
            try:
                line = " ".join(process.cmdline())
                if (
                    str(self.home) in line
                    and process.status() != psutil.STATUS_ZOMBIE
                    and all(w in line for w in words)
                ):
                    found.append(process)
            except psutil.Error:
                continue
        return found

    @property
    def servers(self) -> list[psutil.Process]:
        return self.living("start-dev", "--db-filename")

    @property
    def workers(self) -> list[psutil.Process]:
        return [process for process in self.living("stand_in") if "tests.local.stand_in" in process.cmdline()]

    @property
    def keepers(self) -> list[psutil.Process]:
        return self.living("agent.local", "{")

    def status(self) -> LocalStatus:
        return look(self.setup)

    async def ready(self, within: float = 30.0) -> LocalStatus:
        """Wait until the server answers and the worker, if there is to be one, runs."""

        def is_ready(status: LocalStatus) -> bool:
            alive = all(psutil.pid_exists(pid) for pid in (status.server_pid, status.worker_pid) if pid)
            return status.phase == "ready" and status.worker in ("running", "off") and alive

        return await self.until(is_ready, within)

    async def until(self, wanted: Callable[[LocalStatus], bool], within: float = 30.0) -> LocalStatus:
        """Wait until the status is as wanted."""
        await happens(lambda: wanted(self.status()), within)
        return self.status()

    async def empty(self, within: float = 5.0) -> None:
        """Nothing of this home lives, at the latest after this many seconds."""
        await happens(lambda: not self.living(), within)

    def kill_pages(self) -> None:
        for page in self.pages:
            page.send_signal(signal.SIGKILL)
            page.wait()


def environment_of(pid: int) -> dict[str, str]:
    return dict(psutil.Process(pid).environ())
