"""A chat is opened, and what the page says until there is one."""

import pytest

from agent.client import ChatClient
from agent.errors import ServerUnavailable, SettingsError
from agent.local import LocalStatus
from agent.page.app import PageApp
from agent.settings import Settings
from tests.page.conftest import Page
from tests.page.fake_client import AnyOwner, FakeStack


def test_agent_greets_without_a_click_and_the_address_names_the_chat(greeted: Page) -> None:
    assert greeted.chat_id.startswith("chat-")
    assert len(greeted.calls("start")) == 1
    assert "Waiting for you" in greeted.text


def test_reload_shows_the_same_chat_and_starts_no_other(greeted: Page) -> None:
    greeted.visit(chat=greeted.chat_id).shows("Which city would you like to visit")
    assert len(greeted.calls("start")) == 1


def test_goal_in_the_address_is_the_goal_of_the_chat(page: Page) -> None:
    page.visit(goal="food").shows("Which city would you like to visit")
    assert page.calls("start") == [("food",)]
    assert "#### Order food" in page.text
    assert "goal" not in page.app.query_params


def test_unknown_goal_in_the_address_is_the_default_one(page: Page) -> None:
    page.visit(goal="<script>").shows("Which city would you like to visit")
    assert page.calls("start") == [("event_flight_invoice",)]


def test_another_goal_picked_on_the_first_screen_ends_the_chat_nobody_spoke_in(greeted: Page) -> None:
    first = greeted.chat_id
    greeted.click("pick-food").until(lambda: greeted.chat_id not in ("", first))
    assert greeted.calls("end") == [(first,)]
    assert greeted.calls("start")[1] == ("food",)


def test_new_chat_leaves_a_chat_that_was_spoken_in(greeted: Page) -> None:
    first = greeted.chat_id
    greeted.say("Hello").until(lambda: not greeted.has("pick-food"))
    greeted.click("new-chat").until(lambda: greeted.chat_id not in ("", first))
    assert greeted.calls("end") == []


def test_goals_are_not_offered_once_something_was_said(greeted: Page) -> None:
    assert "Or something else?" in greeted.text
    greeted.say("Hello").until(lambda: "Or something else?" not in greeted.text)


def test_scripted_model_is_called_so_in_one_line(greeted: Page) -> None:
    assert "built-in demo model answers here: no AI" in greeted.text


@pytest.mark.parametrize("chat", ["chat-0", "no such/../chat", "x" * 300, "<b>"])
def test_chat_that_is_not_there_offers_a_new_one(page: Page, chat: str) -> None:
    page.visit(chat=chat).shows("There is no chat at this address")
    assert page.calls("start") == []
    page.click("new-chat").shows("Which city would you like to visit")


def test_page_names_the_step_while_the_server_starts(page: Page) -> None:
    page.local_stack.now = LocalStatus(step="Fetching the Temporal server", since=1.0)
    page.visit()
    assert "Fetching the Temporal server …" in page.text
    assert page.calls("start") == []
    page.local_stack.now = FakeStack().now
    page.shows("Which city would you like to visit")


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


def test_chat_is_opened_once_the_server_answers_and_only_once(page: Page) -> None:
    page.client.trouble = ServerUnavailable("The Temporal server does not answer.")
    page.visit().shows("The Temporal server does not answer.")
    page.client.trouble = None
    page.shows("Which city would you like to visit")
    assert len(page.client.chats_by_id) == 1


def test_certificate_that_cannot_be_read_names_its_variable(page: Page) -> None:
    async def connect(_settings: Settings, _address: str) -> ChatClient:
        raise SettingsError("TEMPORAL_TLS_CLIENT_CERT_PATH names no file.")

    page.page_app = PageApp(read_settings=Settings, local_stack=page.local_stack, connect=connect)
    page.visit().shows("TEMPORAL_TLS_CLIENT_CERT_PATH names no file.")
