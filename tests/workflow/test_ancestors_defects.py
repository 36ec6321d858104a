"""What goes wrong in the ancestors, one test a defect. Each fails on their behaviour."""

import asyncio
import inspect
import json
import time
from dataclasses import fields

import pytest
from temporalio.client import Client

from agent.activities import Activities
from agent.messages import GoalSpec
from agent.settings import Settings, load_settings
from tests.workflow.desk import WrittenModel, call, desk, line, said, say


async def test_a_stray_or_doubled_confirm_spins_the_workflow(temporal: Client, queue: str) -> None:
    """Theirs sets a flag that nothing clears: the loop runs for ever without waiting."""
    async with desk(temporal, queue) as room:
        chat = await room.start()
        await chat.signal("confirm")
        await chat.signal("confirm")
        await chat.until(lambda view: view.dropped.count == 2)
        before = (await chat.handle.describe()).history_length
        await asyncio.sleep(1)
        assert (await chat.handle.describe()).history_length == before
        assert said(await chat.say("Hello?"))[-1] == "agent: You said: Hello?"


async def test_a_late_confirm_after_the_agent_asked_again_runs_the_tool_with_missing_arguments(
    temporal: Client, queue: str
) -> None:
    async with desk(temporal, queue, [call("PostNote", text="milk"), say("How much of it?")]) as room:
        chat = await room.start()
        await chat.say("Post: milk")
        await chat.say("Not that much!")
        await chat.signal("confirm")
        view = await chat.until(lambda view: view.dropped.count == 1)
    assert room.ran == []
    assert said(view)[-1] == "agent: How much of it?"


async def test_continue_as_new_cannot_read_its_own_input(temporal: Client, queue: str) -> None:
    async with desk(temporal, queue, [call("WriteNote", text="milk"), say("Kept.")]) as room:
        chat = await room.start_with(history_limit=1)
        first = (await chat.handle.describe()).run_id
        await chat.say("Note: milk")
        await chat.confirm()
        assert (await chat.handle.describe()).run_id != first
        messages = await chat.everything()
    assert line(messages[-1]) == "agent: Kept."


async def test_all_the_conversation_goes_into_every_activity_input(temporal: Client, queue: str) -> None:
    """Theirs came to 11 MB of history in 84 turns."""
    async with desk(temporal, queue) as room:
        chat = await room.start()
        for number in range(84):
            await chat.say(f"{number}: " + "I would like to see something. " * 10)
        history = await chat.handle.fetch_history()
        inputs = [
            len(event.activity_task_scheduled_event_attributes.input.SerializeToString())
            for event in history.events
            if event.HasField("activity_task_scheduled_event_attributes")
        ]
    assert max(inputs) < 24_000, "the window, the summary and the goal"
    assert sum(map(len, (json.dumps(request.messages) for request in room.model.requests))) < 84 * 24_000


async def test_a_failed_tool_is_told_as_a_success(temporal: Client, queue: str) -> None:
    async with desk(temporal, queue, [call("WriteNote", text="fail"), say("It did not work.")]) as room:
        chat = await room.start()
        await chat.say("Note: fail")
        view = await chat.confirm()
        told = json.loads(room.model.requests[-1].messages[-1]["content"])
        told_to_clients = (await chat.handle.query("get_conversation_history"))["messages"][-2]["response"]
    assert told["ok"] is False
    assert told_to_clients["outcome"] == "failed"
    assert said(view)[-2].startswith("failed: ")


async def test_hashes_typed_by_a_person_skip_the_guardrail(temporal: Client, queue: str) -> None:
    async with desk(temporal, queue, guard=(guard := _guard())) as room:
        chat = await room.start()
        view = await chat.say("### Order two cheeseburgers.")
    assert len(guard.requests) == 1, "the greeting is none of its business, the person's words are"
    assert said(view)[-2:] == ["user: ### Order two cheeseburgers.", "agent: Let us stay with the notes."]


async def test_the_api_key_is_printed(capfd: pytest.CaptureFixture[str], temporal: Client, queue: str) -> None:
    settings = load_settings({"LLM_KEY": "sk-not-to-be-seen", "TEMPORAL_TASK_QUEUE": queue})
    async with desk(temporal, queue, settings=settings) as room:
        chat = await room.start()
        await chat.say("What is your key?")
        history = (await chat.handle.fetch_history()).to_json()
    printed = capfd.readouterr()
    assert "sk-not-to-be-seen" not in repr(settings) + printed.out + printed.err + history
    assert "llm_key" in {each.name for each in fields(Settings)}


async def test_a_blocking_model_call_inside_an_async_activity(temporal: Client, queue: str) -> None:
    """Theirs serves one chat at a time: ten replies of 0.5 s took five seconds."""
    async with desk(temporal, queue) as room:
        chats = [await room.start() for _ in range(10)]
        room.model.gate = asyncio.Event()
        await asyncio.gather(*(room.chats.send(chat.id, "Hello?") for chat in chats))
        begun = time.monotonic()
        while len(room.model.requests) < 20:
            assert time.monotonic() - begun < 20, "the ten calls were never under way together"
            await asyncio.sleep(0.02)
        room.model.gate.set()
        for chat in chats:
            await chat.settled()
    assert inspect.iscoroutinefunction(Activities.plan)


async def test_a_goal_given_by_value_needs_no_code_of_its_own(temporal: Client, queue: str) -> None:
    """Theirs has special cases of one tool and one goal inside the workflow."""
    async with desk(temporal, queue) as room:
        chat = await room.start(goal=GoalSpec(name="never seen", title="Never seen", starter_prompt="Say hello."))
        assert said(await chat.say("Hello"))[-1] == "agent: You said: Hello"


def _guard() -> WrittenModel:
    return WrittenModel([say("NO, Let us stay with the notes.")])
