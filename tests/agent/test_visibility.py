"""The list of chats knows which ones wait for a decision, without asking any of them."""

from pathlib import Path

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.client import Client

from agent import visibility
from agent.client import ChatClient, ChatRow
from agent.local.server import start_dev_server
from agent.settings import Settings
from agent.temporal import connect
from tests.workflow.harness import GOAL, Chat, Harness, call, calls, running_worker, say, wait_until

UPSERT = EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES
MEMO = EventType.EVENT_TYPE_WORKFLOW_PROPERTIES_MODIFIED


async def _row(chats: ChatClient, chat_id: str) -> ChatRow | None:
    return next((row for row in await chats.chats(100) if row.chat_id == chat_id), None)


async def _is_listed(chat: Chat, *, waiting: bool) -> None:
    async def is_so() -> bool:
        row = await _row(chat.harness.chats, chat.id)
        return row is not None and row.waiting is waiting

    await wait_until(is_so)


async def _attribute_events(chat: Chat) -> int:
    """How often the chat has told what it waits for: the patches' own upserts are not counted."""
    history = await chat.handle.fetch_history()
    return sum(
        event.event_type == MEMO
        or (
            event.event_type == UPSERT
            and visibility.STATUS.name
            in event.upsert_workflow_search_attributes_event_attributes.search_attributes.indexed_fields
        )
        for event in history.events
    )


async def _decides(harness: Harness) -> Chat:
    chat = await harness.start()
    await _is_listed(chat, waiting=False)
    await chat.say("Note: milk")
    await _is_listed(chat, waiting=True)
    return chat


async def test_a_chat_that_waits_for_a_decision_is_listed_so_until_it_is_decided(temporal: Client, queue: str) -> None:
    answers = [call("WriteNote", text="milk"), say("Kept."), call("WriteNote", text="tea"), say("Not kept?")]
    async with running_worker(temporal, queue, answers) as harness:
        chat = await _decides(harness)
        described = await chat.handle.describe()
        attributes = described.typed_search_attributes
        assert attributes.get(visibility.GOAL) == "notes"
        assert (attributes.get(visibility.STATUS), attributes.get(visibility.WAITING)) == ("deciding", "WriteNote")
        assert await described.static_summary() == "Keep notes"
        await chat.confirm()
        await _is_listed(chat, waiting=False)
        attributes = (await chat.handle.describe()).typed_search_attributes
        assert (attributes.get(visibility.STATUS), attributes.get(visibility.WAITING)) == ("open", None)
        await chat.say("Note: tea")
        await _is_listed(chat, waiting=True)
        await chat.say("Never mind")
        await _is_listed(chat, waiting=False)
        assert await _attribute_events(chat) == 4  # each is an Action that Temporal Cloud bills


async def test_a_question_turn_tells_nothing(temporal: Client, queue: str) -> None:
    async with running_worker(temporal, queue) as harness:
        chat = await harness.start()
        await chat.say("Good day")
        assert await _attribute_events(chat) == 0


async def test_an_old_chat_that_waits_is_listed_before_newer_ones(temporal: Client, queue: str) -> None:
    async with running_worker(temporal, queue, [call("WriteNote", text="milk")]) as harness:
        chat = await _decides(harness)
        for _ in range(2):
            await harness.chats.start(GOAL)

        async def is_listed() -> bool:
            return any(row.chat_id == chat.id and row.waiting for row in await harness.chats.chats(1))

        await wait_until(is_listed)


async def test_it_is_listed_so_over_continue_as_new(temporal: Client, queue: str) -> None:
    answers = [calls("ReadNote", "WriteNote", text="a"), say("Both done.")]
    async with running_worker(temporal, queue, answers) as harness:
        await harness.chats.chats()
        chat = await harness.start_with(history_limit=1, listed_in="attributes")
        await chat.say("Both")
        await _is_listed(chat, waiting=True)
        await chat.confirm()
        await _is_listed(chat, waiting=True)
        await chat.confirm()
        await _is_listed(chat, waiting=False)


async def test_a_server_that_lets_us_add_nothing_is_told_by_the_memo(temporal_cli: Path, queue: str) -> None:
    server = await start_dev_server(temporal_cli)
    try:
        client = await connect(Settings(), server.address)
        async with running_worker(client, queue, [call("WriteNote", text="milk"), say("Kept.")]) as harness:
            harness.chats = ChatClient(client, Settings(temporal_task_queue=queue, temporal_address=server.address))
            assert await visibility.prepare(client, register=False) == "memo"
            chat = await _decides(harness)
            assert (await (await chat.handle.describe()).memo())["waiting"] == "WriteNote"
            await chat.confirm()
            await _is_listed(chat, waiting=False)
            assert await _attribute_events(chat) == 2
            assert (await chat.view()).status == "waiting"
            assert await visibility.prepare(client, register=True) == "attributes"
            assert await visibility.prepare(client, register=False) == "attributes"
    finally:
        await server.stop()


@pytest.mark.parametrize("listed_in", ["", "memo"])
async def test_a_chat_that_is_not_asked_to_sets_no_attribute(temporal: Client, queue: str, listed_in: str) -> None:
    async with running_worker(temporal, queue, [call("WriteNote", text="milk"), say("Kept.")]) as harness:
        chat = await harness.start_with(listed_in=listed_in)
        await chat.say("Note: milk")
        await chat.confirm()
        assert (await chat.handle.describe()).typed_search_attributes.get(visibility.STATUS) is None
        assert await _attribute_events(chat) == (2 if listed_in else 0)


async def test_steps_carry_their_summaries_and_the_details_their_last_lines(temporal: Client, queue: str) -> None:
    async with running_worker(temporal, queue, [call("WriteNote", text="milk"), say("Kept.")]) as harness:
        chat = await harness.start()
        await chat.say("Note: milk")
        await chat.confirm()
        history = await chat.handle.fetch_history()
        converter = temporal.data_converter
        shown = [
            (await converter.decode([event.user_metadata.summary]))[0]
            for event in history.events
            if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
        ]
        assert shown == ["Greet", 'Reply to "Note: milk"', "Write note milk", "Go on after write note"]
        details = (
            await chat.handle.query("__temporal_workflow_metadata", result_type=WorkflowMetadata)
        ).current_details
        assert details.splitlines()[-3:-1] == ["Write note: done", "Agent: Kept."]
