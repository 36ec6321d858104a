"""What temporal-ai-agent's own tests of its workflow expect, held by ours.

Two differences are meant: the model is one activity of ours, not two of theirs, so each test says here what it comes to;
and the result of a run is the transcript itself, where theirs is its text.
"""

import asyncio
import secrets
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from temporalio.client import Client, WorkflowHandle
from temporalio.contrib.pydantic import pydantic_data_converter

from tests.workflow.harness import CannedModel, call, running_worker, say, wait_until


@dataclass
class ToolArgument:
    name: str
    type: str
    description: str


@dataclass
class ToolDefinition:
    name: str
    description: str
    arguments: list[ToolArgument]


@dataclass
class AgentGoal:
    """As their clients define it; two of its fields mean nothing to us."""

    id: str
    category_tag: str
    agent_name: str
    agent_friendly_description: str
    tools: list[ToolDefinition]
    description: str = "What the tools are for."
    starter_prompt: str = "Say hello."
    example_conversation_history: str = ""
    mcp_server_definition: dict[str, Any] | None = None


@dataclass
class WorkflowParams:
    conversation_summary: str | None = None
    prompt_queue: deque[str] | None = None


@dataclass
class CombinedInput:
    tool_params: WorkflowParams
    agent_goal: AgentGoal


GOAL = AgentGoal(
    id="notes_goal",
    category_tag="office",
    agent_name="Notes",
    agent_friendly_description="Keeps notes.",
    tools=[ToolDefinition("WriteNote", "Write a note", [ToolArgument("text", "string", "what to write")])],
    description="Write down what the person says.",
    mcp_server_definition={"name": "files", "command": "npx", "args": ["-y", "server"], "env": None},
)


@dataclass
class Started:
    """A chat that was started as they do it, with Temporal's default converter, and nobody greeted."""

    client: Client
    queue: str
    summary: str | None = None
    handle: WorkflowHandle[Any, Any] = field(init=False)

    async def __aenter__(self) -> WorkflowHandle[Any, Any]:
        self.handle = await self.client.start_workflow(
            "AgentGoalWorkflow",
            CombinedInput(WorkflowParams(self.summary, deque()), GOAL),
            id=secrets.token_hex(8),
            task_queue=self.queue,
        )
        return self.handle

    async def __aexit__(self, *_: object) -> None:
        """Whatever was done: `end_chat` ends it."""
        if (await self.handle.describe()).close_time is None:
            await self.handle.signal("end_chat")
        await asyncio.wait_for(self.handle.result(), 60)


async def default_client(server: str) -> Client:
    return await Client.connect(server)


async def worker_client(server: str) -> Client:
    return await Client.connect(server, data_converter=pydantic_data_converter)


async def messages(handle: WorkflowHandle[Any, Any], actor: str) -> list[Any]:
    history = await handle.query("get_conversation_history")
    return [message["response"] for message in history["messages"] if message["actor"] == actor]


async def test_the_queries_of_a_chat_in_which_nothing_was_said(server: str, queue: str) -> None:
    client = await default_client(server)
    async with running_worker(await worker_client(server), queue), Started(client, queue) as handle:
        assert await handle.query("get_conversation_history") == {"messages": []}
        assert await handle.query("get_agent_goal", result_type=AgentGoal) == GOAL
        assert await handle.query("get_summary_from_history") is None
        assert await handle.query("get_latest_tool_data") is None


async def test_the_summary_of_the_start_input_is_answered_and_heads_the_history(server: str, queue: str) -> None:
    client = await default_client(server)
    async with running_worker(await worker_client(server), queue), Started(client, queue, "They like milk.") as handle:
        assert await handle.query("get_summary_from_history") == "They like milk."
        assert await messages(handle, "conversation_summary") == ["They like milk."]


async def test_a_done_of_the_model_ends_the_workflow_with_its_transcript(server: str, queue: str) -> None:
    client = await default_client(server)
    async with running_worker(await worker_client(server), queue) as harness, Started(client, queue) as handle:
        harness.model.answers = [call("finish", message="All right.")]
        await handle.signal("user_prompt", "A first message")
        result = await asyncio.wait_for(handle.result(), 60)
    assert [message["response"] for message in result["messages"] if message["actor"] == "user"] == ["A first message"]
    assert result["messages"][-1]["response"]["next"] == "done"


async def test_a_proposal_is_the_latest_tool_data_and_confirm_runs_it(server: str, queue: str) -> None:
    client = await default_client(server)
    async with running_worker(await worker_client(server), queue) as harness, Started(client, queue) as handle:
        harness.model.answers = [call("WriteNote", text="milk"), say("Kept.")]
        await handle.signal("user_prompt", "Note: milk")

        async def is_proposed() -> bool:
            data = await handle.query("get_latest_tool_data")
            return data is not None and (data["next"], data["tool"]) == ("confirm", "WriteNote")

        await wait_until(is_proposed)
        await handle.signal("confirm")

        async def has_result() -> bool:
            return await messages(handle, "tool_result") == [{"result": "WriteNote of milk", "tool": "WriteNote"}]

        await wait_until(has_result)


async def test_confirm_and_end_together_end_the_workflow(server: str, queue: str) -> None:
    client = await default_client(server)
    async with running_worker(await worker_client(server), queue) as harness, Started(client, queue) as handle:
        harness.model.answers = [call("WriteNote", text="milk")]
        await handle.signal("user_prompt", "Note: milk")
        await handle.signal("confirm")
        await handle.signal("end_chat")
        assert isinstance(await asyncio.wait_for(handle.result(), 60), dict)


async def test_what_the_guardrail_says_is_an_agents_message(server: str, queue: str) -> None:
    client, guard = await default_client(server), CannedModel([say("NO. Let us stay with notes.")])
    async with (
        running_worker(await worker_client(server), queue, guard=guard),
        Started(client, queue) as handle,
    ):
        await handle.signal("user_prompt", "Order cheeseburgers")

        async def is_refused() -> bool:
            return any("Let us stay with notes." in said["response"] for said in await messages(handle, "agent"))

        await wait_until(is_refused)


async def test_prompts_one_after_another_are_all_kept_and_answered(server: str, queue: str) -> None:
    client = await default_client(server)
    prompts = ["First message", "Second message", "Third message"]
    async with running_worker(await worker_client(server), queue) as harness, Started(client, queue) as handle:
        harness.model.answers = []  # it answers with what was said last
        for prompt in prompts:
            await handle.signal("user_prompt", prompt)

        async def is_answered() -> bool:
            answers = await messages(handle, "agent")
            return bool(answers) and "Third message" in answers[-1]["response"]

        await wait_until(is_answered)
        assert await messages(handle, "user") == prompts


async def test_their_debugging_signals_are_ignored(server: str, queue: str) -> None:
    client = await default_client(server)
    async with running_worker(await worker_client(server), queue), Started(client, queue) as handle:
        await handle.signal("enable_debugging_confirm")
        await handle.signal("disable_debugging_confirm")
        assert await handle.query("get_conversation_history") == {"messages": []}
