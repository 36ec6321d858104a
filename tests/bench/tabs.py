"""CPU of open tabs: `python -m tests.bench.tabs [--tabs 40] [--streaming 10] [--tree DIR]` prints a table.

The page, its supervisor, server and worker as `streamlit run app.py` starts them, the model a stub whose replies take
longer than the measurement. A tab is a session on Streamlit's own websocket, which runs fragments again as a browser
does; a browser with 40 tabs would need more than the page. --tree: another checkout of this repository, to compare with.
"""

import argparse
import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

from agent import wire
from agent.local.server import free_ports
from agent.messages import GoalSpec
from agent.settings import Settings
from agent.temporal import connect as connect_temporal
from tests.llm.stub import Answer, Stub

ROOT = Path(__file__).resolve().parents[2]
GOAL = GoalSpec(name="talk", title="Talk", description="Talk with the person.", starter_prompt="Greet.")
CALM_AFTER = 40.0
"""Seconds after which tabs that wait have become calm."""

LONG = Answer("word " * 4000, first=0.2, rate=20)


@dataclass
class Tab:
    """What a browser's tab does: it runs the script once, and the fragments again whenever they are due."""

    url: str
    query: str
    runs: int = 0
    received: int = 0
    _timers: dict[str, "asyncio.Task[None]"] = field(default_factory=dict)

    async def live(self) -> None:
        """Until it is cancelled."""
        origin = self.url.replace("ws:", "http:")
        stream = f"{self.url}/_stcore/stream"
        async with connect(stream, subprotocols=["streamlit"], origin=origin, max_size=None) as socket:  # type: ignore[list-item,arg-type]
            await self._run(socket, "")
            try:
                async for raw in socket:
                    self.received += len(raw)
                    self._take(ForwardMsg.FromString(raw if isinstance(raw, bytes) else raw.encode()), socket)
            finally:
                self._stop(self._timers)

    def _take(self, message: ForwardMsg, socket: ClientConnection) -> None:
        kind = message.WhichOneof("type")
        if kind == "new_session" and not message.metadata.run.fragment_ids:
            self._stop(self._timers)
        elif kind == "stop_auto_rerun":
            self._stop(message.stop_auto_rerun.fragment_ids)
        elif kind == "auto_rerun":
            due = message.auto_rerun
            self._stop([due.fragment_id])
            self._timers[due.fragment_id] = asyncio.create_task(self._again(socket, due.fragment_id, due.interval))

    def _stop(self, fragments: Any) -> None:
        for name in list(fragments):
            if timer := self._timers.pop(name, None):
                timer.cancel()

    async def _again(self, socket: ClientConnection, fragment: str, interval: float) -> None:
        while True:
            await asyncio.sleep(interval)
            await self._run(socket, fragment)

    async def _run(self, socket: ClientConnection, fragment: str) -> None:
        self.runs += 1
        state = ClientState(query_string=self.query, fragment_id=fragment, is_auto_rerun=bool(fragment))
        await socket.send(BackMsg(rerun_script=state).SerializeToString())


@dataclass
class Installation:
    """A page that runs, and the processes beside it."""

    port: int
    home: Path
    page: psutil.Process

    @property
    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.home / "local" / "status.json").read_text())
        return found

    def cpu(self) -> dict[str, float]:
        """Seconds of CPU so far."""
        status = self.status
        processes = {"page": self.page} | {
            name: psutil.Process(status[f"{name}_pid"]) for name in ("worker", "server", "supervisor")
        }
        return {name: sum(process.cpu_times()[:2]) for name, process in processes.items()}

    async def share(self, seconds: float) -> dict[str, float]:
        """Per cent of a core that each process uses."""
        before = self.cpu()
        await asyncio.sleep(seconds)
        return {name: 100 * (used - before[name]) / seconds for name, used in self.cpu().items()}


