"""ChatClient against a real server, with and without a worker."""

import asyncio
from functools import partial
from pathlib import Path

import pytest
from temporalio import workflow
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import Worker

from agent.client import Attempt, ChatClient, new_chat_id
from agent.errors import ChatClosed, ChatNotFound, MessageRefused, ModelUnavailable, ServerUnavailable
from agent.local.server import start_dev_server
from agent.messages import AgentMessage, UserMessage
from agent.settings import Settings
from agent.telemetry import worker_runtime
from agent.temporal import connect
from agent.workflow import AgentGoalWorkflow
from tests.workflow.harness import GOAL, Chat, call, running_worker, say, wait_until


async def test_a_message_sent_without_a_worker_is_answered_once_one_runs(temporal: Client, queue: str) -> None:
    chats = ChatClient(temporal, Settings(temporal_task_queue=queue))
    chat_id = await chats.start(GOAL)
    await chats.send(chat_id, "Are you there?")
    async with running_worker(temporal, queue, [say("Now I am.")]) as harness:
        view = await Chat(harness, chat_id).until(lambda view: view.next_seq >= 4 and view.status == "waiting")
    assert [message.kind for message in view.messages][-2:] == ["user", "agent"]


async def test_without_a_worker_the_view_says_so_and_keeps_what_the_server_knows(temporal: Client, queue: str) -> None:
    chats = ChatClient(temporal, Settings(temporal_task_queue=queue))
    snapshot = await chats.view(await chats.start(GOAL))
    assert (snapshot.worker, snapshot.view, snapshot.run_status) == ("missing", None, "running")


async def test_a_worker_that_sends_heartbeats_is_seen(server: str, queue: str) -> None:
    settings = Settings(temporal_task_queue=queue)
    client = await connect(settings, server, runtime=worker_runtime(settings))
    async with Worker(client, task_queue=queue, workflows=[AgentGoalWorkflow]):
        chats = ChatClient(client, settings)
        assert (await chats.view(await chats.start(GOAL))).worker == "alive"

        async def is_seen() -> bool:
            return await chats._worker() == "alive"  # by its heartbeats, not by an answer

        await wait_until(is_seen)


async def test_the_growing_reply_and_the_reason_of_a_retry_are_seen(temporal: Client, queue: str) -> None:
    async with running_worker(
        temporal, queue, [ModelUnavailable("The model is overloaded.", retry_after=2.0), say("Back.")]
    ) as harness:
        chat = await harness.start()
        harness.model.gate = asyncio.Event()
        await harness.chats.send(chat.id, "Hi")
        attempts: list[Attempt] = []

        async def is_seen_to_fail() -> bool:
            assert harness.model.gate
            if (attempt := (await harness.chats.view(chat.id)).attempt) is None:
                return False
            attempts.append(attempt)
            if attempt.partial:
                harness.model.gate.set()
            return bool(attempt.error)

        await wait_until(is_seen_to_fail)
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
    async with running_worker(
        temporal, queue, [call("finish", message="Bye.", reason="person_wants_to_stop")]
    ) as harness:
        chat = await harness.start()
        await chat.say("That is all")
        await chat.handle.result()
        with pytest.raises(ChatClosed):
            await harness.chats.send(chat.id, "One more thing")
        await harness.chats.end(chat.id)
        snapshot = await harness.chats.view(chat.id)
    assert snapshot.run_status == "completed"
    assert snapshot.view is not None
    assert snapshot.view.ended == "done"


async def test_chats_are_listed_with_goal_and_title(temporal: Client, queue: str) -> None:
    async with running_worker(temporal, queue) as harness:
        chat = await harness.start()

        async def is_listed() -> bool:
            rows = {row.chat_id: row for row in await harness.chats.chats(100)}
            row = rows.get(chat.id)
            return row is not None and (row.goal, row.title, row.status) == ("notes", "Keep notes", "running")

        await wait_until(is_listed)


async def test_a_look_tells_what_happened_and_is_not_moved_by_questions(temporal: Client, queue: str) -> None:
    async with running_worker(temporal, queue) as harness:
        chat = await harness.start()
        before = await harness.chats.look(chat.id)
        for _ in range(3):
            await harness.chats.read(before)
        assert (await harness.chats.look(chat.id)).position == before.position
        await harness.chats.send(chat.id, "Good day")
        assert (await harness.chats.look(chat.id)).position != before.position
        await chat.settled()

        async def is_taken_up() -> bool:
            return not (await harness.chats.look(chat.id)).task_due

        await wait_until(is_taken_up)
    chats = ChatClient(temporal, Settings(temporal_task_queue=queue))
    await chats.send(chat.id, "Nobody works now")
    assert (await chats.look(chat.id)).task_due


