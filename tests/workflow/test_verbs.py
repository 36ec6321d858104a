"""Stop a reply, have it written again, and go on after the goal is reached. On a real server."""

import asyncio

from temporalio.client import Client

from agent.conversation import GO_ON
from agent.errors import ModelUnavailable
from agent.messages import EPOCH
from agent.model import Reply
from tests.workflow.harness import Chat, Harness, call, running_worker, said, say, wait_until


async def _writing(harness: Harness, text: str = "Hello?") -> Chat:
    """A chat whose model has written half a reply, which the server knows."""
    chat = await harness.start()
    harness.model.gate = asyncio.Event()
    await harness.chats.send(chat.id, text)

    async def shows() -> bool:
        attempt = (await harness.chats.view(chat.id)).attempt
        return attempt is not None and attempt.partial == "half a rep"

    await wait_until(shows)
    return chat


async def test_a_stopped_reply_keeps_what_was_written_and_its_call_is_cancelled(temporal: Client, queue: str) -> None:
    async with running_worker(temporal, queue, [say("Next.")]) as harness:
        chat = await _writing(harness)
        await harness.chats.stop(chat.id)
        view = await chat.settled()
        newest = view.messages[-1]
        assert (said(view)[-1], newest.kind == "agent" and newest.stopped) == ("agent: half a rep", True)
        assert harness.model.cancelled == 1
        harness.model.gate = None
        assert said(await chat.say("And now?"))[-1] == "agent: Next."
        assert harness.model.requests[-1].messages[-2]["content"] == "half a rep"


async def test_a_reply_is_stopped_though_its_model_is_down(temporal: Client, queue: str) -> None:
    async with running_worker(temporal, queue, [ModelUnavailable("Overloaded.", retry_after=100)]) as harness:
        chat = await harness.start()
        await harness.chats.send(chat.id, "Hello?")

        async def waits() -> bool:
            attempt = (await harness.chats.view(chat.id)).attempt
            return attempt is not None and attempt.next_in is not None

        await wait_until(waits)
        await harness.chats.stop(chat.id)
        view = await chat.settled()
        assert said(view)[-1] == "notice: Stopped before anything was written."
        await harness.chats.regenerate(chat.id)
        view = await chat.until(lambda view: said(view)[-1] == "agent: You said: Hello?")
        assert view.status == "waiting"


async def test_a_reply_is_stopped_though_its_worker_is_dead(temporal: Client, queue: str) -> None:
    async with running_worker(temporal, queue) as harness:
        chat = await _writing(harness)
    await harness.chats.stop(chat.id)
    async with running_worker(temporal, queue) as harness:
        chat = Chat(harness, chat.id)
        view = await chat.settled()
    assert [line for line in said(view) if line.startswith("notice")] == [
        "notice: Stopped before anything was written."
    ]


async def test_the_end_does_not_wait_for_a_stop(temporal: Client, queue: str) -> None:
    async with running_worker(temporal, queue) as harness:
        chat = await _writing(harness)
        await harness.chats.stop(chat.id)
        await harness.chats.end(chat.id)
        await chat.handle.result()
        assert (await chat.view()).ended == "person"


async def test_a_reply_that_is_written_again_replaces_the_one_before_for_the_model(
    temporal: Client, queue: str
) -> None:
    async with running_worker(temporal, queue, [say("First."), say("Second."), say("Third.")]) as harness:
        chat = await harness.start()
        view = await chat.say("Tell me")
        first = view.messages[-1].seq
        await harness.chats.regenerate(chat.id, first)
        await harness.chats.regenerate(chat.id, first)  # clicked twice
        view = await chat.until(lambda view: said(view)[-1] == "agent: Second.")
        newest = view.messages[-1]
        assert newest.kind == "agent"
        assert newest.replaces == first
        assert view.dropped.count == 1
        assert said(view)[-2] == "agent: First.", "the transcript only grows"
        await chat.say("And?")
    words = [message["content"] for message in harness.model.requests[-1].messages]
    assert "Second." in words
    assert "First." not in words


async def test_a_stop_that_comes_while_a_tool_runs_or_nothing_does_changes_nothing(
    temporal: Client, queue: str
) -> None:
    async with running_worker(temporal, queue, [call("WriteNote", text="a"), say("Kept.")]) as harness:
        chat = await harness.start()
        await chat.signal("stop")
        await chat.until(lambda view: view.dropped.count == 1)
        gate = asyncio.Event()
        harness.hooks["WriteNote"] = gate.wait
        await chat.say("Note: a")
        await chat.signal("confirm")
        await chat.until(lambda view: view.status == "running")
        await chat.signal("stop", {"odd": 1})
        view = await chat.until(lambda view: view.dropped.count == 2)
        assert view.dropped.reason == "A tool that runs cannot be stopped halfway."
        gate.set()
        assert said(await chat.settled())[-1] == "agent: Kept."


def _done(reason: str = "goal_reached") -> Reply:
    return call("finish", message="All done.", reason=reason)


async def test_a_chat_whose_goal_is_reached_takes_one_more_thing_and_then_closes_by_itself(
    temporal: Client, queue: str
) -> None:
    answers = [call("WriteNote", text="a"), _done(), say("You are welcome."), _done()]
    async with running_worker(temporal, queue, answers) as harness:
        chat = await harness.start_with(linger=3)
        await chat.say("Note: a")
        view = await chat.confirm()
        assert (said(view)[-1], view.status, view.ended) == ("agent: All done.", "waiting", "")
        assert view.closes_at > view.messages[-1].at
        view = await chat.say("Thanks")
        assert said(view)[-1] == "agent: You are welcome."
        assert view.closes_at == EPOCH
        await chat.say("One more thing, then that is it")
        await chat.handle.result()
        assert (await chat.view()).ended == "done"


async def test_no_never_ends_a_chat_that_lingers(temporal: Client, queue: str) -> None:
    stops = _done("person_wants_to_stop")
    async with running_worker(temporal, queue, [stops, stops, say("Yes?"), stops]) as harness:
        chat = await harness.start_with(linger=600)
        view = await chat.say("No.")
        assert view.waiting
        assert view.waiting.kind == "end"
        await harness.chats.decline(chat.id, view.waiting.id)
        view = await chat.until(lambda view: view.status == "waiting")
        assert said(view)[-1] == f"agent: {GO_ON}"
        await chat.say("Hm")
        await harness.chats.send(chat.id, "Stop, please")
        await chat.handle.result()


async def test_a_chat_without_linger_is_over_when_its_goal_is_reached(temporal: Client, queue: str) -> None:
    async with running_worker(temporal, queue, [call("WriteNote", text="a"), _done()]) as harness:
        chat = await harness.start()
        await chat.say("Note: a")
        view = await chat.confirm()
        assert view.ended == "done"


async def test_an_export_holds_the_messages_of_all_runs(temporal: Client, queue: str) -> None:
    async with running_worker(temporal, queue) as harness:
        chat = await harness.start_with(history_limit=1)
        for number in range(3):
            await chat.say(f"Turn {number}")
        transcript = await harness.chats.transcript(chat.id)
        everything = await chat.everything()
    assert transcript.complete
    assert transcript.messages == everything
    assert [message.seq for message in everything] == list(range(1, len(everything) + 1))
