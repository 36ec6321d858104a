"""What becomes of a tool of each effect when its worker is killed between the effect and the answer.

One worker process serves five chats, is killed with SIGKILL while all five wait for it, and another takes over.
"""

import asyncio
import secrets
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from temporalio.client import Client

from agent.client import Attempt, ChatClient, _attempt
from agent.messages import EPOCH
from agent.settings import Settings
from tests.workflow.harness import GOAL, CannedModel, Chat, Harness, line, said, wait_until


@dataclass
class Aftermath:
    """The chats after the crash, by what they were doing, the directory of effects, and what a page said meanwhile."""

    chats: dict[str, Chat]
    directory: Path
    seen: Attempt
    workers: tuple[int, int]

    def effects(self, name: str) -> int:
        return len(list(self.directory.glob(f"{name}-*")))


def start_worker(server: str, queue: str, directory: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "tests.workflow.worker_process", server, queue, str(directory)])


@pytest.fixture(scope="module")
async def aftermath(
    temporal: Client, server: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Aftermath]:
    directory = tmp_path_factory.mktemp("effects")
    queue = f"queue-{secrets.token_hex(4)}"
    settings = Settings(temporal_task_queue=queue)
    harness = Harness(ChatClient(temporal, settings), temporal, CannedModel(), queue, [], {})
    first = start_worker(server, queue, directory)
    second = None
    try:
        asked = {"read": "ReadNote", "idempotent": "WriteNote", "again": "PostNote", "done": "PostNote"}
        chats = {name: Chat(harness, await harness.chats.start(GOAL)) for name in [*asked, "thinking"]}
        for chat in chats.values():
            await chat.settled()
        (directory / "hold").touch()
        for name, tool in asked.items():
            await chats[name].say(tool)
            await chats[name].signal("confirm")
        await harness.chats.send(chats["thinking"].id, "Think")
        await wait_until(lambda: len(list(directory.glob("*Note-*"))) == 4 and (directory / "thinking").exists())
        for chat in chats.values():
            await wait_until(chat_beats(chat))
        first.kill()
        first.wait()
        (directory / "hold").unlink()
        seen = await _error_seen(chats["idempotent"])
        second = start_worker(server, queue, directory)
        yield Aftermath(chats, directory, seen, (first.pid, second.pid))
    finally:
        for process in (first, second):
            if process:
                process.kill()
                process.wait()


def chat_beats(chat: Chat) -> Callable[[], Awaitable[bool]]:
    """Whether the server has a heartbeat of what the chat waits for."""

    async def has_beaten() -> bool:
        described = await chat.handle.describe()
        return any(one.HasField("heartbeat_details") for one in described.raw_description.pending_activities)

    return has_beaten


async def _error_seen(chat: Chat) -> Attempt:
    found: list[Attempt] = []

    async def is_seen() -> bool:
        attempt = await _attempt(await chat.handle.describe())  # a view would ask the worker first, and there is none
        if attempt is not None and attempt.error:
            found.append(attempt)
        return bool(found)

    await wait_until(is_seen)
    return found[0]


async def test_a_page_says_that_a_process_died_where_one_did(aftermath: Aftermath) -> None:
    assert (aftermath.seen.name, aftermath.seen.error) == (
        "WriteNote",
        "The process that ran it died, or lost its connection.",
    )


async def test_a_tool_that_reads_is_run_again_by_itself(aftermath: Aftermath) -> None:
    view = await aftermath.chats["read"].settled()
    assert said(view)[-2:] == ["ok: ReadNote done", "agent: Reported: ReadNote done"]
    assert aftermath.effects("ReadNote") == 2


async def test_an_idempotent_tool_is_run_again_with_the_same_key(aftermath: Aftermath) -> None:
    view = await aftermath.chats["idempotent"].settled()
    assert said(view)[-2:] == ["ok: WriteNote done", "agent: Reported: WriteNote done"]
    assert aftermath.effects("WriteNote") == 1, "its service saw one key only"


async def test_a_once_tool_is_not_run_again_and_the_person_is_asked(aftermath: Aftermath) -> None:
    for name in ("again", "done"):
        view = await aftermath.chats[name].settled()
        assert view.waiting
        assert view.waiting.kind == "lost_result"
        assert view.waiting.text.endswith("It may or may not have taken effect. Try again, or treat it as done?")
        assert said(view)[-2] == "unknown: The process that ran it died, or lost its connection."
    await asyncio.sleep(1)
    assert aftermath.effects("PostNote") == 2, "one in each of the two chats"


async def test_a_once_tool_treated_as_done_is_told_to_the_model_and_not_run(aftermath: Aftermath) -> None:
    chat = aftermath.chats["done"]
    waiting = (await chat.settled()).waiting
    assert waiting
    await chat.harness.chats.decline(chat.id, waiting.id)
    view = await chat.until(lambda view: view.status == "waiting")
    assert said(view)[-1] == "agent: ### The person wants PostNote treated as done."
    assert aftermath.effects("PostNote") == 2


async def test_a_once_tool_tried_again_runs_under_a_new_receipt(aftermath: Aftermath) -> None:
    chat = aftermath.chats["again"]
    view = await chat.confirm()
    assert said(view)[-3:] == ["confirmed: {'text': 'a'}", "ok: PostNote done", "agent: Reported: PostNote done"]
    assert aftermath.effects("PostNote") == 3


async def test_a_model_call_under_way_is_made_again(aftermath: Aftermath) -> None:
    view = await aftermath.chats["thinking"].settled()
    assert said(view)[-2:] == ["user: Think", "agent: Thought."]


async def test_every_message_is_there_once(aftermath: Aftermath) -> None:
    for chat in aftermath.chats.values():
        messages = await chat.everything()
        assert [message.seq for message in messages] == list(range(1, len(messages) + 1)), map(line, messages)


async def test_what_happened_names_the_worker_that_died_and_the_one_that_took_over(aftermath: Aftermath) -> None:
    dead, heir = aftermath.workers
    for name in ("read", "idempotent", "thinking"):
        messages = (await aftermath.chats[name].settled()).messages
        (one,) = [each for message in messages for each in message.interruptions]
        pids = one.worker.partition("@")[0], one.next_worker.partition("@")[0]
        assert (one.kind, *pids) == ("died", str(dead), str(heir)), name
        assert one.at < one.resumed, name


async def test_what_nobody_took_over_is_told_with_the_unknown_outcome(aftermath: Aftermath) -> None:
    messages = await aftermath.chats["done"].everything()
    (one,) = [each for message in messages for each in message.interruptions]
    assert (one.kind, one.worker.partition("@")[0], one.resumed) == ("died", str(aftermath.workers[0]), EPOCH)
