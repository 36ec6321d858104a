"""What a person decides, and when it counts."""

import asyncio

from temporalio.api.enums.v1 import EventType
from temporalio.client import Client

from agent.messages import Decision
from agent.settings import Settings
from tests.workflow.harness import Chat, call, calls, line, running_worker, said, say, wait_until


async def test_a_confirm_with_edited_arguments_runs_with_them_and_keeps_both(temporal: Client, queue: str) -> None:
    async with running_worker(temporal, queue, [call("WriteNote", text="milk"), say("Kept.")]) as harness:
        chat = await harness.start()
        await chat.say("Note: milk")
        view = await chat.confirm(text="oat milk")
        assert [text for _, text, _ in harness.ran] == ["oat milk"]
        told = harness.model.requests[-1].messages[-2]
    assert said(view)[3:5] == ["proposal: WriteNote {'text': 'milk'}", "confirmed: {'text': 'oat milk'}"]
    assert '"oat milk"' in told["tool_calls"][0]["function"]["arguments"]


async def test_edited_arguments_that_the_tool_refuses_run_nothing_and_say_why(temporal: Client, queue: str) -> None:
    async with running_worker(temporal, queue, [call("PostNote", text="milk"), say("What should it say?")]) as harness:
        chat = await harness.start()
        waiting = (await chat.say("Post: milk")).waiting
        assert waiting
        await harness.chats.confirm(chat.id, waiting.id, {"text": ["no", "list"]})
        view = await chat.until(lambda view: view.messages[-1].kind == "agent")
    assert harness.ran == []
    assert said(view)[-2].startswith("failed: ")
    assert "text" in said(view)[-2]


async def test_declining_tells_the_model_the_reason(temporal: Client, queue: str) -> None:
    async with running_worker(temporal, queue, [call("WriteNote", text="milk"), say("Then not.")]) as harness:
        chat = await harness.start()
        waiting = (await chat.say("Note: milk")).waiting
        assert waiting
        await harness.chats.decline(chat.id, waiting.id, "I have some already.")
        view = await chat.until(lambda view: view.messages[-1].kind == "agent")
        assert harness.model.requests[-1].messages[-1]["content"] == (
            '{"declined": true, "reason": "I have some already."}'
        )
    assert harness.ran == []
    assert said(view)[-1] == "agent: Then not."


async def test_a_new_message_withdraws_the_proposal_and_the_model_is_told(temporal: Client, queue: str) -> None:
    async with running_worker(temporal, queue, [call("WriteNote", text="milk"), say("Which?")]) as harness:
        chat = await harness.start()
        await chat.say("Note: milk")
        view = await chat.say("No, wait, two things.")
        assert harness.model.requests[-1].messages[-2]["content"] == '{"withdrawn": true}'
    assert harness.ran == []
    assert said(view)[-3:] == ["withdrawn: {}", "user: No, wait, two things.", "agent: Which?"]


async def test_late_confirm_of_a_withdrawn_proposal_runs_nothing_and_says_so(temporal: Client, queue: str) -> None:
    again = [call("WriteNote", text="milk"), call("WriteNote", text="oat milk")]
    async with running_worker(temporal, queue, again) as harness:
        chat = await harness.start()
        withdrawn = (await chat.say("Note: milk")).waiting
        before = await chat.say("Oat milk, rather")
        assert withdrawn
        await harness.chats.confirm(chat.id, withdrawn.id)
        view = await chat.until(lambda view: view.dropped.count == 1)
        assert harness.ran == []
    assert (view.waiting, view.messages) == (before.waiting, before.messages)
    assert view.dropped.reason == "That proposal is no longer open. Decide on the newest one."


async def test_a_doubled_confirm_runs_the_tool_once(temporal: Client, queue: str) -> None:
    async with running_worker(temporal, queue, [call("PostNote", text="milk"), say("Posted.")]) as harness:
        chat = await harness.start()
        waiting = (await chat.say("Post: milk")).waiting
        assert waiting
        await asyncio.gather(*(harness.chats.confirm(chat.id, waiting.id) for _ in range(5)))
        await chat.until(lambda view: view.messages[-1].kind == "agent")
        await harness.chats.confirm(chat.id, waiting.id)
        view = await chat.until(lambda view: view.dropped.count == 5)
    assert len(harness.ran) == 1
    assert [line(message) for message in view.messages].count("confirmed: {'text': 'milk'}") == 1


async def test_a_doubled_bare_confirm_runs_the_tool_once(temporal: Client, queue: str) -> None:
    async with running_worker(temporal, queue, [call("PostNote", text="milk"), say("Posted.")]) as harness:
        chat = await harness.start()
        await chat.say("Post: milk")
        await asyncio.gather(*(chat.signal("confirm") for _ in range(5)))
        view = await chat.until(lambda view: view.dropped.count == 4 and view.status == "waiting")
    assert len(harness.ran) == 1
    assert said(view)[-1] == "agent: Posted."


async def test_two_tabs_that_decide_at_once_decide_once(temporal: Client, queue: str) -> None:
    async with running_worker(temporal, queue, [call("PostNote", text="milk"), say("Well.")]) as harness:
        chat = await harness.start()
        waiting = (await chat.say("Post: milk")).waiting
        assert waiting
        await asyncio.gather(
            harness.chats.confirm(chat.id, waiting.id),
            harness.chats.decline(chat.id, waiting.id, "No!"),
            harness.chats.confirm(chat.id, waiting.id, {"text": "oat milk"}),
        )
        view = await chat.until(lambda view: view.dropped.count == 2 and view.status == "waiting")
    decisions = [message for message in view.messages if isinstance(message, Decision)]
    assert len(decisions) == 1
    assert len(harness.ran) == (decisions[0].verdict == "confirmed")


