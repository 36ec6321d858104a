"""Recorded histories of every shape still replay: a chat that began with an older workflow goes on with this one."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from temporalio import workflow
from temporalio.client import Client, WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import (
    Interceptor,
    Replayer,
    StartActivityInput,
    UnsandboxedWorkflowRunner,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
    WorkflowOutboundInterceptor,
)

from agent.messages import ToolCall
from agent.workflow import AgentGoalWorkflow
from tests.histories.record import RECORDED, outline, play, recordings
from tests.histories.shapes import SHAPES


@pytest.mark.parametrize("path", sorted(RECORDED.glob("*.json")), ids=lambda path: path.stem)
async def test_a_recorded_chat_replays(path: Path) -> None:
    replayer = Replayer(workflows=[AgentGoalWorkflow], data_converter=pydantic_data_converter)
    await replayer.replay_workflow(WorkflowHistory.from_json("chat", path.read_text()))


class _Keys(Interceptor):
    """Notes the idempotency keys that a replay commands."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def workflow_interceptor_class(self, input: WorkflowInterceptorClassInput) -> type[WorkflowInboundInterceptor]:
        seen = self.seen

        class Outbound(WorkflowOutboundInterceptor):
            def start_activity(self, input: StartActivityInput) -> workflow.ActivityHandle[Any]:
                seen.extend(each.idempotency_key for each in input.args if isinstance(each, ToolCall))
                return super().start_activity(input)

        class Inbound(WorkflowInboundInterceptor):
            def init(self, outbound: WorkflowOutboundInterceptor) -> None:
                super().init(Outbound(outbound))

        return Inbound


@pytest.mark.parametrize("path", sorted(RECORDED.glob("*.json")), ids=lambda path: path.stem)
async def test_a_recorded_effect_keeps_its_idempotency_key(path: Path) -> None:
    """Another key would be another effect: a payment under way would be made twice."""
    events = json.loads(path.read_text())["events"]
    chat_id = events[0]["workflowExecutionStartedEventAttributes"]["workflowId"]
    keys = _Keys()
    # the sandbox would give the workflow a ToolCall of its own
    replayer = Replayer(
        workflows=[AgentGoalWorkflow],
        data_converter=pydantic_data_converter,
        interceptors=[keys],
        workflow_runner=UnsandboxedWorkflowRunner(),
    )
    await replayer.replay_workflow(WorkflowHistory.from_json(chat_id, path.read_text()))
    assert keys.seen == recorded_keys(events)


def recorded_keys(events: list[dict[str, Any]]) -> list[str]:
    inputs = [
        json.loads(base64.b64decode(event["activityTaskScheduledEventAttributes"]["input"]["payloads"][0]["data"]))
        for event in events
        if event["eventType"] == "EVENT_TYPE_ACTIVITY_TASK_SCHEDULED"
    ]
    return [each["idempotency_key"] for each in inputs if "idempotency_key" in each]


def test_every_shape_is_recorded() -> None:
    missing = [name for name in SHAPES if not recordings(name)]
    assert not missing, "run `python -m tests.histories`, and commit what it records"


@pytest.mark.parametrize("name", ["question", "confirmed"])
async def test_the_workflow_of_today_is_among_the_recorded_ones(temporal: Client, name: str) -> None:
    """Else the recordings are stale: `python -m tests.histories` says what changed."""
    now = outline(await play(temporal, name))
    assert now in [outline(path.read_text()) for path in recordings(name)]


@workflow.defn(name="AgentGoalWorkflow", sandboxed=False)
class _Otherwise:
    """Does something else first, as a careless change would."""

    @workflow.run
    async def run(self, start: object) -> None:
        await workflow.sleep(1)


async def test_a_workflow_that_does_something_else_does_not_replay() -> None:
    replayer = Replayer(workflows=[_Otherwise], data_converter=pydantic_data_converter)
    with pytest.raises(workflow.NondeterminismError):
        await replayer.replay_workflow(WorkflowHistory.from_json("chat", recordings("question")[0].read_text()))
