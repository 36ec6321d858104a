"""Several proposals of one answer on one card."""

import pytest

from agent.page import card
from tests.page.conftest import INVOICE, Page
from tests.page.fake_client import proposal_of

FLIGHTS = {"origin": "Austin", "destination": "SFO", "date_depart": "2030-03-05", "date_return": "2030-03-07"}


@pytest.fixture
def three(greeted: Page) -> Page:
    greeted.chat.agent_proposes_all(
        proposal_of("SearchFlights", dict(FLIGHTS), "Three things."),
        proposal_of("CreateInvoice", dict(INVOICE)),
        proposal_of("MoveMoney", {"amount": "250.00", "source": "Checking", "target": "Savings"}),
    )
    return greeted.shows("3 things to decide")


def ids(page: Page) -> list[str]:
    return [proposal.id for proposal in page.chat.conversation.waiting]


def test_what_only_reads_is_ticked_and_what_is_ticked_is_confirmed(three: Page) -> None:
    read, invoice, move = ids(three)
    assert three.text.count("Three things.") == 1
    assert [box.value for box in three.app.checkbox] == [True, False, False]
    assert three.app.button(key=f"confirm-{read}").label == "Confirm 1 of 3"
    three.app.checkbox(key=f"tick-{move}").check().run()
    assert three.app.button(key=f"confirm-{read}").label == "Confirm 2 of 3"
    three.click(f"confirm-{read}").until(lambda: three.chat.conversation.receipt)
    assert three.calls("decide") == [([(read, True, None), (invoice, False, None), (move, True, None)],)]
    three.shows("Create invoice** declined by you")


def test_decline_all(three: Page) -> None:
    three.click(f"decline-{ids(three)[0]}").until(lambda: not three.chat.conversation.waiting)
    assert three.chat.conversation.receipt is None


def test_each_is_edited_on_the_card_and_confirmed_with_what_was_entered(three: Page) -> None:
    read, invoice, _ = ids(three)
    three.click(f"edit-{invoice}")
    assert three.app.button(key=f"confirm-{read}").disabled
    three.app.text_input(key=f"edit-{invoice}-amount").set_value("much")
    three.click(f"confirm-edited-{invoice}").shows("Amount must be a number")
    three.app.text_input(key=f"edit-{invoice}-amount").set_value("100")
    three.click(f"confirm-edited-{invoice}").shows("$100.00").shows("Edited by you.")
    three.click(f"confirm-{read}").until(lambda: three.chat.conversation.receipt)
    assert three.calls("decide")[0][0][1] == (invoice, True, {**INVOICE, "amount": "100"})


@pytest.mark.parametrize(("word", "accepted"), [("yes", True), ("no", False)])
def test_plain_yes_or_no_decides_all_of_the_card(three: Page, word: str, accepted: bool) -> None:
    expected = [(proposal_id, accepted, None) for proposal_id in ids(three)]
    three.say(word).until(lambda: not three.chat.conversation.waiting)
    assert three.calls("decide") == [(expected,)]


def test_one_that_was_decided_elsewhere_leaves_the_others_on_the_card(three: Page) -> None:
    read, _, move = ids(three)
    three.chat.conversation.decline(three.chat.tick(), read)
    three.shows("2 things to decide")
    three.chat.conversation.decline(three.chat.tick(), move)
    three.shows("Create invoice").until(lambda: "things to decide" not in three.text)
    assert not card.title(three.chat.conversation.waiting[0]).startswith("2")
