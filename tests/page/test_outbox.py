"""The outbox of one chat: what is sent when, and what becomes of it."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from agent.conversation import Conversation
from agent.errors import ChatClosed, ChatError, ServerUnavailable
from agent.messages import GoalSpec, UserMessage
from agent.page import outbox as module
from agent.page.loop import BackgroundLoop
from agent.page.outbox import Outbox, OutgoingMessage
from agent.page.watcher import ChatState
from agent.wire import chat_view
from tests.page.fake_client import NOON


class Line:
    """A client whose server can be away (`trouble`) or frozen (`open` is not set)."""

    def __init__(self) -> None:
        self.received: list[tuple[str, str]] = []
        self.trouble: ChatError | Exception | None = None
        self.open = threading.Event()
        self.open.set()

    async def send(self, chat_id: str, text: str, message_id: str, **_: Any) -> None:
        while not self.open.is_set():
            await asyncio.sleep(0.01)
        if self.trouble:
            raise self.trouble
        self.received.append((message_id, text))

    async def confirm(self, chat_id: str, proposal_id: str) -> None:
        self.received.append((proposal_id, "confirm"))


@pytest.fixture
def line() -> Line:
    return Line()


@pytest.fixture
def outbox(line: Line) -> Iterator[Outbox]:
    loop = BackgroundLoop()

    async def client() -> Any:
        return line

    async def begin(client: Any, message: OutgoingMessage) -> None:
        await client.send(f"new {message.goal}", message.text, message.id)

    yield Outbox("chat-1", loop, client, lambda: None, begin)
    loop.close()


def until(what: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 30
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def message(number: int, **more: Any) -> OutgoingMessage:
    return OutgoingMessage(f"id-{number}", f"message {number}", **more)


def listening(*shown: str) -> ChatState:
    """The state of a chat that waits for the person, and shows these messages."""
    chat = Conversation(goal=GoalSpec(name="x"))
    for number, message_id in enumerate(shown):
        chat.receive_message(UserMessage(text=str(number), id=message_id), NOON)
    return ChatState(view=chat_view(chat).model_copy(update={"status": "waiting"}), worker="alive")


def test_messages_are_sent_in_order_while_submitting_never_waits(outbox: Outbox, line: Line) -> None:
    line.open.clear()
    started = time.monotonic()
    for number in range(20):
        outbox.submit([message(number)])
    assert time.monotonic() - started < 5
    until(lambda: len(outbox.messages) == 20)
    assert line.received == []
    line.open.set()
    until(lambda: len(line.received) == 20)
    assert [text for _, text in line.received] == [f"message {number}" for number in range(20)]


def test_message_handed_over_many_times_is_sent_once(outbox: Outbox, line: Line) -> None:
    for _ in range(5):
        outbox.submit([message(1), message(2)])
    until(lambda: outbox.delivered(["id-1", "id-2"]) == ["id-1", "id-2"])
    outbox.reconcile(listening("id-1", "id-2"))
    until(lambda: not outbox.messages)
    outbox.submit([message(2), message(1)])
    outbox.submit([message(3)])
    until(lambda: len(line.received) >= 3)
    assert [key for key, _ in line.received] == ["id-1", "id-2", "id-3"]


@pytest.mark.parametrize("trouble", [ServerUnavailable("Away."), ZeroDivisionError("secret")])
def test_trouble_is_waited_out_and_its_note_goes_with_it(outbox: Outbox, line: Line, trouble: Exception) -> None:
    line.trouble = trouble
    outbox.submit([message(1), message(2)])
    until(lambda: outbox.messages and outbox.messages[0].note)
    assert "secret" not in outbox.messages[0].note
    assert [sent.state for sent in outbox.messages] == ["waiting", "waiting"]
    line.trouble = None
    until(lambda: len(line.received) == 2)
    until(lambda: [(sent.state, sent.note) for sent in outbox.messages] == [("sent", ""), ("sent", "")])


def test_message_refused_for_good_does_not_hold_up_the_next(outbox: Outbox, line: Line) -> None:
    line.trouble = ChatClosed("This chat has ended.")
    outbox.submit([message(1)])
    until(lambda: outbox.messages and outbox.messages[0].state == "failed")
    line.trouble = None
    outbox.submit([message(2)])
    until(lambda: line.received == [("id-2", "message 2")])
    assert outbox.delivered(["id-1"]) == []
    outbox.discard(["id-1"])
    until(lambda: [sent.id for sent in outbox.messages] == ["id-2"])


def test_sent_message_is_pending_until_the_chat_shows_it(outbox: Outbox) -> None:
    outbox.submit([message(1)])
    until(lambda: outbox.messages and outbox.messages[0].state == "sent")
    assert [pending.id for pending in outbox.reconcile(listening())] == ["id-1"]
    assert outbox.reconcile(listening("id-1")) == ()


def test_message_that_an_idle_chat_ignores_is_given_back(outbox: Outbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "EXPIRY", 0.2)
    outbox.submit([message(1)])
    until(lambda: outbox.messages and outbox.messages[0].state == "sent")
    until(lambda: outbox.reconcile(listening())[0].state == "failed")
    assert outbox.messages[0].text == "message 1"


def test_message_is_not_given_up_while_no_worker_runs(outbox: Outbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "EXPIRY", 0.05)
    outbox.submit([message(1)])
    until(lambda: outbox.messages and outbox.messages[0].state == "sent")
    away = replace(listening(), worker="missing")
    for _ in range(10):
        time.sleep(0.02)
        assert outbox.reconcile(away)[0].state == "sent"


def test_plain_yes_decides_its_card_and_is_done_when_the_card_is_gone(outbox: Outbox, line: Line) -> None:
    outbox.submit([OutgoingMessage("id-1", "Yes", proposals=("p1",))])
    until(lambda: line.received == [("p1", "confirm")])
    until(lambda: outbox.reconcile(listening()) == ())
