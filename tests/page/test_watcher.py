"""A watcher asks a worker only when something has happened: Temporal Cloud bills each question, and no look."""

import time
from collections.abc import Callable, Iterator

import pytest

from agent.client import ChatClient
from agent.errors import ServerUnavailable
from agent.goals import goal_for
from agent.messages import UserMessage
from agent.page import watcher
from agent.page.loop import BackgroundLoop
from agent.page.watcher import ChatWatcher
from tests.page.fake_client import FakeChat, FakeClient
from tools import load


class Watched:
    """A chat that was greeted, and its watcher, which looks every few milliseconds."""

    def __init__(self) -> None:
        self.client = FakeClient(counts_events=True)
        self.loop = BackgroundLoop()
        self.chat_id = self.loop.run(self.client.start(goal_for(load(), "event_flight_invoice")))
        self.watcher = ChatWatcher(self.chat_id, self.loop, self._connected)

    async def _connected(self) -> ChatClient:
        return self.client

    @property
    def chat(self) -> FakeChat:
        return self.client.chats_by_id[self.chat_id]

    @property
    def reads(self) -> int:
        return len(self.client.reads)

    def until(self, reached: Callable[[], bool], *, visible: bool = True) -> None:
        deadline = time.monotonic() + 60
        while not reached():
            assert time.monotonic() < deadline, self.watcher.state
            self.watcher.snapshot(visible=visible)
            time.sleep(0.005)

    def looks(self, more: int) -> None:
        """Wait until it has looked so many times more."""
        before = len(self.client.looks)
        self.until(lambda: len(self.client.looks) >= before + more)

    def happens(self) -> None:
        self.chat.events += 1


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    for pause in ("BUSY", "TASK_DUE", "IDLE", "LONG_IDLE", "AFTER_ERROR"):
        monkeypatch.setattr(watcher, pause, 0.005)
    found = Watched()
    yield found
    found.loop.close()


def test_an_idle_chat_is_looked_at_and_read_once(watched: Watched) -> None:
    watched.looks(20)
    assert watched.reads == 1
    assert len(watched.watcher.state.messages) == 1


def test_what_happens_is_read_once(watched: Watched) -> None:
    watched.looks(3)
    watched.chat.conversation.receive_message(UserMessage(text="Rome", id="m1"), watched.chat.tick())
    watched.happens()
    watched.until(lambda: watched.watcher.state.busy)
    watched.looks(20)
    assert watched.reads == 2
    watched.chat.agent_says("In which month?")
    watched.happens()
    watched.until(lambda: not watched.watcher.state.busy)
    watched.looks(20)
    assert watched.reads == 3


def test_an_ended_chat_is_read_once_and_then_left_alone(watched: Watched) -> None:
    watched.chat.conversation.end(watched.chat.tick())
    watched.chat.run_status = "completed"
    watched.until(lambda: watched.watcher.state.ended)
    for _ in range(50):
        watched.watcher.snapshot()
        time.sleep(0.005)
    assert (len(watched.client.looks), watched.reads) == (1, 1)
    watched.watcher.refresh()  # something was sent to it
    watched.until(lambda: len(watched.client.looks) == 2)
    assert watched.reads == 1


def test_a_worker_that_takes_up_what_happened_is_not_asked_meanwhile(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched.looks(3)
    monkeypatch.setattr(watcher, "TASK_PATIENCE", 600)
    watched.chat.task_due = True
    watched.happens()
    watched.looks(20)
    assert watched.reads == 1
    watched.chat.task_due = False
    watched.happens()
    watched.looks(20)
    assert watched.reads == 2


def test_a_worker_that_takes_long_to_take_it_up_is_asked_all_the_same(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watcher, "TASK_PATIENCE", 0.05)
    watched.chat.task_due = True
    watched.until(lambda: watched.reads == 1)


def test_a_worker_that_is_gone_is_asked_rarely_and_one_that_is_back_at_once(watched: Watched) -> None:
    watched.looks(3)
    watched.chat.worker = "missing"
    watched.until(lambda: watched.watcher.state.worker == "missing")
    watched.happens()
    watched.looks(50)
    assert watched.reads <= 3
    assert watched.watcher.state.error is None
    assert len(watched.watcher.state.messages) == 1
    watched.chat.worker = "alive"
    watched.chat.agent_says("Here I am.")
    watched.until(lambda: len(watched.watcher.state.messages) == 2)
    assert watched.watcher.state.worker == "alive"


def test_a_server_that_answers_again_is_noticed_without_a_question(watched: Watched) -> None:
    watched.looks(3)
    watched.client.trouble = ServerUnavailable("The Temporal server does not answer.")
    watched.until(lambda: watched.watcher.state.error is not None)
    watched.client.trouble = None
    watched.until(lambda: watched.watcher.state.error is None)
    assert watched.reads == 1


def test_a_run_in_the_place_of_another_is_read_anew(watched: Watched) -> None:
    watched.looks(3)
    watched.chat.run_id, watched.chat.conversation.messages = "another", []
    watched.chat.agent_says("Once more.")
    watched.until(lambda: watched.watcher.state.run_id == "another")
    assert [message.text for message in watched.watcher.state.messages] == ["Once more."]  # type: ignore[union-attr]


def test_the_next_run_of_a_chat_goes_on(watched: Watched) -> None:
    watched.looks(3)
    chat = watched.chat
    chat.conversation = chat.conversation.next_run_state("run")
    chat.run_id = "next"
    chat.agent_says("On we go.")
    watched.until(lambda: len(watched.watcher.state.messages) == 2)


def test_a_chat_that_only_hidden_tabs_show_is_looked_at_rarely(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watcher, "UNSEEN", 0.0)
    monkeypatch.setattr(watcher, "HIDDEN", 600)
    watched.chat.conversation.receive_message(UserMessage(text="Rome", id="m1"), watched.chat.tick())
    watched.until(lambda: watched.watcher.state.busy, visible=False)
    for _ in range(20):
        watched.watcher.snapshot(visible=False)
        time.sleep(0.005)
    assert len(watched.client.looks) == 1


def test_many_busy_chats_share_the_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watcher, "_busy", {})
    counts = [watcher._count_busy(f"chat-{number}", 1.0) for number in range(40)]
    assert counts[-1] / watcher.LOOKS > watcher.BUSY
    assert watcher._count_busy("chat-0", 10.0) == 1
