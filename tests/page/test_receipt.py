"""The receipt of a tool step."""

from datetime import UTC, datetime, timedelta

import pytest

from agent.messages import Decision, Interruption, Proposal, ToolResult
from agent.page.receipt import pairs
from tests.page.conftest import Page

NOON = datetime(2030, 3, 1, 12, 0, tzinfo=UTC)
PROPOSAL = Proposal(
    id="0123456789ab-3", tool="CreateInvoice", arguments={"amount": "208.73", "currency": "USD"}, effect="idempotent"
)
DIED = Interruption(kind="died", resumed=NOON, times=2)


def receipt(outcome: str = "ok", interruptions: tuple[Interruption, ...] = (), **more: object) -> dict[str, str]:
    proposal = PROPOSAL.model_copy(update=more)
    decision = Decision(proposal_id=proposal.id, verdict="confirmed", arguments=proposal.arguments, at=NOON)
    later = NOON + timedelta(seconds=2.5)
    made = {"outcome": outcome, "interruptions": list(interruptions), "at": later}
    return dict(pairs(proposal, decision, ToolResult.model_validate({"proposal_id": proposal.id, **made})))


def test_a_step_shows_who_decided_its_key_attempts_seconds_and_effects() -> None:
    assert receipt() == {
        "Decided by": "you",
        "Key": "…6789ab-3",
        "Attempts": "1",
        "Took": "2.5 s from decision to result",
        "Effects seen": "one",
    }


@pytest.mark.parametrize(
    ("outcome", "effect", "interruptions", "words"),
    [
        ("ok", "idempotent", (DIED,), "one, under one key for all attempts"),
        ("ok", "read", (), "none: it only reads"),
        ("failed", "once", (), "none reported: it failed"),
        ("unknown", "once", (), "unknown: no answer came"),
    ],
)
def test_effects_are_what_the_answer_says(
    outcome: str, effect: str, interruptions: tuple[Interruption, ...], words: str
) -> None:
    assert receipt(outcome, interruptions, effect=effect)["Effects seen"] == words


def test_attempts_count_what_was_interrupted_and_are_left_out_where_nobody_counted() -> None:
    assert receipt("ok", (DIED,))["Attempts"] == "3"
    assert "Attempts" not in receipt("failed")


def test_an_edit_shows_old_and_new_value() -> None:
    decision = Decision(proposal_id=PROPOSAL.id, verdict="confirmed", arguments={"amount": "100", "currency": "USD"})
    assert dict(pairs(PROPOSAL, decision, None))["Edited"] == "Amount: $208.73 → $100.00"


def test_what_was_declined_has_no_key() -> None:
    decision = Decision(proposal_id=PROPOSAL.id, verdict="declined", who="Sam")
    assert pairs(PROPOSAL, decision, None) == (("Decided by", "Sam"),)


def test_the_step_carries_its_receipt(proposed: Page) -> None:
    proposed.click(f"confirm-{proposed.card_id}")
    proposed.chat.tool_returns("Done")
    proposed.shows("Decided by").shows("Effects seen").shows("from decision to result")
