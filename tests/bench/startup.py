"""From the command to the welcome and to the first reply, and what the worker weighs: `python -m tests.bench.startup [--times 3]`.

The README's second command with the demo model, a home of its own and headless Chromium, everything cached by a first
run that is not counted. To compare with, in the same minute: a Streamlit page of one line, and a process that has
imported LiteLLM.
"""

import argparse
import asyncio
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
from playwright.async_api import Browser

from agent.local.server import free_ports
from tests.bench.outbox import BOX
from tests.e2e.conftest import run_browser

ROOT = Path(__file__).resolve().parents[2]
MIB = 2**20


async def started(browser: Browser, app: Path, home: Path, *, ours: bool = True) -> tuple[float, float, float]:
    """Seconds from the command until the page welcomes, and until it answers what is said at once; MiB of the worker."""
    port = free_ports().ui
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("LLM_", "TEMPORAL_A"))}
    environment |= {"STEADFAST_HOME": str(home), "STEADFAST_LOOK_AT": "127.0.0.1:1"}
    command = [sys.executable, "-m", "streamlit", "run", str(app), "--server.headless", "true"]
    page = await browser.new_page()
    begun = time.monotonic()
    with subprocess.Popen(
        [*command, "--server.port", str(port), "--server.address", "127.0.0.1"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
    ) as served:
        try:
            while time.monotonic() - begun < 120:
                try:
                    await page.goto(f"http://127.0.0.1:{port}")
                    break
                except Exception:  # not yet listening
                    await asyncio.sleep(0.02)
            await page.locator(".stChatMessage").first.wait_for(timeout=120_000)
            welcomed = time.monotonic() - begun
            if not ours:
                return welcomed, 0.0, 0.0
            await page.locator(BOX).fill("Events in San Francisco in March")
            await page.locator(BOX).press("Enter")
            await page.locator('[class*="st-key-card-"]').first.wait_for(timeout=120_000)
            answered = time.monotonic() - begun
            worker = json.loads((home / "local" / "status.json").read_text())["worker_pid"]
            return welcomed, answered, psutil.Process(worker).memory_info().rss / MIB
        finally:
            await page.close()
            served.send_signal(signal.SIGINT)


def litellm() -> tuple[float, float]:
    """Seconds to import LiteLLM, and MiB of a process that has."""
    code = "import agent.llm.library, psutil; print(psutil.Process().memory_info().rss)"
    begun = time.monotonic()
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return time.monotonic() - begun, int(done.stdout) / MIB


async def main(times: int) -> None:
    with tempfile.TemporaryDirectory() as home:
        bare = Path(home) / "bare.py"
        bare.write_text("import streamlit as st\n\nst.chat_message('assistant').write('Hello.')\n")
        async with run_browser() as browser:
            await started(browser, ROOT / "app.py", Path(home) / "first")
            ours = [await started(browser, ROOT / "app.py", Path(home) / f"home-{each}") for each in range(times)]
            base = [await started(browser, bare, Path(home) / "none", ours=False) for _ in range(times)]
    library = litellm()
    print("| | command to welcome, median | to the first reply, median | worker |")
    print("|---|---|---|---|")
    cells = f"{_median(ours, 0):.1f} s | {_median(ours, 1):.1f} s | {_median(ours, 2):.0f} MiB"
    print(f"| ours, demo model, {times} starts | {cells} |")
    print(f"| a Streamlit page of one line | {_median(base, 0):.1f} s | | |")
    print(f"| a process that imports LiteLLM | {library[0]:.1f} s | | {library[1]:.0f} MiB |")


def _median(measured: list[tuple[float, float, float]], which: int) -> float:
    return statistics.median(one[which] for one in measured)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=3)
    asyncio.run(main(parser.parse_args().times))
