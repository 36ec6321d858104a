"""Defects of the ancestors that we do not have. Each test fails on their behaviour."""

import asyncio
import json

import pytest
from temporalio.client import Client

from agent.messages import GoalSpec
from agent.settings import Settings, load_settings
from tests.workflow.harness import CannedModel, call, line, running_worker, said, say, wait_until


async def test_a_stray_or_doubled_confirm_leaves_the_workflow_idle(temporal: Client, queue: str) -> None:
    """Theirs sets a flag that nothing clears: the loop runs for ever without waiting."""
    async with running_worker(temporal, queue) as harness:
        chat = await harness.start()
        await chat.signal("confirm")
        await chat.signal("confirm")
        await chat.until(lambda view: view.dropped.count == 2)
        before = (await chat.handle.describe()).history_length
        await asyncio.sleep(1)
        assert (await chat.handle.describe()).history_length == before
        assert said(await chat.say("Hello?"))[-1] == "agent: You said: Hello?"


async def test_a_late_confirm_after_the_agent_asked_again_runs_nothing(temporal: Client, queue: str) -> None:
    async with running_worker(temporal, queue, [call("PostNote", text="milk"), say("How much of it?")]) as harness:
        chat = await harness.start()
        await chat.say("Post: milk")
        await chat.say("Not that much!")
        await chat.signal("confirm")
        view = await chat.until(lambda view: view.dropped.count == 1)
    assert harness.ran == []
    assert said(view)[-1] == "agent: How much of it?"


async def test_continue_as_new_reads_its_own_input(temporal: Client, queue: str) -> None:
    async with running_worker(temporal, queue, [call("WriteNote", text="milk"), say("Kept.")]) as harness:
        chat = await harness.start_with(history_limit=1)
        first = (await chat.handle.describe()).run_id
        await chat.say("Note: milk")
        await chat.confirm()
        assert (await chat.handle.describe()).run_id != first
        messages = await chat.everything()
    assert line(messages[-1]) == "agent: Kept."


async def test_activity_inputs_stay_small_however_long_the_chat_is(temporal: Client, queue: str) -> None:
    """Theirs came to 11 MB of history in 84 turns."""
    async with running_worker(temporal, queue) as harness:
        chat = await harness.start_with(window_bytes=4_000)
        for number in range(30):
            await chat.say(f"{number}: " + "I would like to see something. " * 10)
        history = await chat.handle.fetch_history()
        inputs = [
            len(event.activity_task_scheduled_event_attributes.input.SerializeToString())
            for event in history.events
            if event.HasField("activity_task_scheduled_event_attributes")
        ]
    assert max(inputs) < 12_000, "the window, the summary and the goal"
    assert sum(map(len, (json.dumps(request.messages) for request in harness.model.requests))) < 30 * 12_000


async def test_a_failed_tool_is_reported_as_failed(temporal: Client, queue: str) -> None:
    async with running_worker(temporal, queue, [call("WriteNote", text="fail"), say("It did not work.")]) as harness:
        chat = await harness.start()
        await chat.say("Note: fail")
        view = await chat.confirm()
        told = json.loads(harness.model.requests[-1].messages[-1]["content"])
        told_to_clients = (await chat.handle.query("get_conversation_history"))["messages"][-2]["response"]
    assert told["ok"] is False
    assert told_to_clients["outcome"] == "failed"
    assert said(view)[-2].startswith("failed: ")


async def test_hashes_typed_by_a_person_go_through_the_guardrail(temporal: Client, queue: str) -> None:
    async with running_worker(temporal, queue, guard=(guard := _guard())) as harness:
        chat = await harness.start()
        view = await chat.say("### Order two cheeseburgers.")
    assert len(guard.requests) == 1, "the greeting is none of its business, the person's words are"
    assert said(view)[-2:] == ["user: ### Order two cheeseburgers.", "agent: Let us stay with the notes."]


async def test_the_api_key_is_never_printed_or_stored(
    capfd: pytest.CaptureFixture[str], temporal: Client, queue: str
) -> None:
    settings = load_settings({"LLM_KEY": "sk-not-to-be-seen", "TEMPORAL_TASK_QUEUE": queue})
    async with running_worker(temporal, queue, settings=settings) as harness:
        chat = await harness.start()
        await chat.say("What is your key?")
        history = (await chat.handle.fetch_history()).to_json()
    printed = capfd.readouterr()
    assert "sk-not-to-be-seen" not in repr(settings) + printed.out + printed.err + history
    assert "llm_key" in Settings.model_fields


async def test_model_calls_of_ten_chats_are_under_way_together(temporal: Client, queue: str) -> None:
    """Theirs serves one chat at a time: ten replies of 0.5 s took five seconds."""
    async with running_worker(temporal, queue) as harness:
        chats = [await harness.start() for _ in range(10)]
        harness.model.gate = asyncio.Event()
        await asyncio.gather(*(harness.chats.send(chat.id, "Hello?") for chat in chats))
        await wait_until(lambda: len(harness.model.requests) == 20)
        harness.model.gate.set()
        for chat in chats:
            await chat.settled()


async def test_a_goal_given_by_value_needs_no_code_of_its_own(temporal: Client, queue: str) -> None:
    """Theirs has special cases of one tool and one goal inside the workflow."""
    async with running_worker(temporal, queue) as harness:
        chat = await harness.start(goal=GoalSpec(name="never seen", title="Never seen", starter_prompt="Say hello."))
        assert said(await chat.say("Hello"))[-1] == "agent: You said: Hello"


def _guard() -> CannedModel:
    return CannedModel([say("NO, Let us stay with the notes.")])
