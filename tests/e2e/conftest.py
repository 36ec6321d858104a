"""The real page in a real browser: the README's command, a home directory of the test's own, headless Chromium."""

import asyncio
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest
from playwright.async_api import Browser, async_playwright

from agent.client import ChatClient
from agent.goals import goal_for
from agent.local.server import free_ports
from agent.settings import Settings
from agent.temporal import connect
from tools import load

ROOT = Path(__file__).resolve().parents[2]
_FLAGS = (
    "--no-sandbox --disable-dev-shm-usage --disable-gpu --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync"
)


@dataclass
class RunningPage:
    """The process that the README's command started, and what it keeps beside it."""

    url: str
    home: Path
    environment: Mapping[str, str]
    log: Path
    process: "subprocess.Popen[bytes]" = field(init=False)

    def start(self) -> None:
        """Also again, after it was killed."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                _command(), cwd=ROOT, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )

    async def answers(self) -> None:
        await _until("the page answers", lambda: _answers(self.url), 180)

    async def owner_url(self) -> str:
        """The address that the terminal prints, with the owner's token."""
        return await self.printed(r"Open (http://\S+)")

    async def printed(self, pattern: str) -> str:
        """What the terminal shows, the newest; waits for it."""
        found: list[str] = []

        def is_there() -> bool:
            found[:] = re.findall(pattern, self.log.read_text(encoding="utf-8"))
            return bool(found)

        await _until(f"the terminal shows {pattern}", is_there, 60)
        return found[-1]

    async def chats(self) -> ChatClient:
        """The page's own way to its chats; waits until there is a server."""
        await _until("there is a server", lambda: bool(self._status().get("address")), 60)
        return ChatClient(await connect(Settings(), self.server_address), Settings())

    async def new_chat(self) -> str:
        """The address of a chat in which the agent has greeted, and nobody has said anything."""
        chat_id = await (await self.chats()).start(goal_for(load(), "event_flight_invoice"))
        return f"{self.url}/?chat={chat_id}"

    def pid_of(self, what: str) -> int:
        """The process id of the `supervisor`, the `server` or the `worker`; ProcessLookupError while there is none."""
        pid = int(self._status().get(f"{what}_pid", 0))
        if pid <= 0:  # a signal to 0 would reach the test itself
            raise ProcessLookupError(f"no {what} is running")
        return pid

    @property
    def server_address(self) -> str:
        address = str(self._status().get("address", ""))
        if not address:
            raise ProcessLookupError("no server is running")
        return address

    @property
    def web_ui(self) -> str:
        """Of the server; "" while none is running."""
        return str(self._status().get("ui_url", ""))

    def _status(self) -> dict[str, Any]:
        status = self.home / "local" / "status.json"
        found: dict[str, Any] = json.loads(status.read_text()) if status.exists() else {}
        return found


def _command() -> list[str]:
    """The README's first command. Outside CI what it comes to once the packages are there: it would change them here."""
    block = (ROOT / "README.md").read_text(encoding="utf-8").split("```sh\n")[1].split("```")[0]
    if os.environ.get("CI"):
        return shlex.split(block)
    return [sys.executable, "-m", "streamlit", "run", "app.py"]


async def _until(what: str, happened: Callable[[], bool], seconds: float) -> None:
    deadline = asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < deadline:
        if await asyncio.to_thread(happened):
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"not within {seconds} s: {what}")


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/_stcore/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@asynccontextmanager
async def run_page(directory: Path, temporal_cli: Path, **variables: str) -> AsyncIterator[RunningPage]:
    """The page of the README's command; at the end it is told to stop, and everything it kept must be gone."""
    port = int(variables.get("STREAMLIT_SERVER_PORT", 0)) or free_ports().ui
    environment = os.environ | {
        "STEADFAST_HOME": str(directory / "home"),
        "STEADFAST_ENV_FILE": os.devnull,
        "STEADFAST_LOOK_AT": "127.0.0.1:1",
        "TEMPORAL_CLI_PATH": str(temporal_cli),
        "STREAMLIT_SERVER_PORT": str(port),
        "STREAMLIT_SERVER_HEADLESS": "true",
    }
    for name in ("TEMPORAL_ADDRESS", "LLM_MODEL", "EMBEDDED_WORKER"):
        environment.pop(name, None)
    page = RunningPage(f"http://127.0.0.1:{port}", directory / "home", environment | variables, directory / "page.log")
    page.start()
    try:
        await page.answers()
        yield page
        pids = [page.process.pid, *(page.pid_of(what) for what in ("supervisor", "server", "worker"))]
        page.process.send_signal(signal.SIGTERM)
        await _until("page and what it kept are gone", lambda: not any(map(_lives, pids)), 15)
    finally:
        page.process.kill()
        page.process.wait()


@pytest.fixture(scope="session")
async def running_page(tmp_path_factory: pytest.TempPathFactory, temporal_cli: Path) -> AsyncIterator[RunningPage]:
    """One for all tests: whatever they kill is there again, and each looks only at chats of its own, by their addresses."""
    async with run_page(tmp_path_factory.mktemp("page"), temporal_cli, OPEN_CHATS="true") as page:
        yield page


def _lives(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def find_chromium() -> str | None:
    """Chromium on PATH; its headless shell, if there is one, loads the page in half the CPU time."""
    names = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
    return next(filter(None, map(shutil.which, names)), None)


@asynccontextmanager
async def run_browser() -> AsyncIterator[Browser]:
    """Headless Chromium; skips the test on a machine without, but for CI."""
    chromium = find_chromium()
    if chromium is None:
        assert not os.environ.get("CI"), "Chromium is needed here; install it (Debian: apt-get install chromium)."
        pytest.skip("no Chromium on this machine")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=_FLAGS.split())
        yield browser
        await browser.close()


@pytest.fixture(scope="session")
async def _chromium() -> AsyncIterator[Browser]:
    async with run_browser() as browser:
        yield browser


@pytest.fixture
async def browser(_chromium: Browser) -> AsyncIterator[Browser]:
    """One for all tests, without the pages and cookies of another."""
    yield _chromium
    for context in _chromium.contexts:
        await context.close()
