"""Go on from any message in another chat, import an exported one, rename, and retry at once. On a real server."""

import asyncio

import pytest
from temporalio.client import Client

from agent.client import new_chat_id
from agent.conversation import FORKED, IMPORTED
from agent.errors import ChatNotFound, MessageRefused, ModelUnavailable
from agent.export import read_json, to_json
from agent.fork import STILL_RUNNING
from agent.messages import TITLE_LIMIT, Message
from tests.workflow.harness import Chat, Harness, call, running_worker, said, say, wait_until


def _seq(messages: list[Message], kind: str, number: int = 0) -> int:
    return [message.seq for message in messages if message.kind == kind][number]


async def _fork(harness: Harness, chat: Chat, seq: int, text: str = "") -> Chat:
    chat_id = new_chat_id()
    await harness.chats.fork(chat.id, chat_id, seq=seq, text=text, message_id="1")
    return Chat(harness, chat_id)


async def test_a_fork_tells_what_was_done_and_permits_nothing_again(temporal: Client, queue: str) -> None:
    answers = [call("WriteNote", text="milk"), say("Kept."), say("Bye."), call("WriteNote", text="milk"), say("Twice.")]
    async with running_worker(temporal, queue, answers) as harness:
        chat = await harness.start()
        await chat.say("Note: milk")
        await chat.signal("add_rule", {"id": "r", "tool": "WriteNote"})
        view = await chat.confirm()
        await chat.say("Something else")
        fork = await _fork(harness, chat, _seq(view.messages, "agent", -1))
        view = await fork.settled()
        assert said(view)[-2:] == ["agent: Kept.", f"notice: {FORKED}"]
        assert [message.seq for message in view.messages] == list(range(1, len(view.messages) + 1))
        assert len(harness.ran) == 1
        assert not view.rules, "a rule was given in the other chat"
        view = await fork.say("And once more")
        sent = [str(message["content"]) for message in harness.model.requests[-1].messages]
        assert not any("Something else" in text for text in sent)
        assert sum("milk" in text for text in sent) >= 1, "the model knows what was done"
        assert view.status == "deciding", "the other chat's receipt does not count here"
        assert len(harness.ran) == 1
        await fork.confirm()
        assert len(harness.ran) == 2
        keys = [key for _, _, key in harness.ran]
        assert len(set(keys)) == 2, "another chat, another effect"


async def test_an_edited_message_is_answered_in_a_new_chat_and_the_old_one_stays(temporal: Client, queue: str) -> None:
    async with running_worker(temporal, queue, [say("A."), say("B."), say("C.")]) as harness:
        chat = await harness.start()
        await chat.say("First")
        view = await chat.say("Second")
        fork = await _fork(harness, chat, _seq(view.messages, "user", -1) - 1, "Second, but better")
        forked = await fork.until(lambda view: said(view)[-1] == "agent: C.")
        assert [line for line in said(forked) if line.startswith("user")] == ["user: First", "user: Second, but better"]
        assert said(await chat.view()) == said(view)
        again = await _fork(harness, chat, _seq(view.messages, "user", 0) - 1, "Another beginning")
        view = await again.until(lambda view: said(view)[-1].startswith("agent: You said: Another"))
        assert not any(FORKED in line for line in said(view)), "nothing was said before it"


async def test_a_fork_while_a_tool_runs_does_not_run_it_and_says_that_its_outcome_is_unknown(
    temporal: Client, queue: str
) -> None:
    async with running_worker(temporal, queue, [call("WriteNote", text="milk")]) as harness:
        chat = await harness.start()
        gate = asyncio.Event()
        harness.hooks["WriteNote"] = gate.wait
        await chat.say("Note: milk")
        await chat.signal("confirm")
        view = await chat.until(lambda view: view.status == "running")
        fork = await _fork(harness, chat, view.messages[-1].seq)
        view = await fork.settled()
        result = next(message for message in view.messages if message.kind == "result")
        assert (result.outcome, result.error) == ("unknown", STILL_RUNNING)
        gate.set()
        await chat.settled()
        later = await _fork(harness, chat, _seq(view.messages, "decision"))
        view = await later.settled()
        result = next(message for message in view.messages if message.kind == "result")
        assert result.outcome == "ok", "by now it is known, though it came after the message that was forked from"
        assert len(harness.ran) == 1


async def test_a_proposal_that_waited_is_only_told_in_a_fork(temporal: Client, queue: str) -> None:
    async with running_worker(temporal, queue, [call("WriteNote", "Let me write it.", text="milk")]) as harness:
        chat = await harness.start()
        view = await chat.say("Note: milk")
        fork = await _fork(harness, chat, view.messages[-1].seq)
        view = await fork.settled()
        assert view.waiting is None
        assert said(view)[-2] == "agent: Let me write it."
        await fork.signal("confirm")
        view = await fork.until(lambda view: view.dropped.count == 1)
        assert not harness.ran


