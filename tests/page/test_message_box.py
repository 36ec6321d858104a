"""What the script makes of what the browser's side of the message box hands over. The browser: tests/e2e."""

from typing import Any

import pytest

from agent.errors import ServerUnavailable
from tests.page.conftest import Page

AWAY = ServerUnavailable("The Temporal server does not answer.")


@pytest.mark.parametrize("text", ["   ", "x" * 8001])
def test_refused_message_is_shown_as_failed_with_its_text_and_the_reason(greeted: Page, text: str) -> None:
    (failed,) = greeted.say(text).pending
    assert (failed["state"], failed["text"]) == ("failed", text)
    assert "message" in failed["note"]
    assert greeted.box["delivered"] == []


def test_message_to_an_ended_chat_is_shown_as_failed_and_a_new_chat_offered(greeted: Page) -> None:
    greeted.chat.run_status = "completed"
    (failed,) = greeted.say("Hello?").pending
    assert "This chat has ended" in failed["note"]
    greeted.until(lambda: greeted.has("again") and greeted.box["disabled"])


def test_message_waits_while_the_server_is_away_and_goes_by_itself_when_it_is_back(greeted: Page) -> None:
    greeted.client.trouble = AWAY
    (waiting,) = greeted.say("Austin in May").pending
    assert (waiting["state"], waiting["note"]) == ("waiting", str(AWAY))
    assert greeted.box["delivered"] == []
    greeted.client.trouble = None
    greeted.until(lambda: "Austin in May" in [text.value for text in greeted.app.text])
    assert greeted.pending == []
    assert greeted.box["delivered"] == [greeted.unsent[0]["id"]]
    assert len({call[2] for call in greeted.calls("send")}) == 1


def test_messages_handed_over_again_by_another_tab_or_a_reload_count_once(greeted: Page) -> None:
    greeted.say("One").say("Two")
    greeted.visit(chat=greeted.chat_id).shows("Which city").hand_over().hand_over()
    greeted.until(lambda: greeted.box["delivered"] == [message["id"] for message in greeted.unsent])
    assert [call[1] for call in greeted.calls("send")] == ["One", "Two"]


def test_messages_of_another_chat_that_the_browser_still_keeps_are_sent_to_it(greeted: Page) -> None:
    first = greeted.chat_id
    greeted.say("Hello")
    greeted.greet()
    greeted.unsent.append({"chat": first, "id": "ab" * 16, "text": "And one more", "proposal": ""})
    greeted.hand_over().until(lambda: "ab" * 16 in greeted.box["delivered"])
    assert greeted.calls("send")[-1][:2] == (first, "And one more")


def test_discarded_message_is_gone(greeted: Page) -> None:
    greeted.chat.run_status = "completed"
    greeted.say("Hello?")
    discarded = {"revision": 9, "messages": [], "discarded": [greeted.unsent[0]["id"]]}
    greeted.app.session_state["message-box"] = {"outbox": discarded}
    greeted.until(lambda: greeted.pending == [])


def test_yes_typed_behind_another_message_is_a_message(proposed: Page) -> None:
    greeted = proposed
    greeted.unsent.append({"chat": greeted.chat_id, "id": "cd" * 16, "text": "yes", "proposal": ""})
    greeted.hand_over().until(lambda: greeted.calls("send"))
    assert greeted.calls("confirm") == []


@pytest.mark.parametrize(
    "value",
    [
        None,
        5,
        {"outbox": None},
        {"outbox": {"messages": "x", "discarded": 3}},
        {"outbox": {"messages": [None, {"chat": "../x", "id": "ab" * 16}, {"chat": "c", "id": "<b>"}, {"id": 5}]}},
    ],
)
def test_what_the_browser_makes_up_changes_nothing(greeted: Page, value: Any) -> None:
    greeted.app.session_state["message-box"] = value
    greeted.app.run()
    assert not greeted.app.exception
    assert greeted.calls("send") == []
