"""The budgets of a day, and the messages of a minute, over restarts and for several workers and pages."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.client import Client

from agent.client import ChatClient
from agent.errors import TooManyMessages
from agent.ledger import Ledger
from agent.messages import ModelUse
from agent.settings import Settings
from agent.spending import LedgerState, SpendingLedger, Spendings, Spent
from agent.visitor import OWNER, of_browser
from tests.workflow.harness import GOAL, USE, Chat, running_worker, said, wait_until

ANN, BOB = of_browser("ann"), of_browser("bob")
TOKENS = (USE.prompt_tokens or 0) + (USE.completion_tokens or 0)


def budget(queue: str, **settings: Any) -> Settings:
    return Settings(temporal_task_queue=queue, **settings)


async def _begin(chats: ChatClient, harness: Any, text: str = "Good day") -> Chat:
    chat = Chat(harness, await chats.start(GOAL))
    await chat.settled()
    await chat.harness.chats.send(chat.id, text)
    await chat.until(lambda view: text in str(said(view)))
    await chat.settled()
    return chat


async def test_a_visitors_spent_budget_is_told_with_when_it_opens_and_other_visitors_go_on(
    temporal: Client, queue: str
) -> None:
    settings = budget(queue, visitor_budget_tokens=2 * TOKENS)
    async with running_worker(temporal, queue, settings=settings) as harness:
        chat = await _begin(harness.chats.of(ANN), harness)  # the greeting, and an answer
        view = await chat.say("And now?")
        tomorrow = datetime.now(UTC) + timedelta(days=1)
        assert said(view)[-1] == (
            f"notice: Your budget for today is spent. It opens again on {tomorrow:%d %B} at 00:00 UTC. "
            "What you wrote is kept."
        )
        again = await _begin(harness.chats.of(ANN), harness)
        assert "Your budget for today is spent." in said(await again.view())[-1], "a new chat is no way round"
        await harness.chats.of(ANN).delete(chat.id)
        assert "Your budget for today is spent." in said(await again.say("Now?"))[-1], "nor is a deleted one"
        bobs = await _begin(harness.chats.of(BOB), harness)
        assert said(await bobs.view())[-1] == "agent: You said: Good day"
        owners = await _begin(harness.chats.of(OWNER), harness)
        assert said(await owners.say("More"))[-1] == "agent: You said: More"


async def test_the_budget_of_all_is_counted_in_dollars_and_over_a_restart(temporal: Client, queue: str) -> None:
    settings = budget(queue, daily_budget_usd="0.002")
    async with running_worker(temporal, queue, settings=settings) as harness:
        await _begin(harness.chats.of(ANN), harness)
    async with running_worker(temporal, queue, settings=settings) as harness:
        chat = Chat(harness, await harness.chats.of(BOB).start(GOAL))
        view = await chat.settled()
        assert said(view)[-1].startswith("notice: Today's budget of this page is spent. It opens again on ")
        assert harness.model.requests == []


async def test_messages_of_a_minute_are_limited_for_all_pages_together(temporal: Client, queue: str) -> None:
    settings = budget(queue, messages_per_minute=2)
    async with running_worker(temporal, queue, settings=settings) as harness:
        pages = [ChatClient(temporal, settings).of(ANN) for _ in range(2)]
        chat = Chat(harness, await pages[0].start(GOAL))
        for page in pages:
            await page.send(chat.id, "Good day")
        for page in pages:
            with pytest.raises(TooManyMessages, match=r"You can send 2 messages a minute. The next one .* in \d+ s."):
                await page.send(chat.id, "One more")
        await harness.chats.send(chat.id, "The owner may")
        await ChatClient(temporal, settings).of(BOB).start(GOAL)


async def test_without_a_worker_messages_are_taken_all_the_same(temporal: Client, queue: str) -> None:
    client = ChatClient(temporal, budget(queue, messages_per_minute=1)).of(ANN)
    chat_id = await client.start(GOAL)
    for number in range(2):
        await client.send(chat_id, f"Message {number}")


async def test_without_a_budget_nothing_is_counted(temporal: Client, queue: str) -> None:
    async with running_worker(temporal, queue) as harness:
        await _begin(harness.chats.of(ANN), harness)
        found = [run.id async for run in temporal.list_workflows("WorkflowType = 'SpendingLedger'") if queue in run.id]
        assert found == []


async def test_what_was_spent_is_summed_and_what_makes_no_sense_is_ignored(temporal: Client, queue: str) -> None:
    settings = budget(queue, daily_budget_usd="5")
    async with running_worker(temporal, queue, settings=settings) as harness:
        chat = Chat(harness, await harness.chats.of(ANN).start(GOAL))
        await chat.settled()
        ledger = Ledger(temporal, settings)
        await ledger.spend(chat.id, [ModelUse(model="x", prompt_tokens=5, cost_usd=None), USE])
        handle = temporal.get_workflow_handle(f"spending-{queue}-{datetime.now(UTC):%Y-%m-%d}")
        for strange in ([], ["x", -5, "0"], ["x", 5, "-1"], ["x", 5, "much"], ["x", 5, "NaN"]):
            await handle.signal("spend", args=strange)

        async def is_summed() -> bool:
            found = await handle.query("spent", ANN.id, result_type=Spendings)
            expected = Spent(tokens=2 * TOKENS + 5, usd="0.002")
            return bool(found == Spendings(total=expected, visitor=expected))

        await wait_until(is_summed)


async def test_a_ledger_ends_when_its_day_is_over(temporal: Client, queue: str) -> None:
    async with running_worker(temporal, queue):
        soon = LedgerState(closes=datetime.now(UTC) + timedelta(seconds=0.2))
        await temporal.execute_workflow(SpendingLedger.run, soon, id=f"ledger-{queue}", task_queue=queue)
