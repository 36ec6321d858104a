"""Who is the owner, and what visitors do not get to see."""

import stat
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
from agent.page.access import TOKEN_FILE, Owner, OwnerMiddleware
from tests.page.conftest import Page

OWNER = Owner("a token that nobody guesses")
STRANGER = Owner("another token that nobody knows")


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
        middleware=[Middleware(OwnerMiddleware, owner=lambda: OWNER)],
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


def test_visitor_is_listed_only_the_chats_that_they_opened(page: Page) -> None:
    page.owner = OWNER
    page.greet()
    first = page.chat_id
    page.until(lambda: page.has(f"chat-{first}"))
    page.greet()
    page.until(lambda: page.has(f"chat-{page.chat_id}"))
    assert page.chat_id != first
    assert not page.has(f"chat-{first}")


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
    page.greet()
    assert "secret_thing" not in page.text


def test_error_of_the_page_itself_is_one_sentence_without_its_details() -> None:
    def script() -> None:
        from agent.page.startup import draw_failure

        assert draw_failure(ImportError("cannot import name 'secret'"))

    app = AppTest.from_function(script, default_timeout=20).run()
    assert [error.value for error in app.error] == [
        "This page failed because of an internal error; its log has the details. Reload it to try again."
    ]
