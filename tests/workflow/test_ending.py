"""end_chat wins at any moment: before, during and after every step."""

import asyncio
from typing import Any

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError

from agent.errors import ChatClosed, ModelRefused, ModelUnavailable
from agent.wire import start_input
from tests.workflow.harness import GOAL, Chat, Harness, call, line, running_worker, said, say, wait_until


async def test_an_end_while_the_person_is_to_speak(temporal: Client, queue: str) -> None:
    async with running_worker(temporal, queue) as harness:
        chat = await harness.start()
        await harness.chats.end(chat.id)
        view = await _closed(chat)
    assert (view.status, view.ended) == ("ended", "person")


async def test_an_end_before_the_first_word(temporal: Client, queue: str) -> None:
    async with running_worker(temporal, queue) as harness:
        harness.model.gate = asyncio.Event()
        chat = Chat(harness, f"chat-{queue}")
        await temporal.start_workflow(
            "AgentGoalWorkflow", start_input(GOAL), id=chat.id, task_queue=queue, start_signal="end_chat"
        )
        view = await _closed(chat)
    assert said(view) == ["instruction: Greet."]
    assert harness.model.requests == []


async def test_an_end_while_the_model_thinks_cancels_it(temporal: Client, queue: str) -> None:
    async with running_worker(temporal, queue) as harness:
        chat = await harness.start()
        harness.model.gate = asyncio.Event()
        await harness.chats.send(chat.id, "Hello?")
        await wait_until(lambda: len(harness.model.requests) == 2)
        await harness.chats.end(chat.id)
        view = await _closed(chat)
        await wait_until(lambda: harness.model.cancelled == 1)
    assert said(view)[2:] == ["user: Hello?"]


async def test_an_end_while_the_model_is_away_ends_at_once(temporal: Client, queue: str) -> None:
    async with running_worker(temporal, queue, [ModelUnavailable("No network.")] * 9) as harness:
        chat = await harness.start()
        await harness.chats.send(chat.id, "Hello?")
        await wait_until(lambda: len(harness.model.requests) >= 2)
        await harness.chats.end(chat.id)
        view = await _closed(chat)
    assert view.status == "ended"


async def test_an_end_withdraws_a_waiting_card(temporal: Client, queue: str) -> None:
    async with running_worker(temporal, queue, [call("PostNote", text="a")]) as harness:
        chat = await harness.start()
        waiting = (await chat.say("Post: a")).waiting
        assert waiting
        await harness.chats.end(chat.id)
        view = await _closed(chat)
        with pytest.raises(ChatClosed):
            await harness.chats.confirm(chat.id, waiting.id)
    assert said(view)[-1] == "withdrawn: {}"
    assert harness.ran == []


async def test_an_end_that_comes_with_the_confirm_runs_nothing(temporal: Client, queue: str) -> None:
    """Both signals are in one task of the workflow, because no worker ran when they came."""
    async with running_worker(temporal, queue, [call("PostNote", text="a")]) as harness:
        chat = await harness.start()
        await chat.say("Post: a")
    await chat.signal("confirm")
    await chat.signal("end_chat")
    async with running_worker(temporal, queue) as harness:
        view = await _closed(Chat(harness, chat.id))
    assert harness.ran == []
    assert said(view)[-2:] == [
        "confirmed: {'text': 'a'}",
        "failed: The chat was ended before this began, so it did not run.",
    ]


async def test_an_end_while_a_tool_reads_cancels_it(temporal: Client, queue: str) -> None:
    async with running_worker(temporal, queue, [call("ReadNote", text="a")]) as harness:
        chat = await _running(harness, "ReadNote", asyncio.Event())
        await harness.chats.end(chat.id)
        view = await _closed(chat)
    assert said(view)[-1] == "failed: The chat was ended before the tool answered."


