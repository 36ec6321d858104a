"""How long a turn takes and what it costs: `python -m tests.bench.speed [--quick]` prints a table.

Our worker and an embedded server as the page starts them, the model a stub on loopback of a set latency. The baseline
of each row is the bare model call, made in the same minute, so that rows of different machines can be compared.
"""

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.workflow.v1 import WorkflowExecutionInfo
from temporalio.api.workflowservice.v1 import GetWorkflowExecutionHistoryRequest
from temporalio.client import Client
from temporalio.runtime import LoggingConfig, Runtime, TelemetryConfig

from agent.client import ChatClient
from agent.errors import NoWorker
from agent.local.binary import temporal_binary
from agent.local.server import DevServer, start_dev_server
from agent.messages import GoalSpec
from agent.settings import Settings, load_settings
from agent.temporal import connect
from tests.llm.stub import Answer, Stub

ROOT = Path(__file__).resolve().parents[2]
QUEUE = "bench"
WARM_UP = 2.0
GOAL = GoalSpec(name="talk", title="Talk", description="Talk with the person.", starter_prompt="Greet.")


@dataclass
class Bench:
    server: DevServer
    client: Client
    chats: ChatClient
    stub: Stub
    worker: psutil.Process

    def cpu(self) -> tuple[float, float]:
        """Seconds of CPU so far: of the worker, of the server."""
        used = [process.cpu_times() for process in (self.worker, psutil.Process(self.server.child.pid))]
        return used[0].user + used[0].system, used[1].user + used[1].system


@asynccontextmanager
async def bench(command: Sequence[str] = ("worker.py",)) -> AsyncIterator[Bench]:
    """command: what Python runs as the worker."""
    with tempfile.TemporaryDirectory() as home, Stub() as stub:
        server = await start_dev_server(await temporal_binary(load_settings(), print), database=Path(home) / "bench.db")
        environment = os.environ | {
            "TEMPORAL_ADDRESS": server.address,
            "TEMPORAL_TASK_QUEUE": QUEUE,
            "LLM_MODEL": "openai/stub",
            "LLM_KEY": "none",
            "LLM_BASE_URL": stub.openai,
            "STEADFAST_HOME": home,
            "STEADFAST_ENV_FILE": os.devnull,
        }
        log = Path(home) / "worker.log"
        with log.open("wb") as written:
            worker = subprocess.Popen(
                [sys.executable, *command], cwd=ROOT, env=environment, stdout=written, stderr=written
            )
        try:
            while b"Worker for" not in log.read_bytes():
                assert worker.poll() is None, log.read_text()
                await asyncio.sleep(0.05)
            settings = Settings(temporal_task_queue=QUEUE)
            client = await connect(settings, server.address, runtime=_silent())
            yield Bench(server, client, ChatClient(client, settings), stub, psutil.Process(worker.pid))
        finally:
            worker.kill()
            worker.wait()
            await server.stop()


def _silent() -> Runtime:
    """Logs errors only: the SDK writes its warnings among the rows of the table."""
    return Runtime(telemetry=TelemetryConfig(logging=LoggingConfig(filter="ERROR")))


async def bare_call(stub: Stub) -> float:
    """Seconds for the model call alone, by HTTP."""
    body = {"model": "stub", "stream": True, "messages": [{"role": "user", "content": "Hi"}]}
    async with httpx.AsyncClient() as http:
        begun = time.perf_counter()
        await http.post(f"{stub.openai}/chat/completions", json=body)
        return time.perf_counter() - begun


async def start(run: Bench) -> str:
    chat_id = await run.chats.start(GOAL)
    for _ in range(1000):
        with suppress(NoWorker):  # a busy machine
            snapshot = await run.chats.view(chat_id)
            if snapshot.view and snapshot.view.next_seq == 3:
                return chat_id
        await asyncio.sleep(0.02)
    raise TimeoutError("no greeting")


async def latency(run: Bench, turns: int) -> list[float]:
    """Seconds from send to the reply readable by query, turn by turn."""
    chat_id, taken = await start(run), list[float]()
    handle = run.client.get_workflow_handle(chat_id)
    for turn in range(turns):
        begun = time.perf_counter()
        await run.chats.send(chat_id, f"Turn {turn}")
        while (await handle.query("get_chat", 2 + 2 * turn + 1))["next_seq"] < 5 + 2 * turn:
            await asyncio.sleep(0.002)
        taken.append(time.perf_counter() - begun)
    return taken


