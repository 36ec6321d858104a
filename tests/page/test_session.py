"""What a session remembers of what was just done."""

import time

from agent.conversation import Conversation
from agent.messages import GoalSpec, UserMessage
from agent.page.session import EXPIRY, SessionState
from agent.page.sidebar import at_home
from agent.page.watcher import ChatState
from agent.wire import chat_view
from tests.page.fake_client import NOON


def listening() -> ChatState:
    return ChatState(view=chat_view(Conversation(goal=GoalSpec(name="x"))), worker="alive")


def test_sent_words_are_remembered_until_the_chat_shows_them() -> None:
    session, chat = SessionState(), Conversation(goal=GoalSpec(name="x"))
    session.message_sent("id-1", "Hello")
    session.reconcile(listening())
    assert [text for _, text, _ in session.sent] == ["Hello"]
    chat.receive_message(UserMessage(text="Hello", id="id-1"), NOON)
    session.reconcile(ChatState(view=chat_view(chat)))
    assert session.sent == []


def test_what_a_listening_chat_never_took_up_is_forgotten_and_its_card_works_again() -> None:
    session = SessionState()
    session.sent, session.decided = (
        [("id-1", "Hello", time.monotonic() - EXPIRY - 1)],
        {"": time.monotonic() - EXPIRY - 1},
    )
    session.reconcile(listening())
    assert (session.sent, session.decided) == ([], {})


def test_words_sent_while_no_worker_runs_are_not_forgotten() -> None:
    session = SessionState(sent=[("id-1", "Hello", time.monotonic() - EXPIRY - 1)])
    session.reconcile(ChatState(view=listening().view, worker="missing"))
    assert len(session.sent) == 1


def test_same_text_after_a_failure_has_the_same_id_and_another_text_another() -> None:
    session = SessionState()
    first = session.message_id("Hello")
    assert session.message_id("Hello") == first
    assert session.message_id("Bye") != first
    assert len(first) == 32


def test_only_a_reader_on_the_same_machine_gets_the_list_of_all_chats() -> None:
    assert at_home(None, {"Host": "localhost:8501"})
    assert at_home(None, {"Host": "[::1]:8501"})
    assert not at_home("10.0.0.7", {"Host": "localhost:8501"})
    assert not at_home(None, {"Host": "chat.example.com"})
    assert not at_home(None, {"Host": "localhost:8501", "X-Forwarded-For": "10.0.0.7"})
    assert not at_home(None, {})
