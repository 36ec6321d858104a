"""A worker in the test's own process, with a model whose replies the test writes and tools that record their calls."""

import asyncio
import inspect
import json
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from temporalio.client import Client, WorkflowHandle
from temporalio.worker import Worker, WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from agent import wire
from agent.activities import Activities
from agent.client import ChatClient
from agent.ledger import Ledger
from agent.messages import ArgumentSpec, ChatView, GoalSpec, ModelUse, ToolSpec
from agent.model import CalledTool, ModelRequest, Reply
from agent.prompts import SINCE
from agent.settings import Settings
from agent.spending import SpendingLedger
from agent.workflow import AgentGoalWorkflow
from tools import ToolContext, ToolError, Toolset, tool
from tools.kit.define import tool_of

USE = ModelUse(model="test", prompt_tokens=10, completion_tokens=5, cost_usd="0.001")

GOAL = GoalSpec(
    name="notes",
    title="Keep notes",
    description="Write down what the person says.",
    starter_prompt="Greet.",
    tools=[
        ToolSpec(name=name, arguments=[ArgumentSpec(name="text", type="string")])
        for name in ("ReadNote", "WriteNote", "PostNote")
    ],
)


def say(text: str) -> Reply:
    return Reply(text, [], USE)


def call(name: str, words: str = "", **arguments: Any) -> Reply:
    return Reply(words, [CalledTool("c1", name, json.dumps(arguments))], USE)


def calls(*names: str, **arguments: Any) -> Reply:
    found = [CalledTool(f"c{number}", name, json.dumps(arguments)) for number, name in enumerate(names)]
    return Reply("", found, USE)


Answer = Reply | Exception | Callable[[ModelRequest], Reply]


@dataclass
class CannedModel:
    """Gives the test's answers in order, then echoes what was said last. `gate` holds every reply back until it is set."""

    answers: list[Answer] = field(default_factory=list)
    requests: list[ModelRequest] = field(default_factory=list)
    summaries: list[ModelRequest] = field(default_factory=list)
    gate: asyncio.Event | None = None
    cancelled: int = 0

    async def reply(self, request: ModelRequest, on_text: Callable[[str], None]) -> Reply:
        self.requests.append(request)
        try:
            if self.gate:
                on_text("half a rep")
                await self.gate.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        answer = self.answers.pop(0) if self.answers else say(f"You said: {request.messages[-1]['content'][:200]}")
        if isinstance(answer, Exception):
            raise answer
        return answer(request) if callable(answer) else answer

    async def summarize(self, request: ModelRequest) -> Reply:
        self.summaries.append(request)
        so_far, _, since = request.messages[-1]["content"].partition(SINCE)
        kept = [entry["user"][:60] for entry in map(json.loads, since.splitlines()) if "user" in entry]
        return say(" | ".join([so_far.removeprefix("The summary so far:\n"), *kept])[-4000:])


@dataclass
class Harness:
    """A chat client, the raw Temporal client, the model, and what the tools did."""

    chats: ChatClient
    temporal: Client
    model: CannedModel
    queue: str
    ran: list[tuple[str, str, str]]
    hooks: dict[str, Callable[[], Any]]

    async def start(self, *, goal: GoalSpec = GOAL, **options: Any) -> "Chat":
        chat = Chat(self, await self.chats.start(goal, **options))
        await chat.settled()
        return chat

    async def start_with(self, *, goal: GoalSpec = GOAL, **options: Any) -> "Chat":
        """A chat with the start input's own options, such as history_limit=1: continue as new after every turn."""
        chat = Chat(self, f"chat-{secrets.token_hex(8)}")
        await self.start_raw(chat.id, wire.start_input(goal, **options))
        await chat.settled()
        return chat

    async def start_raw(self, chat_id: str, *arguments: Any) -> WorkflowHandle[Any, Any]:
        return await self.temporal.start_workflow(
            "AgentGoalWorkflow", args=arguments, id=chat_id, task_queue=self.queue
        )