async def test_a_message_sent_twice_with_one_id_is_said_once(temporal: Client, queue: str) -> None:
    async with running_worker(temporal, queue) as harness:
        chat = await harness.start()
        for _ in range(3):
            await harness.chats.send(chat.id, "Hello?", "id-1")
        await chat.settled()
        await harness.chats.send(chat.id, "Hello?", "id-2")
        view = await chat.until(lambda view: len(view.messages) == 6)
    assert [text for text in said(view) if text.startswith("user")] == ["user: Hello?", "user: Hello?"]


async def test_a_waiting_card_has_no_clock(temporal: Client, queue: str) -> None:
    """However long it waits it can be decided: nothing that could run out is in the history."""
    async with running_worker(temporal, queue, [call("WriteNote", text="milk"), say("Kept.")]) as harness:
        chat = await harness.start()
        await chat.say("Note: milk")
        history = await chat.handle.fetch_history()
        assert EventType.EVENT_TYPE_TIMER_STARTED not in {event.event_type for event in history.events}
        described = (await chat.handle.describe()).raw_description
        assert not described.execution_config.workflow_run_timeout.ToSeconds()
        assert not described.execution_config.workflow_execution_timeout.ToSeconds()
    async with running_worker(
        temporal, queue, []
    ) as harness:  # and another worker, which never saw the chat, takes it up
        later = Chat(harness, chat.id)
        view = await later.confirm()
    assert said(view)[-2:] == ["ok: WriteNote of milk", "agent: Hello!"]


async def test_declining_ends_what_else_was_planned(temporal: Client, queue: str) -> None:
    async with running_worker(temporal, queue, [calls("ReadNote", "WriteNote", text="a"), say("Neither.")]) as harness:
        chat = await harness.start_with(batch=False)
        waiting = (await chat.say("Both")).waiting
        assert waiting
        await harness.chats.decline(chat.id, waiting.id)
        view = await chat.until(lambda view: view.status == "waiting")
    assert said(view)[-2:] == ["declined: {}", "agent: Neither."]


async def test_a_message_while_a_tool_runs_is_answered_after_it(temporal: Client, queue: str) -> None:
    async with running_worker(
        temporal, queue, [calls("WriteNote", "PostNote", text="a"), say("Kept, but not posted.")]
    ) as harness:
        chat = await harness.start_with(batch=False)
        await chat.say("Both")
        gate = asyncio.Event()

        async def wait() -> None:
            await gate.wait()

        harness.hooks["WriteNote"] = wait
        await chat.signal("confirm")
        await chat.until(lambda view: view.status == "running")
        await harness.chats.send(chat.id, "Don't post it.")
        assert [message.text for message in (await chat.view()).queued] == ["Don't post it."]
        gate.set()
        view = await chat.until(lambda view: view.status == "waiting")
    assert [name for name, _, _ in harness.ran] == ["WriteNote"]
    assert said(view)[-3:] == ["ok: WriteNote of a", "user: Don't post it.", "agent: Kept, but not posted."]


async def test_a_message_while_the_model_thinks_outdates_its_proposal(temporal: Client, queue: str) -> None:
    async with running_worker(temporal, queue, [call("PostNote", text="milk"), say("All right.")]) as harness:
        chat = await harness.start()
        harness.model.gate = asyncio.Event()
        await harness.chats.send(chat.id, "Post: milk")
        await chat.until(lambda view: view.status == "thinking")
        await harness.chats.send(chat.id, "No, don't.")
        await chat.until(lambda view: bool(view.queued))
        harness.model.gate.set()
        view = await chat.until(lambda view: view.status in ("waiting", "deciding"))
    assert said(view)[2:] == ["user: Post: milk", "user: No, don't.", "agent: All right."]


async def test_another_model_picked_meanwhile_is_asked_instead(temporal: Client, queue: str) -> None:
    async with running_worker(temporal, queue, [say("From the other.")]) as harness:
        chat = await harness.start()
        harness.model.gate = asyncio.Event()
        await harness.chats.send(chat.id, "Hello?")
        await chat.until(lambda view: view.status == "thinking")
        await asyncio.sleep(0.2)
        await harness.chats.set_model(chat.id, "other")
        await chat.until(lambda view: view.model == "other")
        await wait_until(lambda: harness.model.cancelled == 1)
        harness.model.gate.set()
        view = await chat.until(lambda view: view.status == "waiting")
    assert [request.model for request in harness.model.requests] == ["", "", "other"]
    assert said(view)[2:] == ["user: Hello?", "agent: From the other."]


async def test_tools_that_need_no_confirm_ask_again_after_ten_in_a_row(temporal: Client, queue: str) -> None:
    settings = Settings(temporal_task_queue=queue, show_confirm="false")
    async with running_worker(temporal, queue, [call("ReadNote", text="a")] * 20, settings) as harness:
        chat = await harness.start()
        view = await chat.say("Read on and on")
    assert view.status == "deciding"
    assert len(harness.ran) == 10