@pytest.mark.parametrize("name", ["WriteNote", "PostNote"])
async def test_an_end_waits_for_a_side_effect_and_records_it(temporal: Client, queue: str, name: str) -> None:
    async with running_worker(temporal, queue, [call(name, text="a")]) as harness:
        gate = asyncio.Event()
        chat = await _running(harness, name, gate)
        await harness.chats.end(chat.id)
        view = await chat.until(lambda view: view.status == "ending")
        assert view.running == name
        await harness.chats.send(chat.id, "One more thing")
        view = await chat.until(lambda view: view.dropped.count == 1)
        assert view.dropped.reason == "The chat has ended; start a new one."
        gate.set()
        view = await _closed(chat)
    assert said(view)[-1] == f"ok: {name} of a"
    assert len(harness.ran) == 1


async def test_an_end_waits_for_a_side_effect_no_longer_than_its_bound(temporal: Client, queue: str) -> None:
    async with running_worker(temporal, queue, [call("PostNote", text="a")]) as harness:
        chat = await _running(harness, "PostNote", asyncio.Event())
        await harness.chats.end(chat.id)
        await chat.until(lambda view: view.status == "ending")
        history = await chat.handle.fetch_history()
        timers = [e for e in history.events if e.event_type == EventType.EVENT_TYPE_TIMER_STARTED]
        bound = timers[0].timer_started_event_attributes.start_to_fire_timeout.ToSeconds()
        assert len(timers) == 1
        assert bound == 30
        await chat.handle.terminate()


async def test_an_end_typed_as_words_ends(temporal: Client, queue: str) -> None:
    async with running_worker(temporal, queue) as harness:
        chat = await harness.start()
        await harness.chats.send(chat.id, "End conversation.")
        view = await _closed(chat)
        assert len(harness.model.requests) == 1
    assert said(view)[-1] == "user: End conversation."


async def test_a_second_end_and_a_late_message_are_told_that_the_chat_has_ended(temporal: Client, queue: str) -> None:
    async with running_worker(temporal, queue) as harness:
        chat = await harness.start()
        await harness.chats.end(chat.id)
        await _closed(chat)
        await harness.chats.end(chat.id)
        with pytest.raises(ChatClosed, match="has ended"):
            await harness.chats.send(chat.id, "Hello?")


async def test_words_that_arrive_with_the_models_goodbye_are_answered(temporal: Client, queue: str) -> None:
    async with running_worker(
        temporal, queue, [call("finish", message="Goodbye!", reason="person_wants_to_stop"), say("Of course.")]
    ) as harness:
        chat = await harness.start()
        harness.model.gate = asyncio.Event()
        await harness.chats.send(chat.id, "That was all")
        await wait_until(lambda: len(harness.model.requests) == 2)
        await harness.chats.send(chat.id, "No, one thing more")
        harness.model.gate.set()
        view = await chat.until(lambda view: view.status == "waiting" and len(view.messages) > 4)
    assert said(view)[2:] == ["user: That was all", "user: No, one thing more", "agent: Of course."]


async def test_a_finish_with_nothing_achieved_asks_and_confirm_ends_the_chat(temporal: Client, queue: str) -> None:
    async with running_worker(
        temporal, queue, [call("finish", message="All booked!", reason="goal_reached")]
    ) as harness:
        chat = await harness.start()
        view = await chat.say("Hello?")
        assert view.waiting
        assert view.waiting.kind == "end"
        assert view.waiting.text == "All booked! Nothing has been done yet. Shall we end here?"
        await harness.chats.confirm(chat.id, view.waiting.id)
        result = await asyncio.wait_for(chat.handle.result(), 60)
        assert (await chat.view()).ended == "done"
    assert result["messages"][-1]["response"]["next"] == "done"


@pytest.mark.parametrize("words", ["", "Not at all, a note please"])
async def test_a_finish_with_nothing_achieved_can_be_gone_on_from(temporal: Client, queue: str, words: str) -> None:
    """By declining, and by just saying something."""
    answers = [call("finish", message="Bye!"), call("WriteNote", text="milk"), call("finish", message="Done!")]
    async with running_worker(temporal, queue, answers) as harness:
        chat = await harness.start()
        waiting = (await chat.say("Hello?")).waiting
        assert waiting
        if words:
            await chat.say(words)
        else:
            await harness.chats.decline(chat.id, waiting.id)
        await chat.until(lambda view: view.waiting is not None and view.waiting.kind == "tool")
        sent = harness.model.requests[-1].messages
        view = await chat.confirm()
    assert [line["content"] for line in sent if line["role"] == "tool"] == [
        '{"withdrawn": true}' if words else '{"declined": true, "reason": ""}'
    ]
    assert (view.ended, said(view)[-1]) == ("done", "agent: Done!"), "a note was written, so it need not ask"


