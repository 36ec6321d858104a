"""What a turn leaves in the history: the numbers that the README states. tests/bench/turn.py measures more of them."""

import asyncio
from collections.abc import Callable

import pytest
from temporalio.client import Client

from agent.goals import goal_for
from agent.model import ModelRequest, Reply
from tests.bench.turn import Left, left
from tests.workflow.harness import Chat, call, running_worker, say
from tools import load


async def _asked(chat: Chat) -> Left:
    """One question turn."""
    before = await left(chat)
    await chat.say("I would like to see what else there is in that city in that month, please.")
    turn = (await left(chat)).since(before)
    assert turn
    return turn


async def test_a_question_turn_costs_the_same_at_turn_60_as_at_turn_10(temporal: Client, queue: str) -> None:
    turns = []
    async with running_worker(temporal, queue) as harness:
        chat = await harness.start(goal=goal_for(load(), "event_flight_invoice"))
        for number in range(1, 61):
            if number in (10, 60):
                turns.append(await _asked(chat))
            else:
                await chat.say("I would like to see what else there is in that city in that month, please.")
    for turn in turns:
        assert turn.events == 10
        assert turn.bytes - turn.window < 8_000
    assert turns[1].bytes - turns[1].window < 1.1 * (turns[0].bytes - turns[0].window)
    assert turns[1].window < 16_000


async def test_a_tool_turn_takes_17_events_from_its_confirm(temporal: Client, queue: str) -> None:
    async with running_worker(temporal, queue, [call("WriteNote", text="milk"), say("Kept.")]) as harness:
        chat = await harness.start()
        begin = await left(chat)
        await chat.say("Note: milk")
        middle = await left(chat)
        await chat.confirm()
        end = await left(chat)
    asked, confirmed = middle.since(begin), end.since(middle)
    assert asked
    assert confirmed
    assert (asked.events, confirmed.events) == (11, 17)  # one each says in lists that a decision is waited for
    assert confirmed.bytes - confirmed.window < 8_000


async def test_a_streamed_reply_adds_no_event(temporal: Client, queue: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def stream(request: ModelRequest, on_text: Callable[[str], None]) -> Reply:
        for number in range(60):
            on_text("word " * number)
            await asyncio.sleep(0.02)
        return say("word " * 60)

    async with running_worker(temporal, queue) as harness:
        chat = await harness.start()
        monkeypatch.setattr(harness.model, "reply", stream)
        before = await left(chat)
        await harness.chats.send(chat.id, "Tell me a lot")
        partial = ""
        while not partial:
            attempt = (await harness.chats.view(chat.id)).attempt
            partial = attempt.partial if attempt else ""
        await chat.settled()
        turn = (await left(chat)).since(before)
    assert turn
    assert turn.events == 10


async def test_dropped_input_costs_four_events_and_no_message(temporal: Client, queue: str) -> None:
    async with running_worker(temporal, queue) as harness:
        chat = await harness.start()
        before = await left(chat)
        await chat.signal("confirm", {"proposal_id": "old"})
        view = await chat.until(lambda view: view.dropped.count == 1)
        turn = (await left(chat)).since(before)
    assert turn
    assert turn.events <= 4
    assert view.next_seq == 3
