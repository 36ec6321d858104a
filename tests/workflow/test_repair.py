"""A chat whose history no worker can replay, and the way back."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner

from agent import logs
from agent.errors import ChatWedged
from agent.eviction import EvictingRunner
from agent.repair import repair
from agent.workflow import AgentGoalWorkflow
from tests.workflow.harness import Answer, Chat, Harness, call, running_worker, said, say, wait_until
from tests.workflow.test_eviction import read_ahead, replay, working

ROOT = Path(__file__).resolve().parents[2]
REPAIRED = (
    "notice: This chat could not go on, so it was repaired. What you wrote last is answered again; no tool runs twice."
)

Step = Callable[..., Awaitable[None]]
Play = Callable[[Harness, Chat], Awaitable[None]]


async def wedge(
    temporal: Client, queue: str, broken: str, answers: Sequence[Answer], before: Play, after: Play
) -> tuple[Chat, Harness]:
    """A chat that is played by us, and from some moment on by a version of us that no other replays.

    broken: the step of the workflow which that version begins with a timer.
    """
    step = getattr(AgentGoalWorkflow, broken)

    async def late(*arguments: Any) -> None:
        await asyncio.sleep(0.01)
        await step(*arguments)

    async with running_worker(temporal, queue, answers, runner=UnsandboxedWorkflowRunner()) as harness:
        chat = await harness.start()
        await before(harness, chat)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(AgentGoalWorkflow, broken, late)
            await after(harness, chat)
    return chat, harness


async def nothing(harness: Harness, chat: Chat) -> None:
    pass


async def greet(harness: Harness, chat: Chat) -> None:
    await chat.say("Good day")


async def propose(harness: Harness, chat: Chat) -> None:
    assert (await chat.say("Post: a")).waiting


async def confirm(harness: Harness, chat: Chat) -> None:
    await chat.confirm()


async def propose_and_confirm(harness: Harness, chat: Chat) -> None:
    await propose(harness, chat)
    await confirm(harness, chat)


async def confirm_and_never_hear_of_it(harness: Harness, chat: Chat) -> None:
    harness.hooks["PostNote"] = harness.hooks["WriteNote"] = asyncio.Event().wait
    await chat.signal("confirm")
    await wait_until(lambda: bool(harness.ran))


async def test_a_wedged_chat_says_so(temporal: Client, queue: str) -> None:
    chat, harness = await wedge(temporal, queue, "_plan", [], nothing, greet)
    async with running_worker(temporal, queue):
        with pytest.raises(ChatWedged, match="Repair it"):  # its query says so while nothing is due
            await harness.chats.view(chat.id)
        await harness.chats.send(chat.id, "Still there?")

        async def wedged_by_its_task() -> bool:
            return isinstance(await harness.chats._why_stuck(await chat.handle.describe()), ChatWedged)

        await wait_until(wedged_by_its_task)
        assert await harness.chats.repair(chat.id)
        view = await chat.settled()
        assert await harness.chats.repair(chat.id) is False

        async def listed() -> list[str]:
            return [row.status for row in await harness.chats.chats(1000) if row.chat_id == chat.id]

        async def listed_once() -> bool:
            return await listed() == ["running"]

        await wait_until(listed_once)
    assert [text for text in said(view) if text.startswith("user")] == ["user: Good day", "user: Still there?"]


async def test_a_wedged_chat_is_counted_and_logged_until_it_is_repaired(
    temporal: Client, queue: str, caplog: pytest.LogCaptureFixture
) -> None:
    chat, harness = await wedge(temporal, queue, "_plan", [], nothing, greet)
    await harness.chats.send(chat.id, "Still there?")
    runner = EvictingRunner()
    async with working(temporal, queue, runner):

        async def counted() -> bool:
            return await runner.count_unreplayable() == 1

        await wait_until(counted)
        assert [(record.levelname, logs.chat_of(record)) for record in caplog.records][-1:] == [("ERROR", chat.id)]
        await harness.chats.repair(chat.id)
        await chat.settled()
        assert await runner.count_unreplayable() == 0


async def test_a_repaired_chat_answers_what_was_written_and_replays(temporal: Client, queue: str) -> None:
    chat = await read_ahead(temporal, queue, UnsandboxedWorkflowRunner())
    done = await repair(temporal, chat.id)
    while done is None:  # whether the query or the task comes first is chance
        chat = await read_ahead(temporal, queue, UnsandboxedWorkflowRunner())
        done = await repair(temporal, chat.id)
    async with running_worker(temporal, queue) as harness:
        chat = Chat(harness, chat.id)
        view = await chat.settled()
        assert said(view)[2:5] == [REPAIRED, "user: one", "user: two"]
        assert said(view)[5].startswith("agent:")
        assert said(await chat.say("three"))[6] == "user: three"
    await replay(chat)
    assert await repair(temporal, chat.id) is None


async def test_what_a_tool_did_is_told_to_the_repaired_chat(temporal: Client, queue: str) -> None:
    answers = [call("PostNote", text="a"), say("Posted.")]
    chat, before = await wedge(temporal, queue, "_plan", answers, nothing, propose_and_confirm)
    assert await repair(temporal, chat.id)
    async with running_worker(temporal, queue) as after:
        after.model.answers = [call("PostNote", text="b"), say("Posted, too.")]
        chat = Chat(after, chat.id)
        view = await chat.settled()
        assert said(view)[2:] == [
            REPAIRED,
            "proposal: PostNote {'text': 'a'}",
            "confirmed: {'text': 'a'}",
            "ok: PostNote of a",
            "user: Post: a",
            "proposal: PostNote {'text': 'b'}",
        ]
        ids = [message.proposal.id for message in view.messages if message.kind == "proposal"]
        await chat.confirm()
        await replay(chat)
    assert len(set(ids)) == 2, "an id is never used again"
    assert [text for _, text, _ in before.ran + after.ran] == ["a", "b"]


@pytest.mark.parametrize("tool", ["PostNote", "WriteNote"])
async def test_a_receipt_that_was_used_is_not_used_again(temporal: Client, queue: str, tool: str) -> None:
    """The card waits where the run is reset to, and its confirmation is applied again."""
    answers = [call(tool, text="a"), say("Done.")]
    chat, before = await wedge(temporal, queue, "_run_tool", answers, propose, confirm)
    assert await repair(temporal, chat.id)
    async with running_worker(temporal, queue) as after:
        after.model.answers = [say("It is done.")]
        chat = Chat(after, chat.id)
        view = await chat.settled()
        await replay(chat)
    assert said(view)[4:] == ["confirmed: {'text': 'a'}", REPAIRED, f"ok: {tool} of a", "agent: It is done."]
    assert len(before.ran) == 1
    assert after.ran == []


async def test_a_tool_that_failed_is_told_as_failed(temporal: Client, queue: str) -> None:
    answers = [call("PostNote", text="fail"), say("It failed.")]
    chat, _ = await wedge(temporal, queue, "_run_tool", answers, propose, confirm)
    assert await repair(temporal, chat.id)
    async with running_worker(temporal, queue) as after:
        chat = Chat(after, chat.id)
        view = await chat.settled()
    assert "failed: The note could not be kept: the notebook is full." in said(view)
    assert after.ran == []


@pytest.mark.parametrize("tool", ["PostNote", "WriteNote"])
async def test_a_tool_of_unknown_outcome_is_asked_about(temporal: Client, queue: str, tool: str) -> None:
    answers = [call(tool, text="a")]
    chat, before = await wedge(temporal, queue, "_run_tool", answers, propose, confirm_and_never_hear_of_it)
    assert await repair(temporal, chat.id)
    async with running_worker(temporal, queue) as after:
        chat = Chat(after, chat.id)
        view = await chat.settled()
        assert view.waiting
        assert view.waiting.kind == "lost_result"
        assert after.ran == []
        await chat.confirm()
        await replay(chat)
    same_effect = tool == "WriteNote"  # the service of an idempotent tool is told that it is the same
    assert (before.ran[0][2] == after.ran[0][2]) == same_effect


async def test_a_tool_under_way_at_the_last_good_task_does_not_run_again(temporal: Client, queue: str) -> None:
    """A reset would start it again, so the run goes on from before it."""
    release = asyncio.Event()

    async def hold() -> None:
        await release.wait()

    async def begin(harness: Harness, chat: Chat) -> None:
        await propose(harness, chat)
        harness.hooks["PostNote"] = hold
        await chat.signal("confirm")
        await wait_until(lambda: bool(harness.ran))

    async def finish(harness: Harness, chat: Chat) -> None:
        release.set()
        await chat.settled()

    answers = [call("PostNote", text="a"), say("Posted.")]
    chat, before = await wedge(temporal, queue, "_plan", answers, begin, finish)
    assert await repair(temporal, chat.id)
    async with running_worker(temporal, queue) as after:
        after.model.answers = [say("It is posted.")]
        chat = Chat(after, chat.id)
        view = await chat.settled()
        await replay(chat)
    assert said(view)[-3:] == [REPAIRED, "ok: PostNote of a", "agent: It is posted."]
    assert len(before.ran) == 1
    assert after.ran == []


async def test_the_command_repairs_and_tells(temporal: Client, server: str, queue: str, tmp_path: Path) -> None:
    wedged, _ = await wedge(temporal, queue, "_plan", [], nothing, greet)
    async with running_worker(temporal, queue) as harness:
        sound = await harness.start()
        environment = os.environ | {"TEMPORAL_ADDRESS": server, "STEADFAST_HOME": str(tmp_path)}
        command = [sys.executable, "-m", "agent.repair", wedged.id, sound.id, "no-such-chat"]
        done = await asyncio.to_thread(
            subprocess.run, command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
        view = await Chat(harness, wedged.id).settled()
    told = [line for line in done.stdout.splitlines() if line.startswith((wedged.id, sound.id, "no-such-chat"))]
    assert told[0].startswith(f"{wedged.id}: repaired: it goes on from event "), done.stdout + done.stderr
    assert told[1] == f"{sound.id}: nothing to repair: its history replays."
    assert told[2].startswith("no-such-chat: ")
    assert done.returncode == 1
    assert said(view)[-1].startswith("agent:")
