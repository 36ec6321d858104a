"""Links: signed, expiring, revocable, and of use once where they decide or hand over."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from agent import links, wire
from agent.conversation import Conversation
from agent.errors import Unreadable
from agent.messages import GoalSpec, Link, LinkKind, Plan, Proposal, Verdict

KEY, NOW = "a secret of the tests", datetime(2030, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def link(kind: LinkKind = "read", **more: Any) -> Link:
    return Link(**{"id": "l1", "kind": kind, "expires": NOW + DAY} | more)


def proposed() -> Conversation:
    chat = Conversation(goal=GoalSpec(name="x"), key="k")
    chat.begin_plan(NOW)
    chat.finish_plan(Plan(proposals=[Proposal(tool="Pay", arguments={"to": "Ann"})]), NOW)
    return chat


def decisions(chat: Conversation) -> list[tuple[str, str]]:
    return [(each.verdict, each.who) for each in chat.messages if each.kind == "decision"]


def test_token_says_which_link_of_which_chat_until_it_expires() -> None:
    token = links.token(KEY, "chat:1", link())
    assert links.read_token(KEY, token, NOW) == links.LinkClaim("chat:1", "l1", "read")
    assert links.read_token(KEY, token, NOW + DAY) is None


@pytest.mark.parametrize("forge", ["kind", "chat", "expiry", "key", "cut", "empty", "rubbish"])
def test_token_that_was_changed_says_nothing(forge: str) -> None:
    token = links.token(KEY, "chat-1", link())
    _, _, signature = token.partition(".")
    forged = {
        "kind": links.token(KEY, "chat-1", link("owner")).partition(".")[0] + "." + signature,
        "chat": links.token(KEY, "chat-2", link()).partition(".")[0] + "." + signature,
        "expiry": links.token(KEY, "chat-1", link(expires=NOW + 2 * DAY)).partition(".")[0] + "." + signature,
        "key": links.token("another secret", "chat-1", link()),
        "cut": token[:-1],
        "empty": "",
        "rubbish": "ü!.ü",
    }
    assert links.read_token(KEY, forged[forge], NOW) is None


def test_link_is_in_force_until_it_is_revoked_or_expired() -> None:
    chat = proposed()
    chat.add_link(link(), NOW)
    chat.add_link(link(), NOW)
    assert len(chat.links) == 1, "sent twice, it counts once"
    assert links.find(chat.links, "l1", "read", NOW)
    assert not links.find(chat.links, "l1", "owner", NOW)
    assert not links.find(chat.links, "l1", "read", NOW + DAY)
    chat.revoke_link("l1", NOW)
    assert not links.find(chat.links, "l1", "read", NOW)
    chat.revoke_link("l1", NOW)
    assert chat.dropped.reason == "That link is no longer in force."


def test_link_decides_its_proposal_once() -> None:
    chat = proposed()
    assert chat.proposal is not None
    chat.add_link(link("decide", proposal_id=chat.proposal.id), NOW)
    chat.decide_by_link("l1", Verdict(who="Bob (by a link)"), NOW)
    chat.decide_by_link("l1", Verdict(accepts=False, who="Eve (by a link)"), NOW)
    assert decisions(chat) == [("confirmed", "Bob (by a link)")]
    assert chat.dropped.reason == "That link is no longer in force."


def test_link_decides_no_other_proposal_and_no_other_link_decides() -> None:
    chat = proposed()
    assert chat.proposal is not None
    chat.add_link(link("decide", proposal_id="another"), NOW)
    assert chat.links == []
    chat.add_link(link("decide", proposal_id=chat.proposal.id), NOW)
    chat.add_link(link("read", id="l2"), NOW)
    chat.decide_by_link("l2", Verdict(), NOW)
    chat.decide_by_link("l1", Verdict(), NOW + DAY)
    chat.decline(NOW)
    chat.decide_by_link("l1", Verdict(), NOW)
    assert decisions(chat) == [("declined", "")]


def test_link_hands_over_once_and_ends_what_the_former_owner_shared() -> None:
    chat = proposed()
    chat.add_link(link("owner"), NOW)
    chat.add_link(link("read", id="l2"), NOW)
    assert not chat.hand_over("l2", "Eve", NOW)
    assert chat.hand_over("l1", "Bob", NOW)
    assert not chat.hand_over("l1", "Eve", NOW)
    assert links.in_force(chat.links, NOW) == []
    assert chat.messages[-1].kind == "notice"
    assert chat.messages[-1].text == "This chat was handed over to Bob."


def test_chat_has_a_bounded_number_of_links() -> None:
    chat = proposed()
    for number in range(links.IN_FORCE + 1):
        chat.add_link(link(id=f"l{number}"), NOW)
    assert len(chat.links) == links.IN_FORCE
    for number in range(3 * links.KEPT):
        chat.revoke_link(f"l{number - 1}", NOW)
        chat.add_link(link(id=f"l{number}"), NOW)
    assert len(chat.links) <= links.KEPT


@pytest.mark.parametrize(
    "raw",
    [
        None,
        {},
        {"id": "a", "kind": "write", "seconds": 5},
        {"id": "a", "kind": "read"},
        {"id": "a", "kind": "read", "seconds": True},
        {"id": "a", "kind": "read", "seconds": 31 * 24 * 3600},
        {"id": "a", "kind": "read", "seconds": float("nan")},
        {"id": "a:b", "kind": "read", "seconds": 5},
        {"id": "a", "kind": "decide", "seconds": 5},
        {"id": "a", "kind": "owner", "seconds": 5, "proposal_id": "p"},
    ],
)
def test_link_of_another_form_is_ignored(raw: Any) -> None:
    with pytest.raises(Unreadable):
        wire.read_link(raw, NOW)


def test_other_signals_of_another_form_are_ignored() -> None:
    for read in (wire.read_link_id, wire.read_handover, wire.read_link_verdict):
        for raw in (
            None,
            {},
            1,
            {"link": "l"},
            {"owner": "o"},
            {"verdict": "confirm"},
            {"link": "l", "verdict": "run"},
        ):
            with pytest.raises(Unreadable):
                read(raw)
