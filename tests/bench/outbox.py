"""Whether every message arrives once and in order, whatever dies: `python -m tests.bench.outbox [--rounds 3]`.

A person in Chromium sends 60 messages in bursts of 1 to 6, with 0 ms to 1 s between them, while the Temporal server is
frozen for 1 to 20 s at a time, server, worker and page are killed, and the tab is reloaded. `tests/e2e/test_outbox.py`
plays a shorter round of the same.
"""

import argparse
import asyncio
import os
import random
import signal
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Page
from playwright.async_api import Error as BrowserError

from agent.client import ChatClient
from agent.errors import ChatError
from agent.local.binary import temporal_binary
from agent.messages import UserMessage
from agent.settings import Settings, load_settings
from agent.temporal import connect
from tests.e2e.conftest import RunningPage, run_browser, run_page

BOX = ".message-box textarea"
FAULTS = ("freeze", "freeze", "kill server", "kill worker", "reload", "kill page")


@dataclass
class Round:
    """One person, one chat. `faults` happen one after another while messages are sent; longest: of a freeze, in seconds."""

    page: RunningPage
    tab: Page
    random: random.Random
    faults: tuple[str, ...] = FAULTS
    longest: float = 20.0
    messages: int = 60
    sent: list[str] = field(default_factory=list)
    happened: list[str] = field(default_factory=list)
    reloads: int = 0
    address: str = ""

    async def play(self) -> None:
        """Open a chat, send everything, and let the last fault end."""
        await self.tab.goto(self.page.url)
        await self._say()
        await self.tab.wait_for_url("**/?chat=*", timeout=120_000)
        self.address = self.tab.url
        breaking = asyncio.create_task(self._break())
        try:
            await self._type()
        finally:
            breaking.cancel()
            with suppress(asyncio.CancelledError):
                await breaking

    @property
    def chat_id(self) -> str:
        return self.address.rpartition("chat=")[2]

    async def arrived(self, seconds: float) -> list[str]:
        """The person's messages as the chat has them, once it has as many as were sent, or after so many seconds."""
        deadline, found = time.monotonic() + seconds, list[str]()
        while time.monotonic() < deadline and len(found) < len(self.sent):
            with suppress(ChatError, OSError, RuntimeError):
                client = ChatClient(await connect(Settings(), self.page.server_address), Settings())
                view = (await client.view(self.chat_id)).view
                if view is not None:
                    messages = (*view.messages, *view.queued)
                    found = [message.text for message in messages if isinstance(message, UserMessage)]
            await asyncio.sleep(1)
        return found

    async def _type(self) -> None:
        while len(self.sent) < self.messages:
            burst = min(self.random.randint(1, 6), self.messages - len(self.sent))
            for _ in range(burst):
                await self._say()
                await asyncio.sleep(self.random.choice([0, 0, 0.05, self.random.random()]))
            await asyncio.sleep(self.random.random() * 2)
            if self.reloads:
                self.reloads -= 1
                await self._reload()

    async def _say(self) -> None:
        text = f"message {len(self.sent) + 1}"
        await self._send(text)
        self.sent.append(text)

    async def _send(self, text: str) -> None:
        """Type it once there is a box: none is there while the page loads."""
        box = self.tab.locator(BOX)
        await box.fill(text, timeout=120_000)
        await box.press("Enter")

    async def _reload(self) -> None:
        """As often as it takes: the page may be restarting."""
        while True:
            try:
                await self.tab.goto(self.address, timeout=10_000)
            except BrowserError:
                await asyncio.sleep(0.5)
            else:
                return

    async def _break(self) -> None:
        while True:
            for fault in self.random.sample(self.faults, len(self.faults)):
                await asyncio.sleep(self.random.random() * 2)
                with suppress(OSError, KeyError, ValueError):  # it is just being restarted
                    await self._happen(fault)

    async def _happen(self, fault: str) -> None:
        self.happened.append(fault)
        match fault:
            case "freeze":
                await self._freeze(self.page.pid_of("server"), self.random.uniform(1, self.longest))
            case "kill server":
                os.kill(self.page.pid_of("server"), signal.SIGKILL)
            case "kill worker":
                os.kill(self.page.pid_of("worker"), signal.SIGKILL)
            case "kill page":
                self.page.process.kill()
                self.page.process.wait()
                self.page.start()
                await self.page.answers()
            case "reload":
                self.reloads += 1

    async def _freeze(self, pid: int, seconds: float) -> None:
        os.kill(pid, signal.SIGSTOP)
        try:
            await asyncio.sleep(seconds)
        finally:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


async def play_round(page: RunningPage, browser: Browser, seed: int, **parts: Any) -> Round:
    """One round in a tab of its own."""
    tab = await browser.new_page()
    played = Round(page, tab, random.Random(seed), **parts)
    await played.play()
    return played


async def main(rounds: int) -> None:
    print("| round | faults | sent | arrived | once and in order | seconds |\n|---|---|---|---|---|---|")
    temporal_cli = await temporal_binary(load_settings(), lambda _: None)
    for seed in range(rounds):
        started = time.monotonic()
        with tempfile.TemporaryDirectory() as directory:
            async with run_page(Path(directory), temporal_cli) as page, run_browser() as browser:
                played = await play_round(page, browser, seed)
                arrived = await played.arrived(300)
                with suppress(BrowserError):
                    await played.tab.screenshot(path=Path(tempfile.gettempdir()) / f"outbox-{seed}.png")
        same = "yes" if arrived == played.sent else f"no: {arrived}"
        took = time.monotonic() - started
        print(f"| {seed} | {len(played.happened)} | {len(played.sent)} | {len(arrived)} | {same} | {took:.0f} |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    asyncio.run(main(parser.parse_args().rounds))