@dataclass
class Chat:
    """One chat as the tests drive it; its newest run unless one is named."""

    harness: Harness
    id: str
    run: str | None = None

    @property
    def handle(self) -> WorkflowHandle[Any, Any]:
        return self.harness.temporal.get_workflow_handle(self.id, run_id=self.run)

    async def view(self, since: int = 0) -> ChatView:
        view: ChatView = await self.handle.query("get_chat", since, result_type=ChatView)
        return view

    async def until(self, reached: Callable[[ChatView], bool], seconds: float = 60) -> ChatView:
        """The first view that is as asked; fails after some seconds."""
        deadline = time.monotonic() + seconds
        while not reached(view := await self.view()):
            if time.monotonic() > deadline:
                raise AssertionError(f"not within {seconds} s; the chat is {view.status}: {said(view)}")
            await asyncio.sleep(0.05)
        return view

    async def settled(self) -> ChatView:
        """The view once nothing is under way: the person's turn, a card, or the end."""
        return await self.until(lambda view: view.status in ("waiting", "deciding", "ended") and not view.queued)

    async def say(self, text: str, **options: Any) -> ChatView:
        before = (await self.view()).revision
        await self.harness.chats.send(self.id, text, **options)
        await self.until(lambda view: view.revision > before)
        return await self.settled()

    async def confirm(self, **arguments: Any) -> ChatView:
        view = await self.view()
        assert view.waiting, said(view)
        await self.harness.chats.confirm(self.id, view.waiting.id, arguments or None)
        await self.until(lambda later: later.waiting is None or later.waiting.id != view.waiting.id)  # type: ignore[union-attr]
        return await self.settled()

    async def signal(self, name: str, *payload: Any) -> None:
        await self.handle.signal(name, args=list(payload))

    async def everything(self) -> list[Any]:
        """All messages of all runs, oldest first, as a reader walks them."""
        description = await self.handle.describe()
        view = await self.harness.chats.earlier(self.id, description.run_id)
        messages = view.messages
        while view.previous_run_id:
            view = await self.harness.chats.earlier(self.id, view.previous_run_id)
            messages = view.messages + messages
        return messages


async def wait_until(reached: Callable[[], bool | Awaitable[bool]], seconds: float = 60) -> None:
    """Wait until it is so; fails after some seconds."""
    deadline = time.monotonic() + seconds
    while not (await found if inspect.isawaitable(found := reached()) else found):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s")
        await asyncio.sleep(0.05)


def said(view: ChatView) -> list[str]:
    """The transcript, a line a message."""
    return [line(message) for message in view.messages]


def line(message: Any) -> str:
    match message.kind:
        case "user" | "instruction" | "agent" | "notice":
            return f"{message.kind}: {message.text}"
        case "proposal":
            return f"proposal: {message.proposal.tool or message.proposal.kind} {message.proposal.arguments}"
        case "decision":
            return f"{message.verdict}: {message.arguments}"
        case _:
            return f"{message.outcome}: {message.result or message.error}"


def recording_tools(ran: list[tuple[str, str, str]], hooks: dict[str, Callable[[], Any]]) -> Toolset:
    """ReadNote (read), WriteNote (idempotent), PostNote (once): each records its call, then runs the test's hook."""

    async def act(name: str, text: str, context: ToolContext) -> str:
        ran.append((name, text, context.idempotency_key))
        outcome = hooks.get(name, lambda: None)()
        if asyncio.iscoroutine(outcome):
            outcome = await outcome
        if text == "fail":
            raise ToolError("The note could not be kept: the notebook is full.")
        return f"{name} of {text}" if outcome is None else outcome

    @tool(effect="read")
    async def read_note(text: str, context: ToolContext) -> str:
        """Read a note."""
        return await act("ReadNote", text, context)

    @tool(effect="idempotent")
    async def write_note(text: str, context: ToolContext) -> str:
        """Write a note."""
        return await act("WriteNote", text, context)

    @tool(effect="once")
    async def post_note(text: str, context: ToolContext) -> str:
        """Post a note."""
        return await act("PostNote", text, context)

    found = [tool_of(function) for function in (read_note, write_note, post_note)]
    return Toolset(tools={made.name: made for made in found if made})


def broken_validator(name: str) -> Toolset:
    """The recording tools; the validator of one of them fails with an error of its own."""

    def check(arguments: object) -> dict[str, Any]:
        raise ZeroDivisionError("division by zero")

    toolset = recording_tools([], {})
    toolset.tools[name] = replace(toolset.tools[name], check=check)
    return toolset


@asynccontextmanager
async def running_worker(
    temporal: Client,
    queue: str,
    answers: Sequence[Answer] = (),
    settings: Settings | None = None,
    guard: CannedModel | None = None,
    toolset: Toolset | None = None,
    runner: WorkflowRunner | None = None,
) -> AsyncIterator[Harness]:
    """A worker for one task queue. The greeting takes the first answer."""
    settings = settings or Settings(temporal_task_queue=queue, steadfast_home=str(Path.cwd()))
    ran: list[tuple[str, str, str]] = []
    hooks: dict[str, Callable[[], Any]] = {}
    model = CannedModel([say("Hello!"), *answers])
    tools = toolset or recording_tools(ran, hooks)
    activities = Activities(settings, model, tools, guard, ledger=Ledger(temporal, settings))
    async with Worker(
        temporal,
        task_queue=queue,
        workflows=[AgentGoalWorkflow, SpendingLedger],
        activities=activities.all(),
        workflow_runner=runner or SandboxedWorkflowRunner(),
        sticky_queue_schedule_to_start_timeout=timedelta(seconds=1),
        default_heartbeat_throttle_interval=timedelta(milliseconds=100),
        max_heartbeat_throttle_interval=timedelta(milliseconds=100),
    ):
        yield Harness(ChatClient(temporal, settings), temporal, model, queue, ran, hooks)
