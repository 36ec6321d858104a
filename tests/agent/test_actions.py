"""What Temporal Cloud would bill, counted by a proxy that every call passes."""

import asyncio
from collections import Counter

from temporalio.client import Client

from agent.client import ChatClient
from agent.page.loop import BackgroundLoop
from agent.page.watcher import ChatWatcher
from agent.settings import Settings
from agent.temporal import connect
from tests.bench.proxy import RecordingProxy
from tests.workflow.harness import Chat, call, running_worker, say, wait_until


async def test_a_watched_chat_costs_nothing_while_it_waits_and_a_few_queries_a_turn(
    temporal: Client, server: str, queue: str
) -> None:
    settings = Settings(temporal_task_queue=queue)
    answers = [call("WriteNote", text="milk"), say("Kept.")]
    async with RecordingProxy(server) as proxy, running_worker(temporal, queue, answers) as harness:
        loop = BackgroundLoop()
        chat = await harness.start()

        async def connected() -> ChatClient:
            return ChatClient(await connect(settings, proxy.address), settings)

        client = await asyncio.to_thread(loop.run, connected(), 60)

        async def the_client() -> ChatClient:
            return client

        watcher = ChatWatcher(chat.id, loop, the_client)

        async def sees(status: str) -> None:
            def is_seen() -> bool:
                view = watcher.snapshot().view
                return view is not None and view.status == status

            await wait_until(is_seen)

        async def looks(more: int) -> None:
            before = proxy.calls["DescribeWorkflowExecution"]

            def has_looked() -> bool:
                watcher.snapshot()
                return proxy.calls["DescribeWorkflowExecution"] >= before + more

            await wait_until(has_looked)

        try:
            await sees("waiting")
            assert proxy.actions == Counter({"query": 1})
            await looks(3)
            assert proxy.actions == Counter({"query": 1})

            await harness.chats.send(chat.id, "Note: milk")
            await sees("deciding")
            assert 1 <= proxy.actions["query"] - 1 <= 2
            before = proxy.actions["query"]
            await Chat(harness, chat.id).confirm()
            await sees("waiting")
            assert 1 <= proxy.actions["query"] - before <= 3
            assert set(proxy.actions) == {"query"}

            await harness.chats.end(chat.id)
            await wait_until(lambda: watcher.snapshot().run_status == "completed")
            await wait_until(lambda: watcher._position is not None and watcher._position[2] == "completed")
            looked = proxy.calls.total()
            for _ in range(30):
                watcher.snapshot()
                await asyncio.sleep(0.05)
            assert proxy.calls.total() == looked
        finally:
            await asyncio.to_thread(loop.close)


async def test_what_a_worker_does_is_counted_as_temporal_counts_it(temporal: Client, server: str, queue: str) -> None:
    settings = Settings(temporal_task_queue=queue)
    async with RecordingProxy(server) as proxy:
        client = await connect(settings, proxy.address)
        async with running_worker(client, queue, [call("WriteNote", text="milk"), say("Kept.")]) as harness:
            chat = await harness.start()
            await chat.say("Note: milk")
            await chat.confirm()
            counted = Counter(proxy.actions)
            del counted["query"], counted["heartbeat"]  # of the test, which asks again and again
    assert counted == Counter({"workflow started": 1, "activity": 4, "signal": 2, "search attributes": 2})
