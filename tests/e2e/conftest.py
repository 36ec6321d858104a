"""The real page in a real browser: the README's command, a home directory of the test's own, headless Chromium."""

import asyncio
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from playwright.async_api import Browser, async_playwright

from agent.local.server import free_ports

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
    process: subprocess.Popen[bytes]

    def pid_of(self, what: str) -> int:
        """The process id of the `supervisor`, the `server` or the `worker`."""
        return int(json.loads((self.home / "local" / "status.json").read_text())[f"{what}_pid"])


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


@pytest.fixture
async def running_page(tmp_path: Path, temporal_cli: Path) -> AsyncIterator[RunningPage]:
    """The page of the README's command; at the end it is told to stop, and everything it kept must be gone."""
    port = free_ports().ui
    environment = os.environ | {
        "STEADFAST_HOME": str(tmp_path / "home"),
        "STEADFAST_LOOK_AT": "127.0.0.1:1",
        "TEMPORAL_CLI_PATH": str(temporal_cli),
        "STREAMLIT_SERVER_PORT": str(port),
        "STREAMLIT_SERVER_ADDRESS": "127.0.0.1",
        "STREAMLIT_SERVER_HEADLESS": "true",
    }
    for name in ("TEMPORAL_ADDRESS", "LLM_MODEL", "EMBEDDED_WORKER"):
        environment.pop(name, None)
    with (tmp_path / "page.log").open("wb") as log:
        process = subprocess.Popen(
            _command(), cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True
        )
    page = RunningPage(f"http://127.0.0.1:{port}", tmp_path / "home", process)
    try:
        await _until("the page answers", lambda: _answers(page.url), 180)
        yield page
        pids = [page.pid_of(what) for what in ("supervisor", "server", "worker")]
        process.send_signal(signal.SIGTERM)
        await _until("page and what it kept are gone", lambda: not any(map(_lives, [process.pid, *pids])), 15)
    finally:
        process.kill()
        process.wait()


def _lives(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        assert not os.environ.get("CI"), "Chromium is needed here; install it (Debian: apt-get install chromium)."
        pytest.skip("no Chromium on this machine")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=_FLAGS.split())
        yield browser
        await browser.close()
