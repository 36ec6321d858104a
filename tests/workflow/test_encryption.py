"""Encrypted chats on a real server: nothing that was said is found there, and a missing key harms nobody."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.message import Message
from temporalio.api.common.v1 import Payload, WorkflowExecution
from temporalio.api.query.v1 import WorkflowQuery
from temporalio.api.workflowservice.v1 import (
    DescribeWorkflowExecutionRequest,
    GetWorkflowExecutionHistoryRequest,
    ListWorkflowExecutionsRequest,
    QueryWorkflowRequest,
)
from temporalio.client import Client
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner, Worker

from agent import wire
from agent.activities import Activities
from agent.client import UNREADABLE, ChatClient, new_chat_id
from agent.codec import is_encrypted
from agent.errors import ChatWedged, KeyMissing, ModelUnavailable
from agent.local.server import start_dev_server
from agent.payload_keys import PayloadKey, new_key, read_keys
from agent.repair import repair
from agent.settings import Settings
from agent.temporal import connect
from agent.workflow import AgentGoalWorkflow
from tests.workflow.harness import GOAL, Chat, Harness, call, recording_tools, running_worker, said, say, wait_until
from tests.workflow.test_repair import REPAIRED, greet, nothing, wedge

[FIRST], [SECOND] = read_keys(new_key()), read_keys(new_key())
SECRET, PARTIAL = "xylophonist", "half a rep"
WORKER_LACKS_IT = "The worker lacks a key that this page or this chat is encrypted with"
PAGE_LACKS_IT = "This chat cannot be read here: it is encrypted with the key .*, which is not in PAYLOAD_KEYS"


async def connected(server: str, *keys: PayloadKey) -> Client:
    return await connect(Settings(payload_keys=keys), server)


@pytest.fixture
async def encrypted(server: str) -> Client:
    return await connected(server, FIRST)


async def say_it_everywhere(harness: Harness) -> Chat:
    """A person, the model and a tool say the secret wherever words go; the last reply fails and is tried again."""
    chat = Chat(harness, new_chat_id())
    await harness.chats.begin(chat.id, GOAL, f"Note: {SECRET}", "m1", welcome=f"Shall it be {SECRET}?")
    assert (await chat.settled()).waiting
    await chat.confirm(text=f"{SECRET} and more")
    await chat.say("Again")
    await harness.chats.decline(chat.id, (await chat.view()).waiting.id, f"No {SECRET}")  # type: ignore[union-attr]
    await chat.until(lambda view: view.waiting is None)
    await chat.settled()
    await chat.say("Once more")
    await chat.confirm(text="fail")
    harness.model.gate = asyncio.Event()
    await harness.chats.send(chat.id, f"Wait for {SECRET}")

    async def is_half() -> bool:
        attempt = (await harness.chats.look(chat.id)).attempt
        return attempt is not None and attempt.partial == PARTIAL

    await wait_until(is_half)
    return chat


def answers() -> list[Any]:
    return [
        call("WriteNote", f"I write {SECRET}.", text=SECRET),
        say(f"I wrote {SECRET}."),
        call("WriteNote", text=SECRET),
        say("Not written."),
        call("PostNote", text="fail"),
        say("It failed."),
        ModelUnavailable(f"The model is out of {SECRET}."),
        say("There."),
    ]


async def stored(client: Client, chat: Chat) -> dict[str, bytes]:
    """What the server tells of a chat, as it comes over the wire."""
    service, namespace = client.workflow_service, client.namespace
    execution = WorkflowExecution(workflow_id=chat.id)
    history = await service.get_workflow_execution_history(
        GetWorkflowExecutionHistoryRequest(namespace=namespace, execution=execution)
    )
    described = await service.describe_workflow_execution(
        DescribeWorkflowExecutionRequest(namespace=namespace, execution=execution)
    )
    listed = await service.list_workflow_executions(
        ListWorkflowExecutionsRequest(namespace=namespace, query=f"WorkflowId = '{chat.id}'")
    )
    assert len(listed.executions) == 1
    found: dict[str, Message] = {"history": history, "description": described, "list": listed}
    for name in ("get_chat", "__temporal_workflow_metadata"):
        query = WorkflowQuery(query_type=name)
        found[name] = await service.query_workflow(
            QueryWorkflowRequest(namespace=namespace, execution=execution, query=query)
        )
    return {name: answer.SerializeToString() for name, answer in found.items()}


@pytest.mark.parametrize("keys", [(), (FIRST,)], ids=["without keys", "with keys"])
async def test_no_word_that_was_said_is_found_on_the_server(
    temporal_cli: Path, queue: str, tmp_path: Path, keys: tuple[PayloadKey, ...]
) -> None:
    """In what it tells, and in its database. Without keys they are found, so the test would see them."""
    server = await start_dev_server(temporal_cli, database=tmp_path / "temporal.db")
    try:
        client = await connected(server.address, *keys)
        async with running_worker(client, queue, answers()[:]) as harness:
            harness.model.answers.pop(0)  # no greeting: the person begins
            chat = await say_it_everywhere(harness)
            places = await stored(client, chat)
            harness.model.gate.set()  # type: ignore[union-attr]
            harness.model.gate = None

            async def has_failed() -> bool:
                attempt = (await harness.chats.look(chat.id)).attempt
                return attempt is not None and SECRET in attempt.error

            await wait_until(has_failed)
            places |= {f"{name} after a failure": found for name, found in (await stored(client, chat)).items()}
            view = await chat.settled()
            assert any(SECRET in line for line in said(view))
            await harness.chats.rename(chat.id, f"All about {SECRET}")
            await chat.until(lambda view: SECRET in view.title)
            long = Chat(harness, new_chat_id())
            await client.start_workflow(
                "AgentGoalWorkflow",
                wire.start_input(GOAL, history_limit=1, listed_in="memo"),
                id=long.id,
                task_queue=queue,
                memo={"title": f"The long tale of {SECRET}"},
            )
            await long.say(f"About {SECRET}")
            await long.until(lambda view: bool(view.previous_run_id))
            assert (await (await long.handle.describe()).memo())["title"] == f"The long tale of {SECRET}"
    finally:
        await server.stop()
    places["database"] = b"".join(path.read_bytes() for path in tmp_path.glob("temporal.db*"))
    found = {name for name, content in places.items() if SECRET.encode() in content}
    if keys:
        assert found == set()
        assert not any(PARTIAL.encode() in content for content in places.values())
    else:
        assert found == set(places)
        assert PARTIAL.encode() in places["description"]


def payloads(message: Message, path: str = "") -> Iterator[tuple[str, Payload]]:
    """Every payload within, and where it is."""
    if isinstance(message, Payload):
        yield path, message
        return
    for field, value in message.ListFields():
        here = f"{path}.{field.name}"
        if field.message_type is None:
            continue
        if field.message_type.GetOptions().map_entry:
            inner = [each for each in value.values() if isinstance(each, Message)]
        else:
            inner = list(value) if field.is_repeated else [value]
        for each in inner:
            yield from payloads(each, here)


async def test_every_payload_but_search_attributes_is_encrypted(encrypted: Client, queue: str) -> None:
    async with running_worker(encrypted, queue, [call("WriteNote", text="a"), say("Done.")]) as harness:
        chat = await harness.start()
        await chat.say("Note")
        await chat.confirm()
        events = (await chat.handle.fetch_history()).events
    seen = 0
    for event in events:
        for path, payload in payloads(event):
            is_open = "search_attributes" in path or "marker_recorded" in path
            assert is_encrypted(payload) is not is_open, path
            seen += not is_open
    assert seen > 10


async def test_a_page_without_the_key_says_so_and_still_lists_all_chats(
    server: str, encrypted: Client, queue: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with running_worker(encrypted, queue, [call("WriteNote", text="a")]) as harness:
        chat = await harness.start()
        await chat.say("Note")
        for keys in ((), (SECOND,)):
            caplog.clear()
            page = ChatClient(await connected(server, *keys), Settings(temporal_task_queue=queue))
            for _ in range(2):
                # the worker cannot read what a page with another key asks
                with pytest.raises(KeyMissing, match=WORKER_LACKS_IT if keys else PAGE_LACKS_IT):
                    await page.view(chat.id)
            rows = {row.chat_id: row for row in await page.chats(200)}
            assert (rows[chat.id].title, rows[chat.id].goal, rows[chat.id].waiting) == (UNREADABLE, "notes", True)
            told = [text for text in caplog.messages if FIRST.id in text or SECOND.id in text]
            assert len(told) == 1 + len(keys), "by the worker as well"
            history = await page.history(chat.id)
            assert [fact.name for fact in history.facts if fact.kind == "scheduled"] == ["plan", "plan"]
        facts = (await harness.chats.history(chat.id)).facts
        assert [fact.details["id"] for fact in facts if fact.name == "user_prompt"]


@pytest.mark.parametrize("keys", [(), (SECOND,)], ids=["no key", "another key"])
async def test_a_worker_without_the_key_loses_nothing_and_serves_other_chats(
    server: str, encrypted: Client, queue: str, caplog: pytest.LogCaptureFixture, keys: tuple[PayloadKey, ...]
) -> None:
    async with running_worker(encrypted, queue) as harness:
        chat = await harness.start()
    page = harness.chats
    async with running_worker(await connected(server, *keys), queue) as other:
        with pytest.raises(KeyMissing, match=WORKER_LACKS_IT):  # by what its query says, while nothing is due
            await page.view(chat.id)
        await page.send(chat.id, "Are you there?")

        async def says_so() -> bool:
            try:
                await page.look(chat.id)
            except KeyMissing as error:
                return str(error).startswith(WORKER_LACKS_IT)
            return False

        await wait_until(says_so)
        readable = await other.start()
        assert said(await readable.say("And you?"))[-1] == "agent: You said: And you?"
        told = [record.name for record in caplog.records if "PAYLOAD_KEYS" in caplog.handler.format(record)]
        assert told == ["agent.codec"], "once, and without a stack trace"
    async with running_worker(encrypted, queue) as harness:
        view = await Chat(harness, chat.id).until(lambda view: "user: Are you there?" in said(view))
        view = await Chat(harness, chat.id).settled()
    assert said(view)[-2] == "user: Are you there?"
    assert said(view)[-1].startswith("agent:")


async def test_a_tool_whose_call_cannot_be_read_has_not_run(server: str, encrypted: Client, queue: str) -> None:
    """A worker without the key takes the only attempt of a tool that cannot be retried: nothing is unknown about it."""
    async with running_worker(encrypted, queue, [call("PostNote", text="a")]) as harness:
        chat = await harness.start()
        await chat.say("Post")
    workflows = Worker(encrypted, task_queue=queue, workflows=[AgentGoalWorkflow])
    activities = Activities(Settings(), harness.model, recording_tools(harness.ran, {}))
    tools = Worker(await connected(server), task_queue=queue, activities=activities.all())
    async with workflows, tools:
        await chat.signal("confirm")
        view = await chat.until(lambda view: said(view)[-1].startswith("failed"))
    assert said(view)[-1].startswith("failed: This chat cannot be read here: it is encrypted with the key")
    assert harness.ran == []


async def test_a_chat_goes_on_when_keys_are_set_and_when_they_change(server: str, queue: str) -> None:
    async with running_worker(await connected(server), queue) as harness:
        chat = await harness.start()
        await chat.say("in the open")
    for keys in ((FIRST,), (SECOND, FIRST)):
        client = await connected(server, *keys)
        async with running_worker(client, queue) as harness:
            chat = Chat(harness, chat.id)
            await chat.say(f"with {len(keys)}")
            view = await chat.view()
    assert [line for line in said(view) if line.startswith("user")] == [
        "user: in the open",
        "user: with 1",
        "user: with 2",
    ]
    history = await chat.handle.fetch_history()
    used = {
        payload.metadata["encryption-key-id"]
        for each in history.events
        for _, payload in payloads(each)
        if is_encrypted(payload)
    }
    assert used == {FIRST.id.encode(), SECOND.id.encode()}
    runner = UnsandboxedWorkflowRunner()
    replayer = Replayer(workflows=[AgentGoalWorkflow], data_converter=client.data_converter, workflow_runner=runner)
    await replayer.replay_workflow(history)


async def test_an_encrypted_chat_is_repaired(server: str, encrypted: Client, queue: str) -> None:
    chat, _ = await wedge(encrypted, queue, "_plan", [], nothing, greet)
    async with running_worker(encrypted, queue) as after:
        with pytest.raises(ChatWedged):
            await after.chats.view(chat.id)
        with pytest.raises(KeyMissing, match="encrypted with a key that PAYLOAD_KEYS here lacks"):
            await repair(await connected(server), chat.id)
        assert await repair(encrypted, chat.id)
        view = await Chat(after, chat.id).settled()
    assert REPAIRED in said(view)
    assert "user: Good day" in said(view)


async def test_long_words_leave_room_for_what_encryption_adds(server: str, queue: str) -> None:
    """Temporal takes 400 bytes as the summary of a chat or a step, and would refuse the whole step."""
    key = PayloadKey("k" * 32, FIRST.secret)
    async with running_worker(
        await connected(server, key), queue, [call("WriteNote", text='"' * 300), say("Done.")]
    ) as harness:
        harness.model.answers.pop(0)
        for words in ('"' * 300, "\U0001f989" * 300, "\\" * 300):
            chat = Chat(harness, new_chat_id())
            harness.model.answers = [call("WriteNote", text=words), say("Done.")]
            await harness.chats.begin(chat.id, GOAL, words, "m1", welcome="Hello")
            assert (await chat.settled()).waiting
            await chat.confirm()
