"""Two pages and three workers on one server: a rolling deployment of a changed workflow, and a page that is killed, lose and
double nothing."""

import asyncio
import json
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from temporalio.client import Client

from agent.client import ChatClient
from agent.local.server import free_ports
from agent.messages import GoalSpec, ToolSpec
from agent.page.access import TOKEN_FILE
from agent.settings import Settings
from tests.e2e.conftest import ROOT
from tests.e2e.workers import Workers, running_workers
from tests.workflow.harness import wait_until

CHATS = 6
TOKEN = "the token of both pages"
TOOL = '''
import asyncio
from pathlib import Path
from tools import tool

@tool(effect="once")
async def put_line(line: str) -> str:
    """Append a line."""
    await asyncio.sleep(0.3)
    with open({file!r}, "a") as lines:
        lines.write(line + "\\n")
    return line
'''
GOAL = GoalSpec(name="lines", title="Lines", tools=[ToolSpec(name="PutLine")])


@asynccontextmanager
async def _page(server: str, workers: Workers) -> AsyncIterator["tuple[str, subprocess.Popen[bytes]]"]:
    """A page without worker or server of its own; both pages have the owner's token of the same home."""
    port = free_ports().ui
    environment = os.environ | {
        "TEMPORAL_ADDRESS": server,
        "TEMPORAL_TASK_QUEUE": workers.queue,
        "EMBEDDED_WORKER": "off",
        "STEADFAST_HOME": str(workers.home / "pages"),
        "STEADFAST_ENV_FILE": os.devnull,
        "STREAMLIT_SERVER_PORT": str(port),
        "STREAMLIT_SERVER_HEADLESS": "true",
    }
    with (workers.home / f"page-{port}.log").open("wb") as log:
        command = [sys.executable, "-m", "streamlit", "run", "app.py"]
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    try:
        async with httpx.AsyncClient() as http:

            async def is_ready() -> bool:
                try:
                    return (await http.get(f"{url}/readyz")).status_code == 200
                except httpx.HTTPError:
                    return False

            await wait_until(is_ready, 90)
        yield url, process
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(20)


class Person:
    """Somebody with a program that speaks AG-UI to one page, and to the other one where that fails."""

    def __init__(self, pages: list[str], number: int, thread: str) -> None:
        self._pages, self._number, self._page = pages, number, number
        self.thread = thread
        self.lines: list[str] = []
        self._state: Any = None

    async def chat(self, deployed: asyncio.Event) -> None:
        """Each turn asks for a line and confirms it; a run that broke off is repeated as it was. Two after the deployment."""
        left = 2
        while left:
            left -= deployed.is_set()
            turn, line = len(self.lines), f"{self._number}/{len(self.lines)}"
            self.lines.append(line)
            words = f"PutLine {json.dumps({'line': line})}"
            message = {"id": f"{self._number}-{turn}", "role": "user", "content": words}
            outcome = await self._run(messages=[message])
            entries = [
                {"interruptId": each["id"], "status": "resolved", "payload": {"approved": True}}
                for each in outcome.get("interrupts", [])
            ]
            assert len(entries) == 1, outcome
            assert (await self._run(messages=[], resume=entries))["type"] == "success"

    async def _run(self, **asked: Any) -> Any:
        body = {"threadId": self.thread, "runId": secrets.token_hex(8), "state": self._state, **asked}
        for _ in range(20):
            try:
                return await self._attempt(self._pages[self._page % 2], body)
            except (httpx.HTTPError, EOFError):
                self._page += 1
                await asyncio.sleep(0.5)
        raise AssertionError("neither page answered")

    async def _attempt(self, page: str, body: dict[str, Any]) -> Any:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        timeout = httpx.Timeout(5, read=60)
        async with (
            httpx.AsyncClient(timeout=timeout) as http,
            http.stream("POST", f"{page}/agui", json=body, headers=headers) as answer,
        ):
            assert answer.status_code == 200, await answer.aread()
            async for line in answer.aiter_lines():
                event = json.loads(line.removeprefix("data: ")) if line.startswith("data: ") else {}
                if event.get("type") == "STATE_SNAPSHOT":
                    self._state = event["snapshot"]
                assert event.get("type") != "RUN_ERROR", event
                if event.get("type") == "RUN_FINISHED":
                    return event["outcome"]
        raise EOFError


async def test_a_rolling_deployment_and_a_killed_page_lose_and_double_nothing(
    server: str, temporal: Client, tmp_path: Path
) -> None:
    lines, directory = tmp_path / "lines.txt", tmp_path / "tools"
    directory.mkdir()
    (directory / "put_line.py").write_text(TOOL.format(file=str(lines)))
    program = ["-m", "tests.e2e.worker_with_tools", str(directory)]
    environment = {"WORKER_GRACE": "20", "STREAM_INTERVAL": "1", "WORKFLOW_CHANGED": ""}
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / TOKEN_FILE).write_text(TOKEN)
    with running_workers(server, tmp_path, environment, program) as workers:
        workers.start()
        workers.start()
        async with _page(server, workers) as (first, _), _page(server, workers) as (second, killed):
            chats = ChatClient(temporal, Settings(temporal_task_queue=workers.queue))
            people = [Person([first, second], number, await chats.start(GOAL)) for number in range(CHATS)]
            deployed = asyncio.Event()
            chatting = asyncio.gather(*(person.chat(deployed) for person in people))

            def has_lines(count: int) -> bool:
                return chatting.done() or (lines.exists() and len(lines.read_text().splitlines()) >= count)

            await wait_until(lambda: has_lines(2), 90)
            workers.environment = environment | {"WORKFLOW_CHANGED": "yes"}
            for number in range(3):  # one after another, while the others work
                workers.start()
                await asyncio.sleep(4)  # until it works, which costs a busy machine seconds
                workers.workers[number].terminate()
                await asyncio.to_thread(workers.workers[number].wait, 40)
                if number == 0:
                    killed.kill()
            deployed.set()
            await asyncio.wait_for(chatting, 120)
            later = Person([first], CHATS, await chats.start(GOAL))
            await asyncio.wait_for(later.chat(deployed), 60)
    assert sorted(lines.read_text().splitlines()) == sorted(
        line for person in [*people, later] for line in person.lines
    )
    assert workers.exit_codes()[:3] == [0, 0, 0]
    for person in [*people, later]:
        history = await temporal.get_workflow_handle(person.thread).fetch_history()
        kinds = [event.WhichOneof("attributes") for event in history.events]
        changed = "timer_started_event_attributes" in kinds
        assert changed == (person is later), "a run that began with the old workflow goes on in its way"
