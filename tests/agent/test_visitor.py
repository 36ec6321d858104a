"""Whose chat it is decides who may use it: on a real server, which needs no worker for this."""

import inspect
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client

from agent import visibility
from agent.client import ChatClient, Look, new_chat_id
from agent.errors import ChatNotFound
from agent.local.server import start_dev_server
from agent.messages import Verdict
from agent.settings import Settings
from agent.temporal import connect
from agent.visitor import NOBODY, OWNER, Visitor, of_browser, of_login
from tests.workflow.harness import GOAL, wait_until

ANN, BOB = of_login("https://id.example", "ann", "Ann"), of_browser("bob's secret")
GIVEN: dict[str, Any] = {
    "text": "Hello",
    "message_id": "m1",
    "welcome": "Hello!",
    "goal": GOAL,
    "proposal_id": "p1",
    "verdicts": [Verdict(proposal_id="p1")],
    "tool": "WriteNote",
    "rule_id": "r1",
    "model": "scripted",
    "run_id": "",
    "title": "Mine",
    "seq": 1,
    "kind": "read",
    "seconds": 60,
    "link_id": "l1",
    "accepts": True,
    "who": "Bob",
    "visitor": BOB,
}
NAMED = sorted(
    name
    for name, method in inspect.getmembers(ChatClient, inspect.iscoroutinefunction)
    if not name.startswith("_") and {"chat_id", "look", "source"} & set(inspect.signature(method).parameters)
)


def chats(client: Client, queue: str, **settings: Any) -> ChatClient:
    return ChatClient(client, Settings(temporal_task_queue=queue, **settings))


def _call(client: ChatClient, name: str, chat_id: str) -> Awaitable[object]:
    """This method on that chat; of a method that begins a chat from another one, that is the other one."""
    method: Callable[..., Awaitable[object]] = getattr(client, name)
    wanted = {
        parameter.name: GIVEN[parameter.name]
        for parameter in inspect.signature(method).parameters.values()
        if parameter.default is inspect.Parameter.empty and parameter.name in GIVEN
    }
    if name == "read":
        return method(Look(chat_id, "", "running", 1, False, None, "unknown"), **wanted)
    if "source" in inspect.signature(method).parameters:
        return method(chat_id, new_chat_id(), **wanted)
    return method(chat_id, **wanted)


def test_the_methods_that_name_a_chat_are_known() -> None:
    assert {"look", "read", "transcript", "history", "begin", "send", "confirm", "decide", "end", "delete"} <= set(
        NAMED
    )


@pytest.mark.parametrize("name", [name for name in NAMED if name not in ("import_chat", "exists")])
async def test_nothing_can_be_done_with_the_chat_of_somebody_else(temporal: Client, queue: str, name: str) -> None:
    client = chats(temporal, queue)
    chat_id = await client.of(ANN).start(GOAL)
    before = (await client.look(chat_id)).events
    for stranger in (BOB, NOBODY):
        with pytest.raises(ChatNotFound, match="that you may open"):
            await _call(client.of(stranger), name, chat_id)
    assert (await client.look(chat_id)).events == before


async def test_the_chat_of_somebody_else_does_not_exist(temporal: Client, queue: str) -> None:
    client = chats(temporal, queue)
    chat_id = await client.of(ANN).start(GOAL)
    assert [await client.of(each).exists(chat_id) for each in (ANN, BOB, NOBODY)] == [True, False, False]


async def test_whom_it_belongs_to_and_the_owner_of_all_can_use_it(temporal: Client, queue: str) -> None:
    client = chats(temporal, queue)
    chat_id = await client.of(ANN).start(GOAL)
    assert (await client.of(ANN).look(chat_id)).owner == ANN.id
    await client.of(OWNER).send(chat_id, "Hello")
    await client.of(ANN).end(chat_id)
    await chats(temporal, queue, open_chats=True).of(BOB).end(chat_id)


async def test_chat_that_names_nobody_is_its_installations_owners(temporal: Client, queue: str) -> None:
    chat_id = new_chat_id()
    await temporal.start_workflow("AgentGoalWorkflow", id=chat_id, task_queue=queue)
    client = chats(temporal, queue)
    assert (await client.look(chat_id)).owner == ""
    for stranger in (BOB, NOBODY):
        with pytest.raises(ChatNotFound):
            await client.of(stranger).send(chat_id, "Hello")


async def _lists(client: ChatClient, *expected: str) -> None:
    async def does() -> bool:
        return {row.chat_id for row in await client.chats(2)} == set(expected)

    await wait_until(does)


async def test_list_has_the_visitors_own_chats_by_a_search_attribute(temporal: Client, queue: str) -> None:
    client = chats(temporal, queue)
    mine = of_browser(queue)
    chat_id = await client.of(mine).start(GOAL)
    for _ in range(3):
        await client.of(BOB).start(GOAL)
    await _lists(client.of(mine), chat_id)
    described = await temporal.get_workflow_handle(chat_id).describe()
    assert described.typed_search_attributes.get(visibility.VISITOR) == mine.id
    await _lists(client.of(NOBODY))


async def test_list_has_the_visitors_own_chats_by_the_memo_where_the_server_adds_no_attributes(
    temporal_cli: Path, queue: str
) -> None:
    server = await start_dev_server(temporal_cli)
    try:
        client = chats(await connect(Settings(), server.address), queue, temporal_address=server.address)
        chat_id = await client.of(ANN).start(GOAL)
        for _ in range(3):
            await client.of(BOB).start(GOAL)
        await _lists(client.of(ANN), chat_id)
        await _lists(client.of(NOBODY))
    finally:
        await server.stop()


def test_ids_are_stable_and_tell_people_apart() -> None:
    assert of_browser("s") == of_browser("s") != of_browser("t")
    assert of_login("i", "s").id == of_login("i", "s", "Another name").id
    ids = [of_login(*pair).id for pair in (("i", "s"), ("i", "t"), ("j", "s"), ("is", ""), ("", "is"), ("i1", ":s"))]
    assert len(set(ids)) == 5, "nobody, twice, and four people"
    assert of_login("i", "").id == of_login("", "s").id == ""


def test_nobody_can_name_themselves_as_something_else_does() -> None:
    for name in ("settings", "the owner", "", "your rule: pay"):
        for email in ("", "settings", "the owner", "your rule: a@b"):
            label = of_login("i", "s", name, email).label
            assert label == f"{name or 'visitor'} ({email or of_login('i', 's').id[:6]})"
    assert of_login("i", "s", "", "ann@example.com").label == "ann@example.com"
    assert of_login("i", "s", "Ann\x00\u202e", "ann@example.com").label == "Ann (ann@example.com)"


def test_nobody_owns_nothing_not_even_what_names_nobody() -> None:
    assert not NOBODY.owns("")
    assert not ANN.owns(BOB.id)
    assert ANN.owns(ANN.id)
    assert OWNER.owns("")
    assert Visitor("", "", is_owner=True).owns(ANN.id)