async def test_a_failed_tool_is_nothing_achieved(temporal: Client, queue: str) -> None:
    async with running_worker(temporal, queue, [call("WriteNote", text="fail"), call("finish")]) as harness:
        chat = await harness.start()
        await chat.say("Note: fail")
        view = await chat.confirm()
    assert view.waiting
    assert view.waiting.kind == "end"


async def test_what_was_achieved_counts_in_the_next_run_too(temporal: Client, queue: str) -> None:
    answers = [call("WriteNote", text="milk"), say("Kept."), call("finish", message="Bye!")]
    async with running_worker(temporal, queue, answers) as harness:
        chat = await harness.start_with(history_limit=1)
        await chat.say("Note: milk")
        await chat.confirm()
        assert (await chat.say("Thanks")).ended == "done"


async def test_a_client_that_cannot_ask_sees_the_chat_end_as_the_ancestors_do(temporal: Client, queue: str) -> None:
    async with running_worker(temporal, queue, [call("finish", message="All booked!")]) as harness:
        start = start_input(GOAL)
        del start["confirm_end"]
        handle = await harness.start_raw(f"chat-{queue}", start)
        await Chat(harness, handle.id).settled()
        await handle.signal("user_prompt", "Hello?")
        result = await asyncio.wait_for(handle.result(), 60)
    assert result["messages"][-1]["response"] | {"args": {}} == {
        "response": "All booked!",
        "next": "done",
        "tool": None,
        "args": {},
        "force_confirm": True,
    }


async def test_a_model_that_refuses_leaves_the_chat_open(temporal: Client, queue: str) -> None:
    async with running_worker(temporal, queue, [ModelRefused("There is no such model."), say("Here I am.")]) as harness:
        chat = await harness.start()
        view = await chat.say("Hello?")
        assert said(view)[-1] == "notice: There is no such model."
        assert said(await chat.say("Hello?"))[-1] == "agent: Here I am."


async def test_cancelling_the_workflow_ends_the_chat_and_records_the_effect(temporal: Client, queue: str) -> None:
    async with running_worker(temporal, queue, [call("PostNote", text="a")]) as harness:
        gate = asyncio.Event()
        chat = await _running(harness, "PostNote", gate)
        await chat.handle.cancel()
        await chat.until(lambda view: view.status == "ending")
        gate.set()
        with pytest.raises(WorkflowFailureError):
            await asyncio.wait_for(chat.handle.result(), 60)
        view = await chat.view()
        assert (await chat.handle.describe()).status == WorkflowExecutionStatus.CANCELED
    assert said(view)[-1] == "ok: PostNote of a"


async def test_cancelling_a_workflow_at_rest_ends_it(temporal: Client, queue: str) -> None:
    async with running_worker(temporal, queue) as harness:
        chat = await harness.start()
        await chat.handle.cancel()
        with pytest.raises(WorkflowFailureError):
            await asyncio.wait_for(chat.handle.result(), 60)
        assert (await chat.view()).ended == "person"


async def test_a_terminated_chat_can_still_be_read(temporal: Client, queue: str) -> None:
    async with running_worker(temporal, queue) as harness:
        chat = await harness.start()
        await chat.handle.terminate()
        assert (await harness.chats.view(chat.id)).run_status == "terminated"
        assert [line(message) for message in await chat.everything()] == ["instruction: Greet.", "agent: Hello!"]


async def _running(harness: Harness, name: str, gate: asyncio.Event) -> Chat:
    """A chat in which this tool is at work, until the gate is set."""

    async def wait() -> None:
        await gate.wait()

    chat = await harness.start()
    harness.hooks[name] = wait
    await chat.say("Do it")
    await chat.signal("confirm")
    await wait_until(lambda: len(harness.ran) == 1)
    return chat


async def _closed(chat: Chat) -> Any:
    """The last view, once the workflow has ended."""
    await asyncio.wait_for(chat.handle.result(), 60)
    return await chat.view()
