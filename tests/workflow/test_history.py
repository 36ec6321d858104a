"""Facts read from the history of a real server: at once, piece by piece, and over several runs."""

from temporalio.client import Client

from agent.page.histories import Histories
from tests.workflow.harness import call, running_worker, say


async def test_a_history_read_on_from_where_it_ended_is_the_whole_history(temporal: Client, queue: str) -> None:
    async with running_worker(temporal, queue, [call("WriteNote", text="milk"), say("Written.")]) as harness:
        chat = await harness.start()
        before = await harness.chats.history(chat.id)
        await chat.say("Note: milk")
        await chat.confirm()
        await harness.chats.end(chat.id)
        await chat.handle.result()
        whole = await harness.chats.history(chat.id)
        assert len(before.facts) < len(whole.facts)
        assert await harness.chats.history(chat.id, known=before) == whole
        assert await harness.chats.history(chat.id, known=whole) == whole
        assert whole.closed
        assert "milk" not in repr(whole), "neither words nor arguments are kept"


async def test_a_chat_of_several_runs_is_counted_as_one(temporal: Client, queue: str) -> None:
    async with running_worker(temporal, queue) as harness:
        chat = await harness.start_with(history_limit=1)
        for number in range(3):
            await chat.say(f"Message {number}", message_id=f"m{number}")
        histories = Histories()
        score = await histories.score(harness.chats, chat.id)
        assert (score.chats, len(score.sent), len(score.taken_up), score.doubled) == (1, 3, 3, 0)
        assert len(await histories.of_chat(harness.chats, chat.id)) >= 3
