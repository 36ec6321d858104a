"""A worker whose tools come from a directory: `python -m tests.e2e.worker_with_tools DIRECTORY`, in a worker's environment.

Its model calls the tool that the person names ("CountLines" or `PutLine {"line": "a"}`), and reports what came back.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from agent.activities import Activities
from agent.messages import ModelUse
from agent.model import CalledTool, ModelRequest, Reply
from agent.settings import load_settings
from agent.telemetry import worker_runtime
from agent.temporal import connect
from agent.workflow import AgentGoalWorkflow
from tests.workflow.next_version import NextVersion
from tools import load

USE = ModelUse(model="caller")


class Caller:
    async def reply(self, request: ModelRequest, on_text: Callable[[str], None]) -> Reply:
        newest = request.messages[-1]
        content = str(newest["content"])
        if newest["role"] == "tool":
            return Reply(f"Reported: {content[:300]}", [], USE)
        name, _, arguments = content.partition(" ")
        if name in {tool["function"]["name"] for tool in request.tools}:
            return Reply("", [CalledTool("c1", name, arguments or "{}")], USE)
        return Reply(f"You said: {content}", [], USE)

    async def summarize(self, request: ModelRequest) -> Reply:
        return Reply("A summary.", [], USE)


async def serve(directory: Path) -> None:
    settings = load_settings()
    toolset = load(directory)
    for problem in toolset.problems:
        print(problem, file=sys.stderr, flush=True)
    activities = Activities(settings, Caller(), toolset)
    worker = Worker(
        await connect(settings, runtime=worker_runtime(settings)),
        task_queue=settings.temporal_task_queue,
        workflows=[NextVersion if os.environ.get("WORKFLOW_CHANGED") else AgentGoalWorkflow],
        activities=activities.all(),
        workflow_runner=UnsandboxedWorkflowRunner(),  # as worker.py has none either
        sticky_queue_schedule_to_start_timeout=timedelta(seconds=2),
        graceful_shutdown_timeout=timedelta(seconds=settings.worker_grace),
        max_heartbeat_throttle_interval=timedelta(seconds=settings.stream_interval),
        default_heartbeat_throttle_interval=timedelta(seconds=settings.stream_interval),
    )
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with worker:
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
