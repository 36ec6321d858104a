"""Real pages, supervisors and servers, and workers without a model, over one home directory."""

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

from agent.local.client import status_of
from agent.local.status import ROOT, LocalConfig, LocalStatus

NOWHERE = "127.0.0.1:1"
"""Where no Temporal server listens."""


def fake_worker(home: Path, manner: str = "calm") -> tuple[str, ...]:
    return (sys.executable, "-m", "tests.local.fake_worker", str(home), manner)


async def eventually(condition: Callable[[], bool], within: float = 60.0) -> None:
    """Wait until the condition holds; fail after `within` seconds."""
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, f"the condition did not hold within {within} s"
        await asyncio.sleep(0.01)


class Stack:
    """The processes of one home directory: opens pages, and finds what lives."""

    def __init__(self, home: Path, cli: Path, **config: object) -> None:
        self.home = home
        self.config = dataclasses.replace(
            LocalConfig(home=str(home), look_at=NOWHERE, cli_path=str(cli), worker=fake_worker(home)),
            **config,  # type: ignore[arg-type]
        )
        self.pages: list[subprocess.Popen[bytes]] = []

    def open_page(self, environment: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
        page = subprocess.Popen(
            [sys.executable, "-m", "tests.local.page_process", self.config.to_json()],
            cwd=ROOT,
            env={**os.environ, **(environment or {})},
        )
        self.pages.append(page)
        return page

    def living(self, *words: str) -> list[psutil.Process]:
        """The processes of this home (and no other test's) whose command line has all these words: it names the home or they run in it."""
        found = []
        for process in psutil.process_iter():
            try:
                line = " ".join(process.cmdline())
                if (
                    (str(self.home) in line or Path(process.cwd()).is_relative_to(self.home))
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
        return [process for process in self.living("fake_worker") if "tests.local.fake_worker" in process.cmdline()]

    @property
    def supervisors(self) -> list[psutil.Process]:
        return self.living("agent.local", "{")

    def status(self) -> LocalStatus:
        return status_of(self.config)

    async def ready(self, within: float = 60.0) -> LocalStatus:
        """Wait until the server answers and the worker, if there is to be one, runs."""

        def is_ready(status: LocalStatus) -> bool:
            alive = all(psutil.pid_exists(pid) for pid in (status.server_pid, status.worker_pid) if pid)
            return status.phase == "ready" and status.worker in ("running", "off") and alive

        return await self.until(is_ready, within)

    async def until(self, wanted: Callable[[LocalStatus], bool], within: float = 60.0) -> LocalStatus:
        """Wait until the status is as wanted."""
        await eventually(lambda: wanted(self.status()), within)
        return self.status()

    async def empty(self, within: float = 20.0) -> None:
        """Wait until no process of this home lives."""
        await eventually(lambda: not self.living(), within)

    def kill_pages(self) -> None:
        for page in self.pages:
            page.send_signal(signal.SIGKILL)
            page.wait()


def environment_of(pid: int) -> dict[str, str]:
    return dict(psutil.Process(pid).environ())


def run_command(stack: Stack, *words: str) -> subprocess.CompletedProcess[str]:
    """`python -m agent.local <words>` for this home."""
    environment = {**os.environ, "STEADFAST_HOME": str(stack.home), "STEADFAST_LOOK_AT": NOWHERE}
    command = [sys.executable, "-m", "agent.local", *words]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
