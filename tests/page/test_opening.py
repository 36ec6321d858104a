"""A chat is opened, and what the page says until there is one."""

import pytest

from agent.client import ChatClient
from agent.errors import ServerUnavailable, SettingsError
from agent.local import LocalStatus
from agent.page.app import PageApp
from agent.settings import Settings
from tests.page.conftest import Page
from tests.page.fake_client import AnyOwner, FakeStack


def test_first_screen_welcomes_and_starts_nothing(page: Page) -> None:
    page.visit().shows("Which city would you like to visit")
    assert "the chat goes on" in page.text
    assert page.client.calls == []
    assert page.chat_id == ""


def test_first_message_begins_the_chat_with_the_welcome_as_its_first_message(page: Page) -> None:
    page.visit().say("Events in Toronto").until(lambda: "Events in Toronto" in [text.value for text in page.app.text])
    assert page.calls("begin") == [("event_flight_invoice", "Events in Toronto")]
    assert page.chat_id.startswith("chat-")
    first, second = page.chat.conversation.messages[0], page.chat.conversation.inbox[0]
    assert (first.kind, second.kind) == ("agent", "user")
    assert page.text.count("Which city would you like to visit") == 1


def test_reload_shows_the_same_chat_and_starts_no_other(page: Page) -> None:
    page.visit().say("Hello").until(lambda: page.chat_id in page.client.chats_by_id)
    page.visit(chat=page.chat_id).shows("Which city would you like to visit")
    assert len(page.client.chats_by_id) == 1


def test_goal_in_the_address_is_the_goal_of_the_chat(page: Page) -> None:
    page.visit(goal="food").shows("There are a pizzeria, a grill and a noodle bar.")
    page.say("The grill").until(lambda: page.calls("begin"))
    assert page.calls("begin") == [("food", "The grill")]
    assert "goal" not in page.app.query_params


def test_unknown_goal_in_the_address_is_the_default_one(page: Page) -> None:
    page.visit(goal="<script>").shows("Which city would you like to visit")


def test_goal_picked_on_the_first_screen_welcomes_and_starts_nothing(page: Page) -> None:
    page.visit().click("pick-food").shows("There are a pizzeria, a grill and a noodle bar.")
    assert page.client.calls == []


def test_example_is_sent_with_a_click(page: Page) -> None:
    page.visit().click("example-0").until(lambda: page.calls("begin"))
    assert page.calls("begin") == [("event_flight_invoice", "An event in San Francisco in March")]
    page.until(lambda: "An event in San Francisco in March" in [text.value for text in page.app.text])


def test_back_to_the_first_screen_starts_nothing_and_the_next_message_begins_another_chat(page: Page) -> None:
    page.visit().say("Hello").until(lambda: page.chat_id in page.client.chats_by_id)
    first = page.chat_id
    page.click("new-chat").shows("the chat goes on")
    assert list(page.client.chats_by_id) == [first]
    page.say("Again").until(lambda: len(page.client.chats_by_id) == 2)
    assert page.chat_id not in ("", first)


def test_scripted_model_is_called_so_in_one_line(page: Page) -> None:
    assert "built-in demo model answers here: no AI" in page.visit().text


def test_first_message_waits_for_the_server_and_begins_one_chat(page: Page) -> None:
    page.client.trouble = ServerUnavailable("The Temporal server does not answer.")
    page.visit().say("Hello").shows("Which city would you like to visit")
    assert page.pending[0]["note"] == "The Temporal server does not answer."
    page.client.trouble = None
    page.until(lambda: "Hello" in [text.value for text in page.app.text])
    assert len(page.client.chats_by_id) == 1


def test_reload_before_the_chat_is_there_begins_it_with_what_the_browser_has_kept(page: Page) -> None:
    kept = {"chat": "chat-" + "a" * 32, "id": "ab" * 16, "text": "Hello", "proposal": "", "goal": "food"}
    page.visit(chat=kept["chat"]).shows("There is no chat at this address")
    page.unsent.append(kept)
    page.hand_over().until(lambda: "Hello" in [text.value for text in page.app.text])
    assert page.calls("begin") == [("food", "Hello")]


def test_first_message_that_is_refused_stays_with_its_reason(page: Page) -> None:
    page.visit().say("   ").shows("Which city would you like to visit")
    assert page.pending[0]["state"] == "failed"
    page.say("Hello").until(lambda: page.chat_id in page.client.chats_by_id)


@pytest.mark.parametrize("chat", ["chat-0", "no such/../chat", "x" * 300, "<b>"])
def test_chat_that_is_not_there_offers_a_new_one(page: Page, chat: str) -> None:
    page.visit(chat=chat).shows("There is no chat at this address")
    assert page.client.calls == []
    page.click("new-chat").shows("Which city would you like to visit")


def test_page_names_the_step_while_the_server_starts(page: Page) -> None:
    page.local_stack.now = LocalStatus(step="Fetching the Temporal server", since=1.0)
    page.visit()
    assert "Fetching the Temporal server …" in page.text
    assert "Which city would you like to visit" in page.text
    assert page.say("Hello").pending[0]["note"].startswith("The Temporal server is not ready yet")
    page.local_stack.now = FakeStack().now
    page.until(lambda: "Hello" in [text.value for text in page.app.text])


def test_server_that_cannot_be_started_is_one_sentence(page: Page) -> None:
    page.local_stack.now = LocalStatus(
        phase="failed", problem="There is no Temporal server. Install Go, or set TEMPORAL_CLI_PATH."
    )
    page.visit()
    assert "There is no Temporal server. Install Go, or set TEMPORAL_CLI_PATH." in page.text


def test_unusable_settings_name_the_variable_and_work_once_corrected(page: Page) -> None:
    broken = [SettingsError("LLM_TIMEOUT must be a number of seconds from 1 to 3600.")]

    def read() -> Settings:
        if broken:
            raise broken[0]
        return Settings()

    working = Page()
    working.visit()
    assert working.page_app is not None
    page.page_app = PageApp(read_settings=read, local_stack=page.local_stack, connect=working.page_app.connect)
    page.page_app.owner = AnyOwner("a token of the tests")
    page.client = working.client
    page.visit()
    assert "LLM_TIMEOUT must be a number of seconds" in page.text
    broken.clear()
    page.shows("Which city would you like to visit")


def test_certificate_that_cannot_be_read_names_its_variable(page: Page) -> None:
    async def connect(_settings: Settings, _address: str) -> ChatClient:
        raise SettingsError("TEMPORAL_TLS_CLIENT_CERT_PATH names no file.")

    page.page_app = PageApp(read_settings=Settings, local_stack=page.local_stack, connect=connect)
    assert page.visit().say("Hello").pending[0]["note"] == "TEMPORAL_TLS_CLIENT_CERT_PATH names no file."
