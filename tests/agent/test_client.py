"""ChatClient against a real server, with and without a worker."""

import asyncio
from pathlib import Path

import pytest
from temporalio.client import Client
from temporalio.worker import Worker

from agent.client import ChatClient
from agent.errors import ChatClosed, ChatNotFound, MessageRefused, ModelUnavailable, ServerUnavailable
from agent.local.server import start_dev_server
from agent.settings import Settings
from agent.temporal import connect, heartbeating_runtime
from agent.workflow import AgentGoalWorkflow
from tests.workflow.desk import GOAL, Chat, call, desk, say


async def test_a_message_sent_without_a_worker_is_answered_once_one_runs(temporal: Client, queue: str) -> None:
    chats = ChatClient(temporal, Settings(temporal_task_queue=queue))
    chat_id = await chats.start(GOAL)
    await chats.send(chat_id, "Are you there?")
    async with desk(temporal, queue, [say("Now I am.")]) as room:
        view = await Chat(room, chat_id).until(lambda view: view.next_seq >= 4 and view.status == "waiting")
    assert [message.kind for message in view.messages][-2:] == ["user", "agent"]


async def test_without_a_worker_the_view_says_so_and_keeps_what_the_server_knows(temporal: Client, queue: str) -> None:
    chats = ChatClient(temporal, Settings(temporal_task_queue=queue))
    snapshot = await chats.view(await chats.start(GOAL))
    assert (snapshot.worker, snapshot.view, snapshot.run_status) == ("missing", None, "running")


async def test_a_worker_that_sends_heartbeats_is_seen(server: str, queue: str) -> None:
    settings = Settings(temporal_task_queue=queue)
    client = await connect(settings, server, runtime=heartbeating_runtime())
    async with Worker(client, task_queue=queue, workflows=[AgentGoalWorkflow]):
        chats = ChatClient(client, settings)
        assert (await chats.view(await chats.start(GOAL))).worker == "alive"
        for _ in range(100):
            if await chats._worker() == "alive":  # by its heartbeats, not by an answer
                break
            await asyncio.sleep(0.1)
        assert await chats._worker() == "alive"


async def test_the_growing_reply_and_the_reason_of_a_retry_are_seen(temporal: Client, queue: str) -> None:
    async with desk(
        temporal, queue, [ModelUnavailable("The model is overloaded.", retry_after=2.0), say("Back.")]
    ) as room:
        chat = await room.start()
        room.model.gate = asyncio.Event()
        await room.chats.send(chat.id, "Hi")
        attempts = []
        for _ in range(100):
            snapshot = await room.chats.view(chat.id)
            if snapshot.attempt:
                attempts.append(snapshot.attempt)
                if snapshot.attempt.partial:
                    room.model.gate.set()
                if snapshot.attempt.error:
                    break
            await asyncio.sleep(0.05)
        assert any(attempt.partial == "half a rep" for attempt in attempts)
        assert attempts[-1].error == "The model is overloaded."
        assert attempts[-1].name == "plan"
        assert 0 < (attempts[-1].next_in or 0) <= 2
        view = await chat.until(lambda view: view.status == "waiting")
        assert view.messages[-1].text == "Back."  # type: ignore[union-attr]


async def test_what_cannot_be_sent_is_refused_before_it_is_sent(temporal: Client, queue: str) -> None:
    chats = ChatClient(temporal, Settings(temporal_task_queue=queue))
    with pytest.raises(MessageRefused, match="nothing to send"):
        await chats.send("chat-x", " \x00\n ")
    with pytest.raises(MessageRefused, match="8,001 characters"):
        await chats.send("chat-x", "a" * 8001)


async def test_an_unknown_chat_is_not_found(temporal: Client, queue: str) -> None:
    chats = ChatClient(temporal, Settings(temporal_task_queue=queue))
    for chat_id in ("chat-of-nobody", "x" * 2000):
        with pytest.raises(ChatNotFound):
            await chats.view(chat_id)
        with pytest.raises(ChatNotFound):
            await chats.send(chat_id, "Hello?")


async def test_an_ended_chat_refuses_words_and_ends_no_second_time(temporal: Client, queue: str) -> None:
    async with desk(temporal, queue, [call("finish", message="Bye.")]) as room:
        chat = await room.start()
        await chat.say("That is all")
        await chat.handle.result()
        with pytest.raises(ChatClosed):
            await room.chats.send(chat.id, "One more thing")
        await room.chats.end(chat.id)
        snapshot = await room.chats.view(chat.id)
    assert snapshot.run_status == "completed"
    assert snapshot.view is not None
    assert snapshot.view.ended == "done"


async def test_chats_are_listed_with_goal_and_title(temporal: Client, queue: str) -> None:
    async with desk(temporal, queue) as room:
        chat = await room.start()
        for _ in range(50):
            row = next((row for row in await room.chats.chats(100) if row.chat_id == chat.id), None)
            if row:
                break
            await asyncio.sleep(0.1)
    assert row
    assert (row.goal, row.title, row.status) == ("notes", "Keep notes", "running")


async def test_a_terminated_chat_is_shown_as_such(temporal: Client, queue: str) -> None:
    async with desk(temporal, queue) as room:
        chat = await room.start()
        await chat.handle.terminate("test")
        assert (await room.chats.view(chat.id)).run_status == "terminated"


async def test_a_server_that_goes_away_is_told_and_comes_back(temporal_cli: Path, queue: str, tmp_path: Path) -> None:
    settings = Settings(temporal_task_queue=queue)
    server = await start_dev_server(temporal_cli, database=tmp_path / "t.db")
    chats = ChatClient(await connect(settings, server.address, lazy=True), settings)
    chat_id = await chats.start(GOAL)
    await server.stop()
    with pytest.raises(ServerUnavailable):
        await chats.view(chat_id)
    with pytest.raises(ServerUnavailable):
        await chats.send(chat_id, "Hello?")


async def test_a_lazy_client_of_no_server_says_so(queue: str) -> None:
    settings = Settings(temporal_task_queue=queue)
    chats = ChatClient(await connect(settings, "127.0.0.1:1", lazy=True), settings)
    with pytest.raises(ServerUnavailable):
        await chats.start(GOAL)


async def test_a_worker_that_cannot_read_a_chat_is_told(temporal: Client, queue: str) -> None:
    async with desk(temporal, queue) as room:
        handle = await room.start_raw(f"broken-{queue}", {"agent_goal": 7})
        with pytest.raises(Exception, match="Workflow execution failed"):
            await handle.result()
        snapshot = await room.chats.view(handle.id)
        assert (snapshot.run_status, snapshot.view) == ("failed", None)
        assert "agent_goal" in await room.chats.failure(handle.id)
