"""What Temporal Cloud would bill: `python -m tests.bench.actions [--idle 30] [--tree DIR]` prints two tables.

Page and worker as `streamlit run app.py` starts them, with a recording proxy between them and a dev server; one tab is
open. A plain turn is a message and its answer. A tool turn is a message, the card, its Confirm, the tool, and the answer
to its result. The model is a stub: its first word comes after a second, a card after 2 s, an answer takes 6 s.
"""

import argparse
import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent import visibility
from agent.client import ChatClient
from agent.errors import NoWorker
from agent.goals import goal_for
from agent.local.binary import temporal_binary
from agent.local.server import free_ports, start_dev_server
from agent.messages import ChatView
from agent.settings import Settings, load_settings
from agent.temporal import connect
from tests.bench.proxy import RecordingProxy
from tests.bench.tabs import ROOT, Tab
from tests.llm.stub import Answer, Stub
from tools import load

INTERVALS = (0.0, 4.0, 1.0, 0.5, 0.1)
ANSWER = Answer("word " * 100, first=1.0, rate=20)
CARD = Answer(calls=(("ListOrders", '{"email": "alex.rivera@example.com"}'),), first=2.0)


def reply(body: dict[str, Any]) -> Answer:
    said = body["messages"][-1]
    return CARD if said["role"] == "user" and "Where are my" in str(said["content"]) else ANSWER


@dataclass
class Person:
    """Someone with one open tab. What they do passes the proxy; how the bench waits does not."""

    chats: ChatClient
    unseen: ChatClient
    chat_id: str
    proxy: RecordingProxy

    async def turn(self, text: str) -> Counter[str]:
        """The Actions of one turn; a card is confirmed."""
        self.proxy.actions.clear()
        seq = (await self.until(lambda _: True)).next_seq
        await self.chats.send(self.chat_id, text)
        view = await self.until(lambda view: view.next_seq > seq and view.status in ("waiting", "deciding"))
        if view.waiting:
            await self.chats.confirm(self.chat_id, view.waiting.id)
            await self.until(lambda view: view.status == "waiting")
        await asyncio.sleep(3)  # the page sees the end of it
        return Counter(self.proxy.actions)

    async def until(self, reached: Callable[[ChatView], bool]) -> ChatView:
        for _ in range(600):
            try:
                view = (await self.unseen.view(self.chat_id)).view
                if view and reached(view):
                    return view
            except NoWorker:
                pass  # it is starting
            await asyncio.sleep(0.2)
        raise TimeoutError(f"{self.chat_id} did not come to it")


@asynccontextmanager
async def person(tree: Path, interval: float) -> AsyncIterator[Person]:
    with tempfile.TemporaryDirectory() as home, Stub(reply) as stub:
        server = await start_dev_server(await temporal_binary(load_settings(), print), database=Path(home) / "bench.db")
        unseen = await connect(Settings(), server.address)
        await visibility.prepare(unseen, register=True)
        async with RecordingProxy(server.address) as proxy:
            port = free_ports().ui
            environment = os.environ | {
                "STEADFAST_HOME": home,
                "STEADFAST_ENV_FILE": os.devnull,
                "TEMPORAL_ADDRESS": proxy.address,
                "STREAM_INTERVAL": str(interval),
                "LLM_MODEL": "openai/stub",
                "LLM_KEY": "none",
                "LLM_BASE_URL": stub.openai,
            }
            command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless", "true"]
            served = subprocess.Popen(
                [*command, "--server.port", str(port)], cwd=tree, env=environment, stdout=subprocess.DEVNULL
            )
            tab = None
            try:
                settings = Settings(temporal_address=proxy.address)
                chats = ChatClient(await connect(Settings(), proxy.address), settings)
                chat_id = await chats.start(goal_for(load(), "orders"))
                someone = Person(chats, ChatClient(unseen, Settings()), chat_id, proxy)
                await someone.until(lambda view: view.status == "waiting")
                tab = asyncio.create_task(Tab(f"ws://127.0.0.1:{port}", f"chat={chat_id}").live())
                await asyncio.sleep(5)
                yield someone
                assert not tab.done(), "the tab ended"
            finally:
                if tab:
                    tab.cancel()
                served.send_signal(signal.SIGINT)
                await asyncio.to_thread(served.wait, 60)
                await server.stop()


async def main(tree: Path, idle: float, intervals: tuple[float, ...]) -> None:
    rows = []
    for interval in intervals:
        async with person(tree, interval) as someone:
            if interval == intervals[0]:
                someone.proxy.actions.clear()
                someone.proxy.calls.clear()
                await asyncio.sleep(idle)
                billed, calls = sum(someone.proxy.actions.values()), dict(someone.proxy.calls)
            plain = await someone.turn("Good day")
            rows.append((interval, plain, await someone.turn("Where are my orders?")))
    print(f"An idle tab: {billed * 3600 / idle:.0f} Actions an hour ({billed} in {idle:.0f} s). Calls: {calls}\n")
    print("| STREAM_INTERVAL | plain turn | heartbeats in it | tool turn | heartbeats in it |")
    print("|---|---|---|---|---|")
    for interval, plain, tool in rows:
        cells = [f"{sum(turn.values())} | {turn['heartbeat']}" for turn in (plain, tool)]
        print(f"| {interval or 'off'} | {' | '.join(cells)} |")
    print("\n| Action | plain turn | tool turn |\n|---|---|---|")
    _, plain, tool = rows[0]
    for name in sorted(plain | tool):
        print(f"| {name} | {plain[name]} | {tool[name]} |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--idle", type=float, default=30)
    parser.add_argument("--intervals", type=float, nargs="*", default=INTERVALS)
    parser.add_argument("--tree", type=Path, default=ROOT)
    given = parser.parse_args()
    asyncio.run(main(given.tree.resolve(), given.idle, tuple(given.intervals)))
