"""Links of a chat: what they open, to whom, and for how long."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from agent import links
from agent.messages import LinkKind, Verdict
from agent.page.decide import decide_routes
from agent.visitor import Visitor, of_browser
from tests.page.conftest import INVOICE, Page

BOB = of_browser("bob's secret")
GONE = "This link is not valid any more"


def _token(page: Page, kind: LinkKind, number: int = -1) -> str:
    assert page.page_app is not None
    found = [link for link in page.chat.conversation.links if link.kind == kind]
    return links.token(page.page_app.signing_key, page.chat_id, found[number])


def _as(monkeypatch: pytest.MonkeyPatch, visitor: Visitor) -> None:
    monkeypatch.setattr("agent.page.app.current_visitor", lambda *_: visitor)


def _shared(page: Page, kind: LinkKind) -> Page:
    page.click("open-share").click(f"share-{kind}")
    return page.until(lambda: page.chat.conversation.links)


def test_link_to_read_shows_the_chat_and_nothing_that_changes_it(
    proposed: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    _shared(proposed, "read")
    token, chat = _token(proposed, "read"), proposed.chat
    assert token in str([element.value for element in proposed.app.code])
    _as(monkeypatch, BOB)
    proposed.visit(share=token).shows("You are reading a chat that was shared with you")
    proposed.shows("Which city would you like to visit")
    assert not proposed.app.button
    assert not proposed.app.get("bidi_component")
    assert not proposed.app.get("menu_button")
    chat.conversation.revoke_link(chat.conversation.links[0].id, datetime.now(UTC))
    proposed.shows(GONE)


@pytest.mark.parametrize("token", ["x", "x.y", ""])
def test_link_that_is_none_opens_nothing(page: Page, token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _as(monkeypatch, BOB)
    page.visit(share=token)
    assert (GONE in page.text) is bool(token)


def test_link_that_the_owner_revokes_is_no_longer_in_force(proposed: Page) -> None:
    _shared(proposed, "read")
    (link,) = proposed.chat.conversation.links
    proposed.click(f"revoke-{link.id}").until(lambda: proposed.chat.conversation.links[0].over == "revoked")
    proposed.until(lambda: not proposed.has(f"revoke-{link.id}"))


def test_link_hands_the_chat_over_once(proposed: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    proposed.chat.owner = of_browser("ann's secret").id
    _as(monkeypatch, of_browser("ann's secret"))
    proposed.app.run()
    proposed.shows("Let's create the invoice.")
    _shared(proposed, "owner")
    token, chat_id, chat = _token(proposed, "owner"), proposed.chat_id, proposed.chat
    _as(monkeypatch, BOB)
    proposed.visit(share=token).shows("Somebody wants to hand this chat over to you")
    assert chat.owner != BOB.id, "opening the link alone changes nothing"
    proposed.click("take-over").shows("Which city would you like to visit")
    assert (proposed.chat_id, chat.owner) == (chat_id, BOB.id)
    proposed.visit(share=token).shows(GONE)
    _as(monkeypatch, of_browser("ann's secret"))
    proposed.visit(chat=chat_id).shows("There is no chat at this address that you may open")


def test_link_to_decide_can_be_shown_on_its_card_and_in_the_list_at_once(proposed: Page) -> None:
    proposed.click(f"share-{proposed.card_id}").until(lambda: proposed.chat.conversation.links)
    (link,) = proposed.chat.conversation.links
    proposed.click("open-share").until(lambda: proposed.has(f"revoke-{link.id}"))
    assert proposed.has(f"card-revoke-{link.id}")


@pytest.fixture
def site(proposed: Page) -> Iterator[TestClient]:
    app = proposed.page_app
    assert app is not None
    with TestClient(Starlette(routes=decide_routes(lambda: app)), base_url="http://localhost:8501") as client:
        yield client


def _decide_link(page: Page) -> str:
    page.click(f"share-{page.card_id}").until(lambda: page.chat.conversation.links)
    return f"/decide/{_token(page, 'decide')}"


def _decided(page: Page) -> list[tuple[str, str]]:
    return [(each.verdict, each.who) for each in page.chat.conversation.messages if each.kind == "decision"]


def test_link_shows_what_is_to_be_decided_and_decides_only_when_told_and_once(proposed: Page, site: TestClient) -> None:
    address = _decide_link(proposed)
    for _ in range(2):
        shown = site.get(address)
        assert "Create invoice?" in shown.text
        assert "$208.73" in shown.text
    assert _decided(proposed) == []
    done = site.post(address, data={"verdict": "confirm", "name": "Bob"})
    assert "Confirmed." in done.text
    assert site.post(address, data={"verdict": "decline", "name": "Eve"}).status_code == 410
    assert site.get(address).status_code == 410
    assert _decided(proposed) == [("confirmed", "Bob (by a link)")]
    proposed.shows("confirmed by Bob (by a link)")


def test_link_declines_without_a_name(proposed: Page, site: TestClient) -> None:
    assert "Declined." in site.post(_decide_link(proposed), data={"verdict": "decline"}).text
    assert _decided(proposed) == [("declined", "somebody with a link")]


def test_another_web_page_and_a_form_without_a_verdict_decide_nothing(proposed: Page, site: TestClient) -> None:
    address = _decide_link(proposed)
    assert (
        site.post(address, data={"verdict": "confirm"}, headers={"origin": "https://evil.example"}).status_code == 403
    )
    assert site.post(address, data={"verdict": "run"}).status_code == 400
    assert site.post(address, data={"verdict": "confirm", "name": "x" * 20_000}).status_code == 400
    assert _decided(proposed) == []


def test_link_to_decide_opens_nothing_else(proposed: Page, site: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    token = _decide_link(proposed).removeprefix("/decide/")
    _shared(proposed, "read")
    assert site.get(f"/decide/{_token(proposed, 'read')}").status_code == 410
    _as(monkeypatch, BOB)
    proposed.visit(share=token).shows(GONE)


def test_link_of_a_proposal_that_was_decided_is_of_no_use(proposed: Page, site: TestClient) -> None:
    address = _decide_link(proposed)
    chat = proposed.chat
    chat.conversation.decide([Verdict(proposal_id=proposed.card_id, accepts=False)], chat.tick())
    assert site.post(address, data={"verdict": "confirm"}).status_code == 410
    assert [verdict for verdict, _ in _decided(proposed)] == ["declined"]


def test_words_of_the_model_are_no_html_on_the_page_that_decides(greeted: Page) -> None:
    greeted.chat.agent_proposes("CreateInvoice", INVOICE | {"description": "<img src=x onerror=alert(1)>"}, "So.")
    greeted.shows("So.")
    app = greeted.page_app
    assert app is not None
    with TestClient(Starlette(routes=decide_routes(lambda: app)), base_url="http://localhost:8501") as client:
        shown = client.get(_decide_link(greeted))
    assert "<img" not in shown.text
    assert "&lt;img" in shown.text
    assert "default-src 'none'" in shown.headers["content-security-policy"]
    assert shown.headers["referrer-policy"] == "same-origin"
