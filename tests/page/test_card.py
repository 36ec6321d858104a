"""The card of a proposal: deciding, editing."""

import asyncio
import threading
from typing import Any

import pytest

from agent.errors import ServerUnavailable
from agent.messages import Plan, UserMessage
from tests.page.conftest import Page

FLIGHTS = {"origin": "Austin", "destination": "SFO", "date_depart": "2030-03-05", "date_return": "2030-03-07"}
INVOICE = {"amount": "208.73", "currency": "USD", "description": "Flight"}


def test_card_shows_the_arguments_in_words(proposed: Page) -> None:
    assert "Create invoice" in proposed.text
    assert ":gray[Amount]\u2002 $208.73" in proposed.text
    assert "{" not in proposed.text


def test_confirm_decides_the_card_once_however_often_it_is_clicked(proposed: Page) -> None:
    key = proposed.card_id
    proposed.click(f"confirm-{key}")
    assert not proposed.has(f"confirm-{key}") or proposed.app.button(key=f"confirm-{key}").disabled
    proposed.shows("confirmed by you")
    assert proposed.calls("confirm") == [(key, None)]


def test_decline_goes_to_the_chat(proposed: Page) -> None:
    key = proposed.card_id
    proposed.click(f"decline-{key}").shows("declined by you")
    assert proposed.calls("decline") == [(key, "")]


def test_decline_with_a_reason(proposed: Page) -> None:
    key = proposed.card_id
    proposed.app.text_input(key=f"reason-{key}").set_value("Too dear")
    proposed.click(f"decline-why-{key}").shows("“Too dear”")
    assert proposed.calls("decline") == [(key, "Too dear")]


@pytest.mark.parametrize(("word", "call"), [("Yes", "confirm"), ("no.", "decline")])
def test_plain_yes_or_no_under_a_card_decides_it(proposed: Page, word: str, call: str) -> None:
    key = proposed.card_id
    proposed.say(word)
    assert proposed.calls(call)[0][0] == key
    assert proposed.calls("send") == []


def test_plain_yes_without_a_card_is_a_message(greeted: Page) -> None:
    greeted.say("Yes")
    assert greeted.calls("send")[0][1] == "Yes"


def test_edited_arguments_are_confirmed_and_what_was_proposed_is_kept(proposed: Page) -> None:
    key = proposed.card_id
    proposed.click(f"edit-{key}")
    proposed.app.text_input(key=f"edit-{key}-amount").set_value("100")
    proposed.click(f"confirm-edited-{key}").shows("$208.73 → $100.00")
    assert proposed.calls("confirm") == [(key, {**INVOICE, "amount": "100"})]


def test_edited_nonsense_is_refused_and_the_form_stays(proposed: Page) -> None:
    key = proposed.card_id
    proposed.click(f"edit-{key}")
    proposed.app.text_input(key=f"edit-{key}-amount").set_value("much")
    proposed.click(f"confirm-edited-{key}")
    assert "Amount must be a number" in proposed.text
    assert proposed.app.text_input(key=f"edit-{key}-amount").value == "much"
    assert proposed.calls("confirm") == []


def test_edit_form_without_changes_confirms_what_was_proposed(proposed: Page) -> None:
    key = proposed.card_id
    proposed.click(f"edit-{key}").click(f"confirm-edited-{key}")
    assert proposed.calls("confirm") == [(key, None)]


def test_days_are_edited_as_days(greeted: Page) -> None:
    greeted.chat.agent_proposes("SearchFlights", dict(FLIGHTS), "Let's search.")
    greeted.shows("Let's search.").click(f"edit-{greeted.card_id}")
    assert [str(day.value) for day in greeted.app.date_input] == ["2030-03-05", "2030-03-07"]


def test_late_decision_changes_nothing_and_says_so(proposed: Page) -> None:
    key = proposed.card_id
    proposed.chat.conversation.decline(proposed.chat.tick(), key)
    proposed.click(f"confirm-{key}").shows("Nothing was waiting for your decision")
    assert proposed.chat.conversation.receipt is None


def test_card_decided_in_another_tab_goes_away_by_itself(proposed: Page) -> None:
    key = proposed.card_id
    proposed.chat.conversation.decline(proposed.chat.tick(), key)
    proposed.until(lambda: not proposed.has(f"confirm-{key}"))


def test_lost_result_asks_in_its_own_words(proposed: Page) -> None:
    key = proposed.card_id
    proposed.click(f"confirm-{key}")
    proposed.chat.conversation.begin_tool()
    proposed.chat.conversation.lose_tool("The worker died while the invoice was made.", proposed.chat.tick())
    proposed.shows("Treat as done").shows("may or may not have taken effect")
    assert "Try again" in proposed.text


def test_end_that_nobody_asked_for_is_a_question(greeted: Page) -> None:
    chat = greeted.chat.conversation
    chat.confirm_end = True
    chat.receive_message(UserMessage(text="Hello"), greeted.chat.tick())
    chat.begin_plan(greeted.chat.tick())
    chat.finish_plan(Plan(text="All done!", next="done"), greeted.chat.tick())
    greeted.shows("Shall we end here?").shows("End the chat").shows("Continue")
    assert not chat.ended


def test_decision_that_the_server_did_not_take_is_told_until_the_server_answers(proposed: Page) -> None:
    proposed.client.trouble = ServerUnavailable("The Temporal server does not answer.")
    proposed.click(f"confirm-{proposed.card_id}").shows("Not sent: The Temporal server does not answer.")
    proposed.client.trouble = None
    proposed.until(lambda: "Not sent" not in proposed.text)
    proposed.click(f"confirm-{proposed.card_id}").shows("confirmed by you")


def test_clicks_do_not_wait_for_a_server_that_stands_still_and_keep_their_order(proposed: Page) -> None:
    moves, confirm, before = threading.Event(), proposed.client.confirm, len(proposed.client.calls)

    async def stand_still(*given: Any) -> None:
        while not moves.is_set():
            await asyncio.sleep(0.01)
        await confirm(*given)

    proposed.client.confirm = stand_still  # type: ignore[method-assign,assignment]
    proposed.click(f"confirm-{proposed.card_id}").click("end-chat").click("end-now")
    assert len(proposed.client.calls) == before, "the page went on, and the server has nothing yet"
    moves.set()
    proposed.until(lambda: len(proposed.client.calls) == before + 2)
    assert [call[0] for call in proposed.client.calls[before:]] == ["confirm", "end"]
