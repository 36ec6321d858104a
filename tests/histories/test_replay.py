"""Recorded histories of every shape still replay: a chat that began with an older workflow goes on with this one."""

from pathlib import Path

import pytest
from temporalio import workflow
from temporalio.client import Client, WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer

from agent.workflow import AgentGoalWorkflow
from tests.histories.record import RECORDED, outline, play, recordings
from tests.histories.shapes import SHAPES


@pytest.mark.parametrize("path", sorted(RECORDED.glob("*.json")), ids=lambda path: path.stem)
async def test_a_recorded_chat_replays(path: Path) -> None:
    replayer = Replayer(workflows=[AgentGoalWorkflow], data_converter=pydantic_data_converter)
    await replayer.replay_workflow(WorkflowHistory.from_json("chat", path.read_text()))


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
