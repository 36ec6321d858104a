"""The next version of the workflow: it commands something new, behind a patch. For tests of deployments."""

import asyncio
from typing import Any

from temporalio import workflow

from agent.workflow import AgentGoalWorkflow


@workflow.defn(name="AgentGoalWorkflow")
class NextVersion(AgentGoalWorkflow):
    """It takes a moment before each answer."""

    @workflow.init
    def __init__(self, *start: Any) -> None:
        super().__init__(*start)

    @workflow.run
    async def run(self, *start: Any) -> Any:
        return await super().run(*start)

    async def _plan(self) -> None:
        if workflow.patched("next-version"):
            await asyncio.sleep(0.01)
        await super()._plan()
