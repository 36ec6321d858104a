"""The ancestors' clients drive us: all of it in plain JSON, by name, as the tutorial's API does."""

import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from google.protobuf.duration_pb2 import Duration
from pydantic import TypeAdapter
from temporalio.api.workflowservice.v1 import RegisterNamespaceRequest
from temporalio.client import Client, WorkflowHandle
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError

from agent.model import Reply
from tests.workflow.harness import call, running_worker, say, wait_until

HISTORY: TypeAdapter[dict[str, list[dict[str, str | dict[str, Any]]]]] = TypeAdapter(
    dict[str, list[dict[str, str | dict[str, Any]]]]
)
TOOL_DATA: TypeAdapter[dict[str, Any]] = TypeAdapter(dict[str, Any])


@dataclass
class Argument:
    name: str
    type: str
    description: str


@dataclass
class Definition:
    name: str
    description: str
    arguments: list[Argument]


@dataclass
class AgentGoal:
    agent_name: str
    tools: list[Definition]
    description: str
    starter_prompt: str
    example_conversation_history: str


@dataclass
class Params:
    conversation_summary: str | None = None
    prompt_queue: list[str] | None = None


@dataclass
class Input:
    tool_params: Params
    agent_goal: AgentGoal
    more: dict[str, Any] = field(default_factory=lambda: {"a field of a later ancestor": [1, None]})


GOAL = AgentGoal(
    agent_name="Notes",
    tools=[Definition("WriteNote", "Write a note", [Argument("text", "string", "what to write")])],
    description="Write down what the person says.",
    starter_prompt="Welcome the person.",
    example_conversation_history="user: Milk\nagent: Shall I write it down?",
)
START = Input(Params(None, [f"### {GOAL.starter_prompt}"]), GOAL)


@dataclass
class Api:
    """What the tutorial's API does with a workflow of a fixed id."""

    client: Client
    queue: str

    @property
    def chat(self) -> WorkflowHandle[Any, Any]:
        return self.client.get_workflow_handle("agent-workflow")

    async def start(self, given: Input = START) -> None:
        await self.client.start_workflow("AgentGoalWorkflow", given, id="agent-workflow", task_queue=self.queue)

    async def history(self) -> list[dict[str, Any]]:
        found = HISTORY.validate_python(await self.chat.query("get_conversation_history"), strict=True)
        assert list(found) == ["messages"]
        return found["messages"]

    async def says(self, last: str) -> list[dict[str, Any]]:
        """The history once its last message is this."""

        async def is_last() -> bool:
            messages = await self.history()
            return bool(messages) and last in str(messages[-1]["response"])

        await wait_until(is_last)
        return await self.history()


@pytest.fixture
async def client(temporal: Client, server: str) -> Client:
    """As the tutorial connects: no converter of ours. A namespace of its own keeps its workflow id apart."""
    namespace = f"ancestors-{secrets.token_hex(4)}"
    await temporal.workflow_service.register_namespace(
        RegisterNamespaceRequest(namespace=namespace, workflow_execution_retention_period=Duration(seconds=86_400))
    )

    async def is_known() -> bool:
        try:
            await (await Client.connect(server, namespace=namespace)).count_workflows()
        except RPCError:  # the namespace is not known everywhere yet
            return False
        return True

    await wait_until(is_known)
    return await Client.connect(server, namespace=namespace)


@pytest.fixture
async def answers() -> list[Reply]:
    """What the model comes to after its greeting."""
    return [call("WriteNote", text="milk"), say("Kept."), call("finish", message="Goodbye!")]


@pytest.fixture
async def api(client: Client, queue: str, answers: list[Reply]) -> AsyncIterator[Api]:
    config = client.config()
    config["data_converter"] = pydantic_data_converter  # the worker's; the API has Temporal's own
    async with running_worker(Client(**config), queue, list(answers)):
        yield Api(client, queue)