async def test_a_fork_of_a_long_chat_has_all_of_its_runs(temporal: Client, queue: str) -> None:
    async with running_worker(temporal, queue) as harness:
        chat = await harness.start_with(history_limit=1)
        for text in ("One", "Two", "Three"):
            view = await chat.say(text)
        fork = await _fork(harness, chat, view.next_seq)
        view = await fork.settled()
        assert [line for line in said(view) if line.startswith("user")] == ["user: One", "user: Two", "user: Three"]


async def test_an_exported_chat_is_imported_to_be_read_and_forked(temporal: Client, queue: str) -> None:
    async with running_worker(temporal, queue, [say("A."), say("B."), say("C.")]) as harness:
        chat = await harness.start()
        view = await chat.say("First")
        await harness.chats.regenerate(chat.id)
        view = await chat.until(lambda view: said(view)[-1] == "agent: B.")
        transcript = read_json(to_json(await harness.chats.transcript(chat.id)).encode())
        imported = Chat(harness, new_chat_id())
        await harness.chats.import_chat(imported.id, transcript)
        await imported.handle.result()
        shown = await imported.view()
        assert said(shown) == [*said(view), f"notice: {IMPORTED}"]
        assert shown.ended == "imported"
        assert [m.replaces for m in shown.messages if m.kind == "agent"] == [0, 0, _seq(shown.messages, "agent", 1)]
        fork = await _fork(harness, imported, shown.next_seq)
        await fork.settled()
        assert said(await fork.say("Go on"))[-1] == "agent: C."
        rows = {row.chat_id: row for row in await harness.chats.chats()}
        assert rows[imported.id].title == "First"
        assert rows[fork.id].title == "First (fork)"


async def test_what_cannot_be_imported_or_forked_is_refused_before_a_chat_begins(temporal: Client, queue: str) -> None:
    async with running_worker(temporal, queue) as harness:
        chat = await harness.start()
        transcript = await harness.chats.transcript(chat.id)
        empty = transcript.model_copy(update={"messages": []})
        with pytest.raises(MessageRefused, match="holds no messages"):
            await harness.chats.import_chat(new_chat_id(), empty)
        huge = transcript.model_copy(update={"messages": transcript.messages * 20_000})
        with pytest.raises(MessageRefused, match=r"more than 1\.2 MB"):
            await harness.chats.import_chat(new_chat_id(), huge)
        odd = transcript.goal.model_copy(update={"tools": [{"name": "no tool name"}]})
        with pytest.raises(MessageRefused, match="a tool's name"):
            await harness.chats.import_chat(new_chat_id(), transcript.model_copy(update={"goal": odd}))
        with pytest.raises(ChatNotFound, match="nothing in this chat yet"):
            await _fork(harness, chat, 0)


async def test_a_chat_is_renamed_also_across_runs(temporal: Client, queue: str) -> None:
    async with running_worker(temporal, queue) as harness:
        chat = await harness.start_with(history_limit=1)
        await harness.chats.rename(chat.id, "  Groceries\nfor <b>May</b>  ")
        await chat.until(lambda view: view.title == "Groceries for <b>May</b>")
        await chat.signal("rename", {"odd": 1})
        await chat.until(lambda view: view.dropped.reason == "Ignored a title: it must be text.")
        await harness.chats.rename(chat.id, "x" * 200)
        await chat.say("Go on")
        await chat.say("And on")

        async def is_listed() -> bool:
            titles = [row.title for row in await harness.chats.chats() if row.chat_id == chat.id]
            return titles == ["x" * TITLE_LIMIT]

        await wait_until(is_listed)
        view = await chat.view()
        assert view.previous_run_id
        assert view.title == "x" * TITLE_LIMIT
        with pytest.raises(MessageRefused):
            await harness.chats.rename(chat.id, " \n")


async def test_a_step_that_waits_for_its_next_attempt_is_tried_at_once(temporal: Client, queue: str) -> None:
    async with running_worker(
        temporal, queue, [ModelUnavailable("Overloaded.", retry_after=100), say("There.")]
    ) as harness:
        chat = await harness.start()
        assert not await harness.chats.retry_now(chat.id)
        await harness.chats.send(chat.id, "Hello?")

        async def waits() -> bool:
            attempt = (await harness.chats.view(chat.id)).attempt
            return attempt is not None and attempt.next_in is not None and attempt.next_in > 50

        await wait_until(waits)
        assert await harness.chats.retry_now(chat.id)
        view = await chat.settled()
        newest = view.messages[-1]
        assert newest.kind == "agent"
        assert [(each.kind, each.reason) for each in newest.interruptions] == [("failed", "Overloaded.")]
