"""From the model's first token to the first words in the page: `python -m tests.bench.stream [--replies 50] [--tree DIR]`.

The real page in Chromium, its supervisor, server and worker; the model a stub of 20 tokens a second on loopback. The
baseline, in the same minute, is a bare HTTP client that reads the same stream.
"""

import argparse
import asyncio
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx
from playwright.async_api import Page

from agent.local.server import free_ports
from tests.bench.outbox import BOX
from tests.e2e.conftest import run_browser
from tests.llm.stub import Answer, Stub

ROOT = Path(__file__).resolve().parents[2]
FIRST_TOKEN = 0.3
"""Seconds after which the stub sends its first token."""

# Notes the moment at which a word first stands in the page.
WATCH = """word => new Promise(done => {
    const seen = () => document.body.innerText.includes(word) && (done(Date.now() / 1000), true);
    if (!seen()) { const observer = new MutationObserver(() => seen() && observer.disconnect());
                   observer.observe(document.body, {subtree: true, childList: true, characterData: true}); }
})"""


async def bare(stub: Stub) -> float:
    """Seconds from request to the first byte of a stream, beyond the stub's own wait."""
    async with httpx.AsyncClient() as http:
        begun = time.perf_counter()
        async with http.stream("POST", f"{stub.openai}/chat/completions", json={"model": "stub"}) as answer:
            async for _ in answer.aiter_bytes():
                return time.perf_counter() - begun - FIRST_TOKEN
    return 0.0


async def replies(page: Page, stub: Stub, count: int) -> list[float]:
    """Seconds from the first token to the first word of each reply in the page."""
    taken: list[float] = []
    for number in range(count):
        word = f"reply{number:03}"
        stub.default = Answer(f"{word} and the rest of it comes slowly, token by token.", first=FIRST_TOKEN, rate=20)
        watched = asyncio.create_task(page.evaluate(WATCH, word))
        requests = len(stub.requests)
        box = page.locator(BOX)
        await box.fill(f"Question {number}")
        await box.press("Enter")
        shown = await watched
        asked = time.time() - (time.monotonic() - stub.requests[requests].at)
        taken.append(shown - asked - FIRST_TOKEN)
        await asyncio.sleep(1.5)
    return taken


async def turns(page: Page, stub: Stub, count: int) -> list[float]:
    """Seconds from Enter to the reply in the page, of a model that answers at once."""
    taken: list[float] = []
    for number in range(count):
        word = f"whole{number:03}"
        stub.default = Answer(f"{word} and the rest of it, at once.")
        watched = asyncio.create_task(page.evaluate(WATCH, word))
        box = page.locator(BOX)
        await box.fill(f"Question {number}")
        begun = time.time()
        await box.press("Enter")
        taken.append(await watched - begun)
        await asyncio.sleep(1.5)
    return taken


async def main(count: int, tree: Path) -> None:
    with tempfile.TemporaryDirectory() as home, Stub() as stub:
        port = free_ports().ui
        environment = os.environ | {
            "STEADFAST_HOME": home,
            "STEADFAST_ENV_FILE": os.devnull,
            "STEADFAST_LOOK_AT": "127.0.0.1:1",
            "LLM_MODEL": "openai/stub",
            "LLM_KEY": "none",
            "LLM_BASE_URL": stub.openai,
        }
        command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless", "true"]
        served = subprocess.Popen([*command, "--server.port", str(port)], cwd=tree, env=environment)
        try:
            async with run_browser() as browser:
                page = await browser.new_page()
                await _open(page, port)
                taken = await replies(page, stub, count)
                base = statistics.median([await bare(stub) for _ in range(10)])
                whole = await turns(page, stub, count)
        finally:
            served.send_signal(signal.SIGINT)
            served.wait(20)
    taken.sort()
    whole.sort()
    print(
        "| replies | median | p95 | slowest | bare client, median | Enter to a reply that comes at once, median, p95 |"
    )
    print("|---|---|---|---|---|---|")
    p95 = taken[max(0, round(0.95 * len(taken)) - 1)]
    of_turns = f"{statistics.median(whole):.2f} s, {whole[max(0, round(0.95 * len(whole)) - 1)]:.2f} s"
    print(
        f"| {len(taken)} | {statistics.median(taken):.2f} s | {p95:.2f} s | {taken[-1]:.2f} s | {base:.3f} s | {of_turns} |"
    )


async def _open(page: Page, port: int) -> None:
    for _ in range(100):
        try:
            await page.goto(f"http://127.0.0.1:{port}")
            break
        except Exception:  # not yet listening
            await asyncio.sleep(0.2)
    await page.locator(BOX).fill("Hello")
    await page.locator(BOX).press("Enter")
    await page.locator(".stChatMessage", has_text="Hello from the stub.").wait_for(timeout=90_000)
    await asyncio.sleep(2)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replies", type=int, default=50)
    parser.add_argument("--tree", type=Path, default=ROOT, help="another checkout, to compare with")
    given = parser.parse_args()
    asyncio.run(main(given.replies, given.tree.resolve()))
