"""Rules: offered on a card, listed, revoked, and told on each receipt."""

from tests.page.conftest import INVOICE, Page
from tests.page.fake_client import proposal_of


def test_an_amount_is_offered_first_and_the_rule_decides_told_on_the_receipt(proposed: Page) -> None:
    key = proposed.card_id
    choice = proposed.app.radio(key=f"rule-for-{key}")
    assert choice.options[0] == "Always in this chat, up to an amount"
    proposed.app.number_input(key=f"rule-limit-{key}").set_value(300.0)
    proposed.click(f"confirm-rule-{key}").shows("confirmed by you").shows("Create invoice**, up to $300.00 each")
    assert proposed.calls("add_rule") == [("CreateInvoice", None, "300.00", "USD", key)]
    proposed.chat.tool_returns({"reference": "I-1"})
    proposed.chat.agent_proposes_all(proposal_of("CreateInvoice", INVOICE | {"amount": "299"}))
    proposed.shows("confirmed by your rule: create invoice, up to 300.00 USD each, in this chat")
    assert proposed.chat.conversation.receipt


def test_for_one_hour(proposed: Page) -> None:
    key = proposed.card_id
    proposed.app.radio(key=f"rule-for-{key}").set_value("For one hour")
    proposed.click(f"confirm-rule-{key}").shows("Create invoice**, until ")
    assert proposed.calls("add_rule") == [("CreateInvoice", 3600, "", "", key)]


def test_a_revoked_rule_is_listed_no_more_and_the_next_one_asks(proposed: Page) -> None:
    proposed.click(f"confirm-rule-{proposed.card_id}").shows("Confirmed by your rules")
    (rule,) = proposed.chat.conversation.rules
    proposed.click(f"revoke-{rule.id}").until(lambda: "Confirmed by your rules" not in proposed.text)
    proposed.chat.tool_returns({"reference": "I-1"})
    proposed.chat.agent_proposes("CreateInvoice", dict(INVOICE))
    proposed.until(lambda: proposed.has(f"confirm-{proposed.card_id}"))


def test_no_rule_is_offered_for_what_cannot_be_retried(greeted: Page) -> None:
    greeted.chat.agent_proposes("PostLetter", {"amount": "5"}, "Let's post it.", effect="once")
    greeted.shows("Let's post it.")
    assert not len(greeted.app.radio)
