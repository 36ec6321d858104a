"""A worker process that is stopped (SIGSTOP) for moments while people talk and all kinds of clients read their chats.

Whoever reads does it as the clients that there are: our page; the ancestors' API, which gives up after 5 s; Temporal's
Web UI, which gives up after 10 s; and one that gives up before the sticky timeout.
"""

import asyncio
import contextlib
import os
import random
import signal
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import cycle
from pathlib import Path

from temporalio.client import Client, WorkflowHistory, WorkflowQueryFailedError
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.service import RPCError
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner
from temporalio.workflow import NondeterminismError

from agent.client import ChatClient
from agent.errors import ChatError
from agent.messages import GoalSpec
from agent.settings import Settings
from agent.workflow import AgentGoalWorkflow
from tests.llm.stub import Answer, Json

TALK = GoalSpec(name="talk", title="Talk", description="Talk with the person.", starter_prompt="Greet.")
READERS = (("get_conversation_history", 5.0), ("get_latest_tool_data", 10.0), ("get_chat", 1.5))
"""What a client asks for, and after how many seconds it gives up. Each chat has one of them, beside our page."""


def slowly(_: Json) -> Answer:
    """A model that takes up to two seconds, so that most stops fall into a turn."""
    return Answer("I see.", delay=random.uniform(0, 2))


@dataclass
class Outcome:
    stops: int = 0
    turns: int = 0
    runs: int = 0
    unreplayable: int = 0


async def stall(
    client: Client, queue: str, pid: int, chats: int, stops: Sequence[float], keep: Path | None = None
) -> Outcome:
    """Stop the worker process once for each of so many seconds, between talk; then replay every run of every chat.

    keep: where to write the histories that cannot be replayed.
    """
    people, outcome, over = ChatClient(client, Settings(temporal_task_queue=queue)), Outcome(), asyncio.Event()
    ids = [await people.start(TALK) for _ in range(chats)]

    async def talk(chat_id: str) -> None:
        while not over.is_set():
            with contextlib.suppress(ChatError):
                await people.send(chat_id, "And then?")
            await asyncio.sleep(random.uniform(0.1, 1.0))

    async def page(chat_id: str) -> None:
        while not over.is_set():
            with contextlib.suppress(ChatError):
                await people.view(chat_id)
            await asyncio.sleep(0.3)

    async def read(chat_id: str, query: str, patience: float) -> None:
        handle = client.get_workflow_handle(chat_id)
        while not over.is_set():
            with contextlib.suppress(RPCError, WorkflowQueryFailedError):
                await handle.query(query, rpc_timeout=timedelta(seconds=patience))
            await asyncio.sleep(0.08)

    work = [asyncio.create_task(each(chat_id)) for chat_id in ids for each in (talk, page)]
    work += [asyncio.create_task(read(chat_id, *reader)) for chat_id, reader in zip(ids, cycle(READERS), strict=False)]
    for seconds in stops:
        await asyncio.sleep(random.uniform(0.5, 2))
        os.kill(pid, signal.SIGSTOP)
        try:
            await asyncio.sleep(seconds)
        finally:
            os.kill(pid, signal.SIGCONT)
        outcome.stops += 1
    over.set()
    await asyncio.gather(*work)
    for history in [history for chat_id in ids for history in await histories(client, chat_id)]:
        outcome.runs += 1
        outcome.turns += sum(event.HasField("activity_task_completed_event_attributes") for event in history.events)
        if not await replays(history):
            outcome.unreplayable += 1
            if keep:
                (keep / f"{history.workflow_id}.json").write_text(history.to_json())
    return outcome


async def histories(client: Client, chat_id: str) -> list[WorkflowHistory]:
    """Those of all runs of a chat."""
    found = [await _history(client, chat_id)]
    while previous := _continued(found[-1]):
        found.append(await _history(client, chat_id, previous))
    return found


async def _history(client: Client, chat_id: str, run_id: str | None = None) -> WorkflowHistory:
    deadline = time.monotonic() + 60
    while True:
        try:
            return await client.get_workflow_handle(chat_id, run_id=run_id).fetch_history()
        except RPCError:  # a busy server does not know its own shards for a moment
            if time.monotonic() > deadline:
                raise
        await asyncio.sleep(1)


def _continued(history: WorkflowHistory) -> str:
    return history.events[0].workflow_execution_started_event_attributes.continued_execution_run_id


async def replays(history: WorkflowHistory) -> bool:
    replayer = Replayer(
        workflows=[AgentGoalWorkflow],
        data_converter=pydantic_data_converter,
        workflow_runner=UnsandboxedWorkflowRunner(),
        debug_mode=True,  # a machine that is busy for 2 s is no deadlock
    )
    replay = await replayer.replay_workflow(history, raise_on_replay_failure=False)
    if replay.replay_failure and not isinstance(replay.replay_failure, NondeterminismError):
        raise replay.replay_failure
    return replay.replay_failure is None


def spread(shortest: float, longest: float, count: int) -> Iterator[float]:
    """So many lengths from the shortest to the longest, each as long again as the one before by the same factor."""
    factor = (longest / shortest) ** (1 / max(count - 1, 1))
    lengths = [shortest * factor**step for step in range(count)]
    random.shuffle(lengths)
    yield from lengths