async def test_a_whole_chat_by_the_tutorials_api(api: Api) -> None:
    await api.start()
    assert await api.says("Hello!")
    await api.chat.signal("user_prompt", "Note: milk")
    messages = await api.says("confirm")
    assert messages[-1]["response"] == {
        "response": "Let me write a note (milk).",
        "next": "confirm",
        "tool": "WriteNote",
        "args": {"text": "milk"},
        "force_confirm": True,
    }
    tool_data = TOOL_DATA.validate_python(await api.chat.query("get_latest_tool_data"), strict=True)
    assert tool_data == messages[-1]["response"]
    await api.chat.signal("confirm")
    await api.says("Kept.")
    await api.chat.signal("user_prompt", "That is all")
    messages = await api.says("Goodbye!")
    assert messages[-1]["response"]["next"] == "done"
    assert [message["actor"] for message in messages] == [
        "agent",
        "user",
        "agent",
        "user_confirmed_tool_run",
        "tool_result",
        "agent",
        "user",
        "agent",
    ]
    assert messages[4]["response"] == {"result": "WriteNote of milk", "tool": "WriteNote"}
    result = HISTORY.validate_python(await api.chat.result(), strict=True)
    assert result["messages"] == messages, "the result of a run is its transcript"
    assert await api.history() == messages, "a closed chat can still be read"


async def test_starting_while_it_runs_says_so_and_changes_nothing(api: Api) -> None:
    await api.start()
    before = await api.says("Hello!")
    with pytest.raises(WorkflowAlreadyStartedError):
        await api.start()
    assert await api.history() == before


@pytest.mark.parametrize("answers", [[]])
async def test_a_prompt_that_also_starts_starts_once(api: Api) -> None:
    """temporal-ai-agent sends each prompt together with a start."""
    for prompt, answer in (("Note: milk", "Hello!"), ("No, nothing", "You said: No, nothing")):
        await api.client.start_workflow(
            "AgentGoalWorkflow",
            Input(Params(None, None), GOAL),
            id="agent-workflow",
            task_queue=api.queue,
            start_signal="user_prompt",
            start_signal_args=[prompt],
        )
        await api.says(answer)
    told = [message["response"] for message in await api.history() if message["actor"] == "user"]
    assert told == ["Note: milk", "No, nothing"]


@pytest.mark.parametrize("answers", [[call("WriteNote", text="a"), say("Hello!"), call("WriteNote", text="a")]])
async def test_a_chat_of_the_same_id_has_keys_of_its_own(api: Api) -> None:
    """Else the service would take the second chat's note for the first one's, and keep it once."""
    proposals = []
    for _ in range(2):
        await api.start()
        await api.says("Hello!")
        await api.chat.signal("user_prompt", "Note: a")
        await api.says("confirm")
        proposals.append((await api.chat.query("get_chat"))["waiting"]["id"])
        await api.chat.signal("end_chat")
        await api.chat.result()
    assert proposals[0] != proposals[1]


async def test_an_instruction_of_the_start_input_is_not_shown(api: Api) -> None:
    await api.start(Input(Params("They like milk.", ["### Welcome the person.", "Hello there"]), GOAL))
    messages = await api.says("Hello!")
    assert messages[0] == {"actor": "conversation_summary", "response": "They like milk."}
    assert [message["response"] for message in messages if message["actor"] == "user"] == ["Hello there"]
    assert "Welcome" not in str(messages)


@pytest.mark.parametrize("answers", [[call("WriteNote", text="fail"), say("It failed.")]])
async def test_every_kind_of_message_fits_the_ancestors_types(api: Api) -> None:
    """Strictly dict[str, str | dict]: no number, list, bool or null under a key of a message."""
    await api.start()
    await api.says("Hello!")
    await api.chat.signal("user_prompt", {"text": "Note: fail", "id": "1", "who": "me"})
    await api.says("confirm")
    await api.chat.signal("confirm", {"who": "me"})
    messages = await api.says("It failed.")
    assert messages[-2]["actor"] == "tool_result"
    assert messages[-2]["response"]["outcome"] == "failed"


async def test_there_is_no_tool_data_before_the_first_word(api: Api) -> None:
    await api.start(Input(Params(None, None), GOAL))
    assert await api.chat.query("get_latest_tool_data") is None
    assert await api.history() == []


async def test_a_chat_that_never_existed_is_reported_as_workflow_not_found(api: Api) -> None:
    """The tutorial's API reads this text, and starts a chat when it finds it."""
    with pytest.raises(Exception, match="workflow not found"):
        await api.chat.describe()