async def test_workers_that_answer_and_are_never_listed_are_not_called_missing(
    temporal: Client, queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nobody() -> str:
        return "missing"

    async with running_worker(temporal, queue) as harness:
        chat = await harness.start()
        monkeypatch.setattr(harness.chats, "_listed_worker", nobody)  # else its first heartbeat may come in between
        harness.chats._answered_at = -100.0
        assert (await harness.chats.look(chat.id)).worker == "missing"
        for _ in range(3):
            harness.chats._answered_at = -100.0
            await harness.chats.read(await harness.chats.look(chat.id))
        harness.chats._answered_at = -100.0
        assert (await harness.chats.look(chat.id)).worker == "unknown"


async def test_a_terminated_chat_is_shown_as_such(temporal: Client, queue: str) -> None:
    async with running_worker(temporal, queue) as harness:
        chat = await harness.start()
        await chat.handle.terminate("test")
        assert (await harness.chats.view(chat.id)).run_status == "terminated"


async def test_a_server_that_went_away_is_reported(temporal_cli: Path, queue: str, tmp_path: Path) -> None:
    settings = Settings(temporal_task_queue=queue)
    server = await start_dev_server(temporal_cli, database=tmp_path / "t.db")
    chats = ChatClient(await connect(settings, server.address, lazy=True), settings)
    chat_id = await chats.start(GOAL)
    await server.stop()
    with pytest.raises(ServerUnavailable):
        await chats.view(chat_id)
    with pytest.raises(ServerUnavailable):
        await chats.send(chat_id, "Hello?")


async def test_a_lazy_client_reports_that_there_is_no_server(queue: str) -> None:
    settings = Settings(temporal_task_queue=queue)
    chats = ChatClient(await connect(settings, "127.0.0.1:1", lazy=True), settings)
    with pytest.raises(ServerUnavailable):
        await chats.start(GOAL)


async def test_why_a_chat_failed_is_reported(temporal: Client, queue: str) -> None:
    async with running_worker(temporal, queue) as harness:
        handle = await harness.start_raw(f"broken-{queue}", {"agent_goal": 7})
        with pytest.raises(Exception, match="Workflow execution failed"):
            await handle.result()
        snapshot = await harness.chats.view(handle.id)
        assert (snapshot.run_status, snapshot.view) == ("failed", None)
        assert "agent_goal" in await harness.chats.failure(handle.id)


@workflow.defn(name="AgentGoalWorkflow", sandboxed=False)
class LongChat:
    """A chat of as many runs as it is told."""

    @workflow.run
    async def run(self, left: int) -> None:
        if left:
            workflow.continue_as_new(left - 1)


async def test_ended_chats_are_listed_however_many_runs_others_have(temporal_cli: Path, queue: str) -> None:
    at_once = ["--dynamic-config-value", 'history.workflowIdReuseMinimalInterval="1ms"']
    server = await start_dev_server(temporal_cli, extra=at_once)
    try:
        client = await connect(Settings(), server.address)
        async with Worker(client, task_queue=queue, workflows=[LongChat]):
            for name, runs in (("ended", 0), ("long", 12)):
                await client.execute_workflow("AgentGoalWorkflow", runs, id=name, task_queue=queue)
        await client.start_workflow("AgentGoalWorkflow", 0, id="open", task_queue=queue)
        chats = ChatClient(client, Settings(temporal_task_queue=queue))

        async def are_listed() -> bool:
            listed = [(row.chat_id, row.status) for row in await chats.chats(3)]
            return listed == [("open", "running"), ("long", "completed"), ("ended", "completed")]

        await wait_until(are_listed)
    finally:
        await server.stop()


async def test_a_chat_begins_with_its_first_message_once(temporal: Client, queue: str) -> None:
    async with running_worker(temporal, queue) as harness:
        chat_id = new_chat_id()
        for _ in range(2):
            await harness.chats.begin(chat_id, GOAL, "Good day\nto you", "one", welcome="Hello! What is it?")
        chat = Chat(harness, chat_id)
        view = await chat.settled()
        (row,) = [row for row in await harness.chats.chats() if row.chat_id == chat_id]
        await harness.chats.end(chat_id)
        await chat.handle.result()
        with pytest.raises(ChatClosed):
            await harness.chats.begin(chat_id, GOAL, "Once more", "two", welcome="Hello!")
    assert [message.text for message in view.messages[:2] if isinstance(message, AgentMessage | UserMessage)] == [
        "Hello! What is it?",
        "Good day\nto you",
    ]
    assert len(view.messages) == 3
    assert len(harness.model.requests) == 1, "nobody asked the model to greet"
    assert row.title == "Good day"


async def test_a_deleted_chat_is_gone_with_all_its_runs(temporal: Client, queue: str) -> None:
    async with running_worker(temporal, queue) as harness:
        chat = await harness.start_with(history_limit=1)
        earlier = (await chat.say("Hello")).previous_run_id
        assert earlier
        runs = await harness.chats.delete(chat.id)
        for run_id in (None, earlier):
            await wait_until(
                partial(_is_gone, temporal, chat.id, run_id), seconds=150
            )  # the server takes half a minute
        assert runs >= 2
        with pytest.raises(ChatNotFound):
            await harness.chats.delete(chat.id)


async def _is_gone(temporal: Client, chat_id: str, run_id: str | None) -> bool:
    try:
        await temporal.get_workflow_handle(chat_id, run_id=run_id).describe()
    except RPCError as error:
        return error.status == RPCStatusCode.NOT_FOUND
    return False
