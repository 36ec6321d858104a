"""Who is the owner, and what visitors do not get to see."""

import stat
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect
from streamlit.testing.v1 import AppTest

import tools
from agent.local import LocalStatus
from agent.page.access import TOKEN_FILE, CookieMiddleware, Owner
from agent.page.visitors import BrowserCookie
from agent.visitor import Visitor, of_browser
from tests.page.conftest import Page

OWNER = Owner("a token that nobody guesses")
STRANGER = Owner("another token that nobody knows")
COOKIE = BrowserCookie(OWNER.token)
ANN, BOB = of_browser("ann's secret"), of_browser("bob's secret")


@pytest.fixture
def site() -> TestClient:
    async def page(_request: Any) -> PlainTextResponse:
        return PlainTextResponse("page")

    async def stream(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text("welcome")
        await websocket.close()

    app = Starlette(
        routes=[Route("/", page), WebSocketRoute("/stream", stream)],
        middleware=[Middleware(CookieMiddleware, owner=lambda: OWNER, visitor=lambda: COOKIE)],
    )
    return TestClient(app, base_url="http://localhost:8501", follow_redirects=False)


def test_token_is_made_once_and_readable_by_its_owner_alone(tmp_path: Path) -> None:
    home = tmp_path / "home"
    first = Owner.of_home(home)
    assert Owner.of_home(home) == first
    assert len(first.token) >= 32
    assert stat.S_IMODE((home / TOKEN_FILE).stat().st_mode) == 0o600


def test_home_that_cannot_be_written_gives_a_token_for_this_process(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert len(Owner.of_home(tmp_path / "file" / "home").token) >= 32


def test_opening_with_the_token_sets_a_cookie_and_takes_the_token_out_of_the_address(site: TestClient) -> None:
    answer = site.get("/", params={"chat": "chat-1", "owner": OWNER.token})
    assert (answer.status_code, answer.headers["location"]) == (303, "?chat=chat-1")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert OWNER.token not in cookie
    assert OWNER.recognizes(dict(site.cookies))


@pytest.mark.parametrize("token", ["", "wrong", "ü", STRANGER.token])
def test_wrong_token_is_taken_out_of_the_address_and_sets_nothing(site: TestClient, token: str) -> None:
    answer = site.get("/", params={"owner": token})
    assert (answer.status_code, answer.headers["location"]) == (303, ".")
    assert "set-cookie" not in answer.headers


def test_cookies_of_two_installations_on_one_host_do_not_meet() -> None:
    assert OWNER.cookie[0] != STRANGER.cookie[0]
    assert OWNER.recognizes(dict([OWNER.cookie, STRANGER.cookie]))
    assert not OWNER.recognizes(dict([STRANGER.cookie]))
    assert not OWNER.recognizes({OWNER.cookie[0]: ""})
    assert not OWNER.recognizes({})


@pytest.mark.parametrize("origin", ["http://localhost:3000", "http://127.0.0.1:8501", "https://evil.example", "null"])
def test_websocket_that_another_web_page_opens_is_refused(site: TestClient, origin: str) -> None:
    with pytest.raises(WebSocketDisconnect), site.websocket_connect("/stream", headers={"origin": origin}):
        pass


@pytest.mark.parametrize("headers", [{"origin": "http://localhost:8501"}, {}])
def test_websocket_of_the_page_itself_and_of_programs_is_accepted(site: TestClient, headers: dict[str, str]) -> None:
    with site.websocket_connect("/stream", headers={"host": "localhost:8501"} | headers) as websocket:
        assert websocket.receive_text() == "welcome"


def _as(monkeypatch: pytest.MonkeyPatch, visitor: Visitor) -> None:
    """From now on the browser is this visitor's."""
    monkeypatch.setattr("agent.page.app.current_visitor", lambda *_: visitor)


def test_visitor_is_listed_only_their_own_chats_and_finds_them_again(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    _as(monkeypatch, ANN)
    page.visit().say("Toronto")
    anns = page.chat_id
    page.until(lambda: page.has(f"chat-{anns}"))
    _as(monkeypatch, BOB)
    page.visit().say("Lima")
    page.until(lambda: page.has(f"chat-{page.chat_id}"))
    assert not page.has(f"chat-{anns}")
    _as(monkeypatch, ANN)
    page.visit().until(lambda: page.has(f"chat-{anns}"))


def test_address_of_a_chat_opens_nothing_to_another_visitor(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    _as(monkeypatch, ANN)
    page.visit().say("Toronto")
    anns = page.chat_id
    _as(monkeypatch, BOB)
    page.visit(chat=anns).shows("There is no chat at this address that you may open.")
    assert "Toronto" not in page.text
    said = len(page.client.chats_by_id[anns].conversation.inbox)
    forged = {"chat": anns, "id": "ab" * 16, "text": "Let me in", "proposal": "", "goal": "event_flight_invoice"}
    page.unsent.append(forged)
    page.hand_over().until(lambda: (anns, "Let me in", "ab" * 16) in page.calls("send"))
    assert len(page.client.chats_by_id[anns].conversation.inbox) == said


def test_address_of_a_chat_opens_it_for_everybody_where_the_settings_say_so(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    page.settings["open_chats"] = True
    _as(monkeypatch, ANN)
    page.visit().say("Toronto")
    _as(monkeypatch, BOB)
    page.visit(chat=page.chat_id).shows("Toronto")


def test_receipt_names_who_decided_unless_it_is_the_reader(proposed: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    proposed.click(f"confirm-{proposed.card_id}").shows("confirmed by you")
    proposed.settings["open_chats"] = True
    assert proposed.page_app is not None
    proposed.page_app.settings = proposed.page_app.settings.model_copy(update={"open_chats": True})
    _as(monkeypatch, ANN)
    proposed.visit(chat=proposed.chat_id).shows("confirmed by the owner")


def test_browser_without_a_cookie_of_ours_gets_one_when_it_opens_the_page(site: TestClient) -> None:
    browser = {"accept": "text/html,*/*"}
    cookie = site.get("/", headers=browser).headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    first = COOKIE.secret(dict(site.cookies))
    assert len(first) >= 32
    assert "set-cookie" not in site.get("/", headers=browser).headers
    site.cookies.clear()
    forged = {COOKIE.name: f"{'a' * 32}.{'0' * 64}"}
    assert COOKIE.secret(forged) == ""
    site.cookies.set(COOKIE.name, forged[COOKIE.name])
    assert COOKIE.name in site.get("/", headers=browser).headers["set-cookie"]


def test_only_a_page_that_is_opened_sets_a_cookie(site: TestClient) -> None:
    assert "set-cookie" not in site.get("/").headers


def test_cookie_of_another_installation_says_nothing() -> None:
    other = BrowserCookie("another secret")
    assert COOKIE.secret({COOKIE.name: other.new_value()}) == ""
    assert COOKIE.name != other.name
    assert COOKIE.secret({}) == ""


AUTH = {
    "redirect_uri": "http://localhost:8501/oauth2callback",
    "cookie_secret": "a secret of the tests, long enough",
    "client_id": "steadfast",
    "client_secret": "of the tests",
    "server_metadata_url": "http://127.0.0.1:1/.well-known/openid-configuration",
}


def _log_in(page: Page, auth: Mapping[str, Any], **user: Any) -> Page:
    """Open the page as the owner of no token, where secrets.toml has this [auth]."""
    page.owner = OWNER
    page.visit()
    page.app.secrets["auth"] = dict(auth)
    page.app.user = {"is_logged_in": bool(user), **user}
    page.app.run()
    return page


def test_with_auth_in_the_secrets_nobody_gets_in_without_a_login(page: Page) -> None:
    _log_in(page, AUTH)
    assert "Log in to see your chats" in page.text
    assert page.has("login-default")
    assert not page.has("new-chat")


def test_login_is_its_issuer_and_subject_and_is_named_beside_its_chats(page: Page) -> None:
    ann = {"iss": "https://id.example", "sub": "ann", "name": "Ann", "email": "ann@example.com"}
    _log_in(page, AUTH, **ann).shows("Ann (ann@example.com)")
    assert page.has("logout")


@pytest.mark.parametrize("user", [{"iss": "https://id.example"}, {"sub": "ann"}, {"email": "ann@example.com"}])
def test_login_without_issuer_and_subject_is_nobody(page: Page, user: dict[str, str]) -> None:
    _log_in(page, AUTH, **user).shows("The login did not say who you are")
    assert not page.has("new-chat")


@pytest.mark.parametrize("missing", sorted(AUTH))
def test_login_that_is_half_configured_lets_nobody_in_and_says_so(page: Page, missing: str) -> None:
    _log_in(page, {name: value for name, value in AUTH.items() if name != missing})
    assert "The login is not configured completely" in page.text
    assert not page.has("new-chat")


def test_owner_is_listed_all_chats(page: Page) -> None:
    page.greet()
    first = page.chat_id
    page.greet().until(lambda: page.has(f"chat-{first}"))


def test_visitor_is_told_nothing_of_the_installation(page: Page) -> None:
    page.owner = OWNER
    page.local_stack.now = LocalStatus(phase="failed", problem="/home/ann/steadfast cannot be written.")
    page.visit()
    assert "This page is not ready." in page.text
    assert "/home/ann" not in page.text


def test_tool_that_cannot_be_imported_is_named_to_the_owner_alone(page: Page) -> None:
    page.visit()
    assert page.page_app is not None
    problem = "tools/mine.py, line 3: No module named 'secret_thing'."
    page.page_app.tools = replace(tools.load(), problems=[problem])
    page.shows("No module named 'secret_thing'")
    page.page_app.owner = OWNER
    page.visit().shows("Close this tab")
    assert "secret_thing" not in page.text


def test_error_of_the_page_itself_is_one_sentence_without_its_details() -> None:
    def script() -> None:
        from agent.page.startup import draw_failure

        assert draw_failure(ImportError("cannot import name 'secret'"))

    app = AppTest.from_function(script, default_timeout=20).run()
    assert [error.value for error in app.error] == [
        "This page failed because of an internal error; its log has the details. Reload it to try again."
    ]
