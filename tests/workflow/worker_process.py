"""A worker process that a test kills: `python -m tests.workflow.worker_process ADDRESS QUEUE DIRECTORY`.

Its tools leave their effects as files in the directory, and then, while a file `hold` lies there, do not answer.
"""

import asyncio
import json
import secrets
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from temporalio.worker import Worker

from agent.activities import Activities
from agent.model import ModelRequest, Reply
from agent.settings import Settings
from agent.temporal import connect
from agent.workflow import AgentGoalWorkflow
from tests.workflow.harness import call, say
from tools import ToolContext, Toolset, tool
from tools.kit.define import tool_of


class EchoModel:
    """Calls the tool that the person names, and reports what it returned."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    async def reply(self, request: ModelRequest, on_text: Callable[[str], None]) -> Reply:
        newest = request.messages[-1]
        content = str(newest["content"])
        if newest["role"] == "tool":
            answer = json.loads(content)
            return say("It may have been done." if "unknown" in answer else f"Reported: {answer.get('result')}")
        if content == "Think":
            (self._directory / "thinking").touch()
            await held(self._directory)
            return say("Thought.")
        if content.endswith("Note"):
            return call(content, text="a")
        return say(content)

    async def summarize(self, request: ModelRequest) -> Reply:
        return say("A summary.")


async def held(directory: Path) -> None:
    while (directory / "hold").exists():
        await asyncio.sleep(0.05)


def tools(directory: Path) -> Toolset:
    """One of each effect. WriteNote's service knows its keys: the same key is the same note."""

    async def act(name: str, key: str) -> str:
        (directory / f"{name}-{key.replace('/', '_')}").touch()
        await held(directory)
        return f"{name} done"

    @tool(effect="read")
    async def read_note(text: str) -> str:
        """Read a note."""
        return await act("ReadNote", secrets.token_hex(4))

    @tool(effect="idempotent")
    async def write_note(text: str, context: ToolContext) -> str:
        """Write a note."""
        return await act("WriteNote", context.idempotency_key)

    @tool(effect="once")
    async def post_note(text: str) -> str:
        """Post a note."""
        return await act("PostNote", secrets.token_hex(4))

    made = [found for function in (read_note, write_note, post_note) if (found := tool_of(function))]
    return Toolset(tools={each.name: each for each in made})


async def serve(address: str, queue: str, directory: Path) -> None:
    settings = Settings(temporal_task_queue=queue, steadfast_home=str(directory))
    activities = Activities(settings, EchoModel(directory), tools(directory))
    worker = Worker(
        await connect(settings, address),
        task_queue=queue,
        workflows=[AgentGoalWorkflow],
        sticky_queue_schedule_to_start_timeout=timedelta(seconds=1),
        activities=activities.all(),
    )
    await worker.run()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], sys.argv[2], Path(sys.argv[3])))
