"""Two versions of the workflow at work side by side, as in a rolling update: docs/operate.md."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner, Worker

from agent.activities import Activities
from agent.client import ChatClient
from agent.settings import Settings
from agent.temporal import connect
from agent.workflow import AgentGoalWorkflow
from tests.workflow.harness import CannedModel, Chat, Harness, recording_tools, said
from tests.workflow.next_version import NextVersion


@asynccontextmanager
async def working(server: str, queue: str, version: type) -> AsyncIterator[Harness]:
    """A worker with a connection of its own, as in a process of its own."""
    settings = Settings(temporal_task_queue=queue, steadfast_home=str(Path.cwd()))
    temporal = await connect(settings, server)
    model = CannedModel()
    async with Worker(
        temporal,
        task_queue=queue,
        workflows=[version],
        activities=Activities(settings, model, recording_tools([], {})).all(),
        workflow_runner=UnsandboxedWorkflowRunner(),
        max_cached_workflows=0,  # so that each task may go to either of them
    ):
        yield Harness(ChatClient(temporal, settings), temporal, model, queue, [], {})


async def test_chats_lose_nothing_while_two_versions_overlap_and_go_on_with_the_new_one(
    server: str, queue: str
) -> None:
    words = [f"message {number}" for number in range(3)]
    async with working(server, queue, AgentGoalWorkflow) as old:
        begun_before: list[Chat] = [await old.start() for _ in range(3)]
    async with working(server, queue, NextVersion) as new:
        begun_after: list[Chat] = [await new.start() for _ in range(3)]
        async with working(server, queue, AgentGoalWorkflow):
            for text in words:
                await asyncio.gather(*(new.chats.send(chat.id, text) for chat in (*begun_before, *begun_after)))
                await asyncio.sleep(1)
    async with working(server, queue, NextVersion):
        for chat in (*begun_before, *begun_after):
            view = await chat.settled()
            assert [line for line in said(view) if line.startswith("user: ")] == [f"user: {text}" for text in words]
            assert said(view)[-1].startswith("agent: ")
            history = await chat.handle.fetch_history()
            assert ("next-version" in str(history.events)) is (chat in begun_after)
            replayer = Replayer(
                workflows=[NextVersion],
                data_converter=pydantic_data_converter,
                workflow_runner=UnsandboxedWorkflowRunner(),
            )
            await replayer.replay_workflow(history)
