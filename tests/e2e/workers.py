"""Real workers for chats without a page: processes on a task queue of their own, and a person who uses the ChatClient."""

import asyncio
import os
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from temporalio.client import Client

from agent.client import ChatClient, Snapshot
from agent.errors import NoWorker
from agent.messages import ChatView, GoalSpec, Json, ToolResult
from agent.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
WORKER = (str(ROOT / "worker.py"),)


@dataclass
class Workers:
    """Workers of one task queue and one home; start() adds one, kill() is SIGKILL to all."""

    server: str
    home: Path
    environment: Mapping[str, str]
    program: Sequence[str]
    queue: str = field(default_factory=lambda: f"queue-{secrets.token_hex(4)}")
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def log(self) -> Path:
        """What all of them have printed."""
        return self.home / "workers.log"

    def start(self) -> None:
        """In the home directory, without the developer's .env, and with no model: the demo model."""
        given = {
            name: os.environ[name]
            for name in ("PATH", "HOME", "LANG", "TMPDIR", "PYTHONDONTWRITEBYTECODE")
            if name in os.environ
        }
        ours = {
            "TEMPORAL_ADDRESS": self.server,
            "TEMPORAL_TASK_QUEUE": self.queue,
            "STEADFAST_HOME": str(self.home),
            "STEADFAST_ENV_FILE": os.devnull,
            "PYTHONPATH": str(ROOT),
        }
        with self.log.open("ab") as log:
            worker = subprocess.Popen(
                [sys.executable, *self.program],
                cwd=self.home,
                env={**given, **ours, **self.environment},
                stdout=log,
                stderr=log,
            )
        self.workers.append(worker)

    def kill(self) -> None:
        for worker in self.workers:
            worker.kill()
            worker.wait()

    def exit_codes(self) -> list[int | None]:
        """None for one that lives."""
        return [worker.poll() for worker in self.workers]

    def person(self, temporal: Client) -> "Person":
        return Person(ChatClient(temporal, Settings(temporal_task_queue=self.queue)), temporal)


@contextmanager
def running_workers(
    server: str, home: Path, environment: Mapping[str, str] = MappingProxyType({}), program: Sequence[str] = WORKER
) -> Iterator[Workers]:
    """With one worker that has been started; none outlives the block."""
    workers = Workers(server, home, environment, program)
    workers.start()
    try:
        yield workers
    finally:
        workers.kill()


@dataclass
class Person:
    """Somebody with a ChatClient."""

    chats: ChatClient
    temporal: Client

    async def start(self, goal: GoalSpec) -> "Chat":
        chat = Chat(self, await self.chats.start(goal))
        await chat.settled(60)  # its worker may still be starting
        return chat


@dataclass
class Chat:
    """One chat. A view is only what ChatClient.view gives."""

    person: Person
    id: str

    async def until(self, reached: Callable[[Snapshot], bool], seconds: float = 30) -> Snapshot:
        """The first snapshot that is as asked; times without a worker pass."""
        seen: Snapshot | None = None
        deadline = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < deadline:
            with suppress(NoWorker):
                seen = await self.person.chats.view(self.id)
                if reached(seen):
                    return seen
            await asyncio.sleep(0.05)
        raise AssertionError(f"not within {seconds} s: {lines(seen.view) if seen and seen.view else seen}")

    async def view(self) -> ChatView:
        found = (await self.until(lambda seen: seen.view is not None)).view
        assert found is not None
        return found

    async def settled(self, seconds: float = 30) -> ChatView:
        """Once nothing is under way: the person's turn, a card, or the end."""

        def rests(seen: Snapshot) -> bool:
            view = seen.view
            return bool(view and view.status in ("waiting", "deciding", "ended") and not view.queued)

        found = (await self.until(rests, seconds)).view
        assert found is not None
        return found

    async def say(self, text: str) -> ChatView:
        before = (await self.view()).revision
        await self.person.chats.send(self.id, text)
        await self.until(lambda seen: bool(seen.view and seen.view.revision > before))
        return await self.settled()

    async def accept(self, **arguments: Json) -> str:
        """Confirm the card that waits, and do not wait for what follows; returns its id."""
        view = await self.view()
        assert view.waiting, lines(view)
        await self.person.chats.confirm(self.id, view.waiting.id, arguments or None)
        return view.waiting.id

    async def confirm(self, seconds: float = 30, **arguments: Json) -> ChatView:
        decided = await self.accept(**arguments)
        await self.until(lambda seen: bool(seen.view and not (seen.view.waiting and seen.view.waiting.id == decided)))
        return await self.settled(seconds)

    async def play(self, *said: str) -> ChatView:
        """Say each line, accepting whatever tool is proposed in between."""
        view = await self.view()
        for text in said:
            view = await self.say(text)
            while view.waiting and view.waiting.kind == "tool":
                view = await self.confirm()
        return view

    async def history(self) -> str:
        """All that the server keeps of the chat, as text."""
        handle = self.person.temporal.get_workflow_handle(self.id)
        return (await handle.fetch_history()).to_json()

    async def attempts(self, tool: str) -> int:
        """How often a tool was started in its newest call."""
        handle = self.person.temporal.get_workflow_handle(self.id)
        events = {event.event_id: event for event in (await handle.fetch_history()).events}
        started = [event.activity_task_started_event_attributes for event in events.values()]
        calls = [
            one.attempt
            for one in started
            if one.scheduled_event_id
            and events[one.scheduled_event_id].activity_task_scheduled_event_attributes.activity_type.name == tool
        ]
        return calls[-1]


def results(view: ChatView) -> list[ToolResult]:
    return [message for message in view.messages if isinstance(message, ToolResult)]


def lines(view: ChatView) -> list[str]:
    """The transcript, a line a message."""
    return [_line(message) for message in view.messages]


def _line(message: Any) -> str:
    match message.kind:
        case "user" | "instruction" | "agent" | "notice":
            return f"{message.kind}: {message.text}"
        case "proposal":
            return f"proposal: {message.proposal.tool} {message.proposal.arguments}"
        case "decision":
            return f"{message.verdict}: {message.tool} {message.arguments}"
        case _:
            return f"{message.outcome}: {message.tool} {message.result or message.error}"
