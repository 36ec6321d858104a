"""What a worker has cached of a run, when a query brings news of a workflow task that has not started."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import PollWorkflowTaskQueueRequest
from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner, Worker, WorkflowInstance, WorkflowInstanceDetails
from temporalio.workflow import NondeterminismError

from agent.activities import Activities
from agent.eviction import STICKY_TIMEOUT, EvictingRunner
from agent.settings import Settings
from agent.workflow import AgentGoalWorkflow
from tests.e2e.test_models import worker
from tests.llm.stub import Stub
from tests.workflow.harness import CannedModel, Chat, recording_tools, running_worker
from tests.workflow.stalls import slowly, spread, stall


def on_query(runner: UnsandboxedWorkflowRunner, happen: Callable[[], None]) -> None:
    """Do something when the first query reaches a run, before it is answered."""
    create, pending = runner.create_instance, [happen]

    def created(det: WorkflowInstanceDetails) -> WorkflowInstance:
        instance = create(det)
        activate = instance.activate

        def activated(act: WorkflowActivation) -> WorkflowActivationCompletion:
            if pending and all(job.HasField("query_workflow") for job in act.jobs):
                pending.pop()()
            return activate(act)

        instance.activate = activated  # type: ignore[method-assign]
        return instance

    runner.create_instance = created  # type: ignore[method-assign]


Way = Callable[[Client, str, UnsandboxedWorkflowRunner], Awaitable[Chat]]


@asynccontextmanager
async def working(temporal: Client, queue: str, runner: UnsandboxedWorkflowRunner) -> AsyncIterator[Worker]:
    """A worker that takes one task off its queue at a time."""
    settings = Settings(temporal_task_queue=queue, steadfast_home=str(Path.cwd()))
    worker = Worker(
        temporal,
        task_queue=queue,
        workflows=[AgentGoalWorkflow],
        activities=Activities(settings, CannedModel(), recording_tools([], {}), None).all(),
        workflow_runner=runner,
        max_concurrent_workflow_tasks=2,  # one of them is for what it has cached
        max_concurrent_workflow_task_polls=2,
    )
    watching = None
    if isinstance(runner, EvictingRunner):
        runner.attach(worker)
        watching = asyncio.create_task(runner.watch())
    async with worker:
        yield worker
    if watching:
        watching.cancel()


async def replay(chat: Chat) -> None:
    replayer = Replayer(
        workflows=[AgentGoalWorkflow],
        data_converter=pydantic_data_converter,
        workflow_runner=UnsandboxedWorkflowRunner(),
    )
    await replayer.replay_workflow(await chat.handle.fetch_history())


async def read_ahead(temporal: Client, queue: str, runner: UnsandboxedWorkflowRunner) -> Chat:
    """A chat whose next worker meets a query before the workflow task of a message, and a second message meanwhile.

    Whether the server hands out the query first, or the task, is chance.
    """
    async with running_worker(temporal, queue) as harness:
        chat = await harness.start()
    loop = asyncio.get_running_loop()
    asked = asyncio.create_task(chat.view())
    await asyncio.sleep(1)  # the server hands a query out by itself only while no workflow task is due
    await harness.chats.send(chat.id, "one")
    on_query(runner, lambda: asyncio.run_coroutine_threadsafe(harness.chats.send(chat.id, "two"), loop).result(10))
    async with working(temporal, queue, runner):
        await asked
        await both_answered(chat)
    return chat


async def read_lost_task(temporal: Client, queue: str, runner: UnsandboxedWorkflowRunner) -> Chat:
    """A chat whose next worker meets a query with a workflow task that another worker took, and is never heard of."""
    while True:
        async with running_worker(temporal, queue) as harness:
            chat = await harness.start()
        asked = asyncio.create_task(chat.view())
        await asyncio.sleep(1)
        await harness.chats.send(chat.id, "one")
        if not await taken_and_lost(temporal, queue):
            break
        asked.cancel()
    async with working(temporal, queue, runner):
        await asked
        await harness.chats.send(chat.id, "two")
        await both_answered(chat)
    return chat


async def taken_and_lost(temporal: Client, queue: str) -> bool:
    """Take a task off the queue as a worker does that dies at once; whether it was the query."""
    request = PollWorkflowTaskQueueRequest(namespace="default", task_queue=TaskQueue(name=queue), identity="dead")
    task = await temporal.workflow_service.poll_workflow_task_queue(request)
    return task.HasField("query")


async def both_answered(chat: Chat) -> None:
    await chat.until(lambda view: view.status == "waiting" and not view.queued and view.next_seq > 4)


WAYS = pytest.mark.parametrize("way", [read_ahead, read_lost_task])


@WAYS
async def test_the_sdk_alone_makes_a_run_unreplayable(temporal: Client, queue: str, way: Way) -> None:
    """When this fails, the SDK has been repaired, and agent/eviction.py can go."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        chat = await way(temporal, queue, UnsandboxedWorkflowRunner())
        try:
            await replay(chat)
        except NondeterminismError:
            return
    pytest.fail("every run could be replayed")


@WAYS
async def test_a_run_that_got_ahead_is_evicted_and_replays(temporal: Client, queue: str, way: Way) -> None:
    deadline, evicted = time.monotonic() + 120, 0
    while not evicted and time.monotonic() < deadline:
        runner = EvictingRunner()
        chat = await way(temporal, queue, runner)
        await replay(chat)
        evicted += runner.evicted
    assert evicted


class Counting(EvictingRunner):
    created = 0

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        self.created += 1
        return super().create_instance(det)


async def test_a_worker_that_stood_still_gives_up_what_it_has_cached(temporal: Client, queue: str) -> None:
    runner = Counting()
    async with running_worker(temporal, queue) as harness:
        chat = await harness.start()
    async with working(temporal, queue, runner):
        await chat.say("one")
        await chat.say("two")
        before = runner.created
        time.sleep(1.2 * STICKY_TIMEOUT.total_seconds())
        await chat.say("three")
    assert runner.evicted
    assert runner.created > before
    await replay(chat)


@pytest.mark.slow
async def test_a_stopped_worker_leaves_only_runs_that_replay(
    temporal: Client, server: str, queue: str, tmp_path: Path
) -> None:
    with Stub(slowly) as stub:
        model = {"LLM_MODEL": "openai/stub", "LLM_KEY": "none", "LLM_BASE_URL": stub.openai}
        async with worker(server, queue, tmp_path, **model) as process:
            outcome = await stall(temporal, queue, process.pid, chats=4, stops=list(spread(0.3, 3, 7)))
    assert outcome.turns > 4
    assert outcome.unreplayable == 0, outcome
