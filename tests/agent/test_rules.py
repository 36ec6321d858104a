"""Rules: which proposals they cover, and how long."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from agent import rules
from agent.conversation import UNATTENDED_RUNS, Conversation
from agent.messages import GoalSpec, Notice, Plan, Proposal, Rule, ToolAnswer, UserMessage
from agent.rules import covering, describe

NOW = datetime(2030, 1, 1, 14, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
SCHEMA = {"properties": {"amount": {"x-currency": "currency"}, "tip": {"x-currency": "USD"}, "currency": {}}}
CHAT = Rule(id="r", tool="Pay")
UP_TO_200 = Rule(id="r", tool="Pay", most="200", currency="USD")


def pay(effect: Any = "idempotent", **arguments: Any) -> Proposal:
    return Proposal(tool="Pay", effect=effect, arguments=arguments, parameters=SCHEMA)


@pytest.mark.parametrize(
    ("rule", "arguments", "covered"),
    [
        (CHAT, {"amount": "9000", "currency": "EUR"}, True),
        (UP_TO_200, {"amount": "200.00", "currency": "usd"}, True),
        (UP_TO_200, {"amount": 12.5, "currency": "USD"}, True),
        (UP_TO_200, {"amount": "200.01", "currency": "USD"}, False),
        (UP_TO_200, {"amount": "-5", "currency": "USD"}, False),
        (UP_TO_200, {"amount": "20", "currency": "EUR"}, False),
        (UP_TO_200, {"amount": "20"}, False),
        (UP_TO_200, {"amount": "twenty", "currency": "USD"}, False),
        (UP_TO_200, {"amount": "NaN", "currency": "USD"}, False),
        (UP_TO_200, {"amount": True, "currency": "USD"}, False),
        (UP_TO_200, {"amount": "20", "currency": "USD", "tip": "201"}, False),
        (UP_TO_200, {"tip": "20"}, True),
        (UP_TO_200, {}, False),
    ],
)
def test_which_amounts_a_rule_covers(rule: Rule, arguments: dict[str, Any], covered: bool) -> None:
    assert bool(covering([rule], pay(**arguments), NOW)) is covered


def test_a_rule_holds_until_its_time_and_for_its_tool_only() -> None:
    rule = Rule(id="r", tool="Pay", until=NOW + HOUR)
    assert covering([rule], pay(), NOW + HOUR - timedelta(seconds=1))
    assert not covering([rule], pay(), NOW + HOUR)
    assert not covering([rule], pay().model_copy(update={"tool": "Refund"}), NOW)
    assert not covering([rule.model_copy(update={"revoked": NOW})], pay(), NOW)
    assert describe(rule) == "pay, in this chat until 15:02 UTC"
    assert describe(UP_TO_200) == "pay, up to 200 USD each, in this chat"


@pytest.mark.parametrize("kind", ["switch_goal", "lost_result", "budget", "end"])
def test_a_rule_decides_no_other_question(kind: Any) -> None:
    assert not covering([CHAT], pay().model_copy(update={"kind": kind}), NOW)


def test_a_rule_never_covers_what_cannot_be_retried() -> None:
    assert not covering([CHAT], pay("once"), NOW)


def proposed(chat: Conversation, *proposals: Proposal, now: datetime = NOW) -> Conversation:
    chat.begin_plan(now)
    chat.finish_plan(Plan(proposals=list(proposals)), now)
    return chat


def asked(*proposals: Proposal) -> Conversation:
    chat = Conversation(goal=GoalSpec(name="g"), key="k", batch=True)
    chat.receive_message(UserMessage(text="Pay"), NOW)
    return proposed(chat, *proposals)


def ran(chat: Conversation, now: datetime = NOW) -> Conversation:
    chat.begin_tool()
    chat.finish_tool(ToolAnswer(result="paid"), now)
    return chat


def test_a_rule_confirms_the_proposal_it_is_made_with_and_those_after_it_and_each_receipt_tells() -> None:
    chat = asked(pay(amount="20", currency="USD"))
    chat.add_rule(UP_TO_200.model_copy(update={"who": "me"}), NOW, "k-1")
    proposed(ran(chat), pay(amount="150", currency="USD"))
    assert chat.receipt
    assert (chat.receipt.who, chat.receipt.rule) == ("your rule: pay, up to 200 USD each, in this chat", "r")
    decisions = [message for message in chat.messages if message.kind == "decision"]
    assert [(one.who, one.rule) for one in decisions] == [("me", ""), (chat.receipt.who, "r")]
    proposed(ran(chat), pay(amount="201", currency="USD"))
    assert chat.proposal


def test_a_rule_that_does_not_cover_the_proposal_is_not_made() -> None:
    chat = asked(pay("once"))
    chat.add_rule(CHAT, NOW, "k-1")
    assert (chat.rules, chat.receipt) == ([], None)
    assert chat.dropped.reason == "That rule does not cover this proposal, so nothing was decided."
    chat.add_rule(CHAT, NOW, "k-9")
    assert (chat.rules, chat.dropped.count) == ([], 2)


def test_a_rule_that_comes_twice_counts_once() -> None:
    chat = asked(pay())
    chat.add_rule(CHAT, NOW, "k-1")
    chat.add_rule(CHAT, NOW, "k-1")
    assert (len(chat.rules), chat.dropped.count) == (1, 0)


def test_a_revoked_rule_decides_nothing_more_and_both_are_told() -> None:
    chat = asked(pay())
    chat.add_rule(CHAT, NOW, "k-1")
    chat.revoke_rule("r", NOW)
    proposed(ran(chat), pay())
    assert chat.proposal
    assert [message.text for message in chat.messages if isinstance(message, Notice)] == [
        "No longer asked about: pay, in this chat. You can revoke this rule.",
        "Asked about again: pay, in this chat.",
    ]
    chat.revoke_rule("r", NOW)
    assert chat.dropped.reason == "That rule is no longer in force."


def test_ten_in_a_row_are_asked_about_in_spite_of_a_rule() -> None:
    chat = asked(pay())
    chat.add_rule(CHAT, NOW, "k-1")
    for _ in range(UNATTENDED_RUNS):
        assert chat.receipt
        proposed(ran(chat), pay())
    assert chat.proposal


def test_what_a_rule_covers_runs_before_the_rest_is_asked_about() -> None:
    chat = asked(pay())
    chat.add_rule(CHAT, NOW, "k-1")
    other = Proposal(tool="Post")
    proposed(ran(chat), other, pay(), other)
    assert chat.receipt
    assert chat.receipt.rule == "r"
    ran(chat)
    assert [proposal.tool for proposal in chat.waiting] == ["Post", "Post"]


def test_rules_go_on_into_the_next_run() -> None:
    chat = asked(pay())
    chat.add_rule(CHAT, NOW, "k-1")
    following = Conversation.model_validate_json(chat.next_run_state("run").model_dump_json())
    assert following.rules == chat.rules


def test_how_many_rules_there_may_be() -> None:
    chat = asked(pay())
    for number in range(rules.IN_FORCE + 5):
        chat.add_rule(Rule(id=f"{number}", tool="Pay"), NOW)
    assert len(chat.rules) == rules.IN_FORCE
    for number in range(200):
        chat.revoke_rule(chat.rules[-1].id, NOW)
        chat.add_rule(Rule(id=f"more-{number}", tool="Pay"), NOW)
    assert len(chat.rules) <= rules.KEPT
    assert len(rules.in_force(chat.rules, NOW)) == rules.IN_FORCE