async def measure(tree: Path, tabs: int, streaming: int, seconds: float) -> None:
    with tempfile.TemporaryDirectory() as home, Stub() as stub:
        port = free_ports().ui
        environment = os.environ | {
            "STEADFAST_HOME": home,
            "STEADFAST_ENV_FILE": os.devnull,
            "STEADFAST_LOOK_AT": "127.0.0.1:1",
            "LLM_MODEL": "openai/stub",
            "LLM_KEY": "none",
            "LLM_BASE_URL": stub.openai,
            "LLM_TIMEOUT": "600",
        }
        command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless", "true"]
        served = subprocess.Popen(
            [*command, "--server.port", str(port)], cwd=tree, env=environment, stdout=subprocess.DEVNULL
        )
        try:
            await _report(Installation(port, Path(home), psutil.Process(served.pid)), stub, tabs, streaming, seconds)
        finally:
            served.send_signal(signal.SIGINT)
            served.wait(60)


async def _report(running: Installation, stub: Stub, tabs: int, streaming: int, seconds: float) -> None:
    chats = await _chats(running, tabs)
    nothing = await running.share(seconds)
    idle = tabs - streaming
    open_tabs = [Tab(f"ws://127.0.0.1:{running.port}", f"chat={chat_id}") for chat_id in chats]
    living = [asyncio.create_task(tab.live()) for tab in open_tabs[:idle]]
    await asyncio.sleep(5)
    fresh = await running.share(seconds)
    await asyncio.sleep(max(0.0, CALM_AFTER - seconds - 5))
    runs = sum(tab.runs for tab in open_tabs)
    quiet = await running.share(seconds)
    runs = sum(tab.runs for tab in open_tabs) - runs
    stub.default = LONG
    client = await connect_temporal(Settings(), running.status["address"])
    for chat_id in chats[idle:]:
        await client.get_workflow_handle(chat_id).signal("user_prompt", {"text": "Tell me a lot", "id": chat_id[-12:]})
    living += [asyncio.create_task(tab.live()) for tab in open_tabs[idle:]]
    await asyncio.sleep(5)
    words = await running.share(seconds)
    received = sum(tab.received for tab in open_tabs[idle:])
    assert not [task for task in living if task.done()], "a tab ended"
    for task in living:
        task.cancel()
    print(f"{idle} idle and {streaming} streaming tabs; % of a core; {runs / idle / seconds:.1f} runs/s an idle tab")
    print(f"{received / streaming / 1000:.0f} kB received by each streaming tab\n" if streaming else "")
    print("| | page | worker | server | supervisor | together |")
    print("|---|---|---|---|---|---|")
    _row("no tab", nothing, 1)
    _row(f"{idle} idle tabs, just opened", fresh, 1)
    _row(f"{idle} idle tabs, half a minute later", quiet, 1)
    _row(f"{idle} idle tabs and {streaming} streaming", words, 1)
    _row("one idle tab", {name: quiet[name] - nothing[name] for name in quiet}, idle)
    if streaming:
        _row("one streaming tab", {name: words[name] - quiet[name] for name in words}, streaming)


def _row(name: str, share: dict[str, float], of: int) -> None:
    cells = [f"{share[process] / of:.1f}" for process in ("page", "worker", "server", "supervisor")]
    print(f"| {name} | {' | '.join(cells)} | {sum(share.values()) / of:.1f} |")


async def _chats(running: Installation, count: int) -> list[str]:
    """So many chats that were greeted."""
    for _ in range(600):
        try:
            if running.status["worker_pid"] > 0 and running.status["phase"] == "ready":
                break
        except (OSError, ValueError, KeyError):
            pass  # it is starting
        await asyncio.sleep(0.1)
    client = await connect_temporal(Settings(), running.status["address"])
    chats = [f"chat-{number:032x}" for number in range(count)]
    for chat_id in chats:
        await client.start_workflow(
            "AgentGoalWorkflow", wire.start_input(GOAL), id=chat_id, task_queue=Settings().temporal_task_queue
        )
    for chat_id in chats:
        handle = client.get_workflow_handle(chat_id)
        while (await handle.query("get_chat", 0)).get("next_seq", 1) < 3:
            await asyncio.sleep(0.2)
    return chats


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tabs", type=int, default=40)
    parser.add_argument("--streaming", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--tree", type=Path, default=ROOT)
    given = parser.parse_args()
    asyncio.run(measure(given.tree.resolve(), given.tabs, given.streaming, given.seconds))
