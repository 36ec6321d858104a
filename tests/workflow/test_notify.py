"""Somebody is told of a proposal that waits, once, with a link that decides it."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client

from agent import links
from agent.page.access import TOKEN_FILE
from agent.settings import OWNER_TOKEN, Settings
from tests.workflow.harness import GOAL, Chat, call, running_worker, said, say, wait_until

KEY = "a secret of the tests"


@pytest.fixture
def told() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A channel, as Apprise names it, and what was sent to it."""
    sent: list[dict[str, Any]] = []

    class Channel(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Channel) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"json://127.0.0.1:{server.server_port}", sent
        server.shutdown()


def _settings(queue: str, channel: str, **more: Any) -> Settings:
    return Settings(
        temporal_task_queue=queue,
        notify_urls=(channel,),
        page_url="https://chat.example",
        page_secret=KEY,
        **({"notify_after": 1} | more),
    )


async def test_a_proposal_that_waits_is_told_of_once_with_a_link_that_decides_it(
    temporal: Client, queue: str, told: tuple[str, list[dict[str, Any]]]
) -> None:
    channel, sent = told
    answers = [call("WriteNote", text="a secret note"), say("Kept.")]
    async with running_worker(temporal, queue, answers, _settings(queue, channel)) as harness:
        chat = Chat(harness, await harness.chats.start(GOAL))
        await chat.settled()
        view = await chat.say("Note it")
        await wait_until(lambda: bool(sent))
        assert "Write note waits for a decision, in the chat “Keep notes”." in sent[0]["message"]
        assert "secret note" not in sent[0]["message"]
        token = sent[0]["message"].partition("https://chat.example/decide/")[2].strip()
        claim = links.read_token(KEY, token, datetime.now(UTC))
        assert claim is not None
        assert (claim.chat_id, claim.kind) == (chat.id, "decide")
        await harness.chats.decide_by_link(chat.id, claim.link_id, accepts=True, who="Bob (by a link)")
        await chat.until(lambda later: later.waiting is None and len(later.messages) > len(view.messages))
        assert said(await chat.settled())[-1] == "agent: Kept."
        assert len(sent) == 1


async def test_a_proposal_that_is_decided_in_time_is_not_told_of(
    temporal: Client, queue: str, told: tuple[str, list[dict[str, Any]]]
) -> None:
    channel, sent = told
    answers = [call("WriteNote", text="milk"), say("Kept.")]
    async with running_worker(temporal, queue, answers, _settings(queue, channel, notify_after=600)) as harness:
        chat = Chat(harness, await harness.chats.start(GOAL))
        await chat.settled()
        await chat.say("Note: milk")
        await chat.confirm()
        events = (await chat.handle.fetch_history()).events
        timers = [event for event in events if event.event_type == EventType.EVENT_TYPE_TIMER_CANCELED]
        assert len(timers) == 1
        assert sent == []


async def test_a_channel_that_does_not_answer_holds_nothing_up(temporal: Client, queue: str) -> None:
    answers = [call("WriteNote", text="milk"), say("Kept.")]
    async with running_worker(temporal, queue, answers, _settings(queue, "json://127.0.0.1:1")) as harness:
        chat = Chat(harness, await harness.chats.start(GOAL))
        await chat.settled()
        await chat.say("Note: milk")
        await chat.until(lambda view: bool(view.links))
        assert said(await chat.confirm())[-1] == "agent: Kept."


def test_without_a_secret_links_are_signed_by_the_token_of_a_page_on_this_machine(tmp_path: Path) -> None:
    assert TOKEN_FILE == OWNER_TOKEN
    settings = Settings(steadfast_home=str(tmp_path))
    assert settings.signing_key == ""
    (tmp_path / OWNER_TOKEN).write_text("a token\n")
    assert settings.signing_key == "a token"
    assert Settings(steadfast_home=str(tmp_path), page_secret=KEY).signing_key == KEY


def test_a_link_of_a_notification_is_in_force_for_a_week() -> None:
    from agent.conversation import Conversation
    from agent.messages import GoalSpec, Plan, Proposal

    now = datetime(2030, 1, 1, tzinfo=UTC)
    chat = Conversation(goal=GoalSpec(name="x"), key="k", notify_after=60)
    chat.begin_plan(now)
    chat.finish_plan(Plan(proposals=[Proposal(tool="Pay")]), now)
    assert chat.notify_in(now) == timedelta(seconds=60)
    assert chat.notify_in(now + timedelta(hours=1)) == timedelta()
    told = chat.notified("l1", now)
    assert told is not None
    assert told.link.expires == now + timedelta(days=7)
    assert chat.notify_in(now) is None
    chat.decline(now)
    assert chat.notified("l2", now) is None
