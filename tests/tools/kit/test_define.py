import asyncio
import threading
import time

import pytest

from tools import Tool, ToolContext, tool
from tools.kit.define import tool_of
from tools.kit.tool import RESERVED


def made(function: object) -> Tool:
    found = tool_of(function)
    assert found is not None
    return found


@tool(effect="read")
def find_tall_trees(height: int) -> list[int]:
    """Find trees."""
    return [height, height + 1]


def test_function_stays_what_it_was() -> None:
    assert find_tall_trees(3) == [3, 4]


def test_name_and_defaults_are_derived() -> None:
    found = made(find_tall_trees)
    assert (found.name, found.description, found.effect, found.timeout) == ("FindTallTrees", "Find trees.", "read", 60)


@pytest.mark.parametrize(
    "name", [*RESERVED, "Finish", "off_goal", "SwitchGoal", "switch-goal", "has space", "", "9lives"]
)
def test_name_of_the_agents_own_or_of_no_shape_is_refused(name: str) -> None:
    def act() -> None:
        """Act."""

    act.__name__ = name or "off_goal"
    with pytest.raises(TypeError, match="name"):
        tool(effect="read", name=name)(act)


def test_unknown_effect_is_refused() -> None:
    with pytest.raises(TypeError, match="read, idempotent or once"):

        @tool(effect="maybe")  # type: ignore[arg-type]
        def act() -> None:
            """Act."""


async def test_async_tool_runs_in_the_loop_and_sync_tool_beside_it(context: ToolContext) -> None:
    @tool(effect="read")
    async def here() -> str:
        """Say where."""
        return threading.current_thread().name

    @tool(effect="read")
    def there() -> str:
        """Say where."""
        return threading.current_thread().name

    assert (await made(here).run({}, context)).result == threading.current_thread().name
    assert (await made(there).run({}, context)).result == "tool"


async def test_hanging_tools_leave_room_for_others(context: ToolContext) -> None:
    """More of them than any pool of threads has."""
    let_go = threading.Event()

    @tool(effect="read", timeout=600)
    def hang() -> None:
        """Hang."""
        let_go.wait()

    hanging = [asyncio.create_task(made(hang).run({}, context)) for _ in range(40)]
    try:
        assert (await made(find_tall_trees).run({"height": 1}, context)).result == [1, 2]
    finally:
        let_go.set()
        await asyncio.gather(*hanging)


async def test_progress_of_a_sync_tool_is_heard_in_the_loop() -> None:
    heard: list[tuple[str, float | None, str]] = []

    def report(text: str, fraction: float | None) -> None:
        heard.append((text, fraction, threading.current_thread().name))

    @tool(effect="read")
    def work(context: ToolContext) -> str:
        """Work."""
        context.progress("half", 0.5)
        time.sleep(0.01)
        context.progress("nearly")
        return context.idempotency_key

    assert (await made(work).run({}, ToolContext("key", report=report))).result == "key"
    name = threading.current_thread().name
    assert heard == [("half", 0.5, name), ("nearly", None, name)]


async def test_tool_that_is_cancelled_is_cancelled(context: ToolContext) -> None:
    @tool(effect="read")
    async def wait() -> None:
        """Wait."""
        await asyncio.sleep(600)

    task = asyncio.create_task(made(wait).run({}, context))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