class Listener:
    """Waits for replies by long polls of the history, which cost the worker nothing."""

    def __init__(self, client: Client, chat_id: str) -> None:
        self._client = client
        self._execution = WorkflowExecution(workflow_id=chat_id)
        self._token = b""
        self._planned = False

    async def reply(self) -> None:
        """Return when a workflow task that followed a plan is done."""
        while True:
            request = GetWorkflowExecutionHistoryRequest(
                namespace=self._client.namespace,
                execution=self._execution,
                wait_new_event=True,
                next_page_token=self._token,
            )
            page = await self._client.workflow_service.get_workflow_execution_history(request)
            self._token = page.next_page_token
            for event in page.history.events:
                if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
                    self._planned = True
                elif event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED and self._planned:
                    self._planned = False
                    return


@dataclass(frozen=True)
class Load:
    """Of many turns at once: turns a second, and a turn's CPU in milliseconds, its events and its bytes of history."""

    rate: float
    worker: float
    server: float
    events: float
    bytes: float


async def throughput(run: Bench, chats: int, seconds: float) -> Load:
    """So many chats that talk as fast as they are answered, after a warm-up of 2 s."""
    ids = await asyncio.gather(*(start(run) for _ in range(chats)))
    listeners = [Listener(run.client, chat_id) for chat_id in ids]
    await asyncio.gather(*(listener.reply() for listener in listeners))
    done, over = 0, False

    async def talk(chat_id: str, listener: Listener) -> None:
        nonlocal done
        while not over:
            await run.chats.send(chat_id, "And then?")
            await listener.reply()
            done += 1

    talking = [asyncio.create_task(talk(*pair)) for pair in zip(ids, listeners, strict=True)]
    await asyncio.sleep(WARM_UP)
    before, begun, used = done, time.perf_counter(), run.cpu()
    await asyncio.sleep(seconds)
    turns, took, now = done - before, time.perf_counter() - begun, run.cpu()
    over = True
    await asyncio.gather(*talking)
    histories = [history for chat_id in ids for history in await _runs(run.client, chat_id)]
    for chat_id in ids:
        await run.chats.end(chat_id)
    return Load(
        rate=turns / took,
        worker=1000 * (now[0] - used[0]) / turns,
        server=1000 * (now[1] - used[1]) / turns,
        events=sum(history.history_length for history in histories) / (done + chats),
        bytes=sum(history.history_size_bytes for history in histories) / (done + chats),
    )


async def _runs(client: Client, chat_id: str) -> list[WorkflowExecutionInfo]:
    """All runs of a chat: the open one, and those that continued as new."""
    described = await client.get_workflow_handle(chat_id).describe()
    closed = client.list_workflows(f"WorkflowId = '{chat_id}' AND ExecutionStatus = 'ContinuedAsNew'")
    return [described.raw_description.workflow_execution_info, *[run.raw_info async for run in closed]]


async def main(quick: bool) -> None:
    async with bench() as run:
        print(
            "| latency | chats | send to reply | over a bare call | slowest | turns/s | worker | server | events | kB |"
        )
        print("|---|---|---|---|---|---|---|---|---|---|")
        for wait in (0.5, 0.0):
            run.stub.default = Answer("Hello from the stub.", delay=wait)
            bare = statistics.median([await bare_call(run.stub) for _ in range(5)])
            taken = sorted(await latency(run, 5 if quick else 20))
            median = statistics.median(taken)
            told = f"{median * 1000:.0f} ms | {(median - bare) * 1000:+.0f} ms | {taken[-1] * 1000:.0f} ms"
            for chats in (1, 10) if wait else (1, 10, 50):
                load = await throughput(run, chats, 5 if quick else 20)
                spent = f"{load.worker:.1f} ms | {load.server:.1f} ms | {load.events:.1f} | {load.bytes / 1000:.1f}"
                print(f"| {wait:g} s | {chats} | {told} | {load.rate:.1f} | {spent} |", flush=True)
                told = "| |"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a quarter of the time")
    asyncio.run(main(parser.parse_args().quick))
