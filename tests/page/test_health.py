"""/healthz and /readyz of the page."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from agent import health
from agent.errors import ServerUnavailable
from agent.local import LocalStatus
from agent.page import startup
from agent.page.app import page_app
from agent.page.health import health_routes
from tests.page.fake_client import FakeClient, FakeStack, page_over


@pytest.fixture
def client() -> FakeClient:
    return FakeClient()


@pytest.fixture
def stack() -> FakeStack:
    return FakeStack()


@pytest.fixture
def site(client: FakeClient, stack: FakeStack, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    monkeypatch.setattr(health, "FRESH", 0.0)
    page = page_over(client, stack)
    yield TestClient(Starlette(routes=health_routes(lambda: page)))
    page.loop.close()


def test_page_is_ready_while_the_server_answers(site: TestClient, client: FakeClient) -> None:
    assert (site.get("/readyz").status_code, site.get("/readyz").text) == (200, "ready\n")
    client.trouble = ServerUnavailable("The server at secret.example:7233 does not answer.")
    answer = site.get("/readyz")
    assert (answer.status_code, answer.text) == (503, "not ready: the Temporal server cannot be reached\n")
    client.trouble = None
    assert site.get("/readyz").status_code == 200


def test_page_whose_settings_cannot_be_used_is_not_ready(client: FakeClient) -> None:
    page = page_over(client)
    page.problem = "LLM_TIMEOUT must be a number."
    site = TestClient(Starlette(routes=health_routes(lambda: page)))
    assert site.get("/readyz").text == "not ready: its settings cannot be used, and its log says why\n"
    page.loop.close()


def test_page_lives_while_nothing_else_does(site: TestClient, client: FakeClient, stack: FakeStack) -> None:
    stack.now = LocalStatus(phase="failed", problem="There is no server.")
    client.trouble = ServerUnavailable("It is gone.")
    assert site.get("/readyz").status_code == 503
    assert (site.get("/healthz").status_code, site.get("/healthz").text) == (200, "alive\n")


def test_probes_while_the_page_starts_get_the_page_that_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    def slow() -> object:
        time.sleep(0.05)
        return object()

    page_app.cache_clear()
    monkeypatch.setattr("agent.page.app.PageApp", slow)
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: startup.page(), range(8)))
    page_app.cache_clear()
    assert len(set(map(id, found))) == 1


def test_many_probes_ask_the_server_once(site: TestClient, client: FakeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "FRESH", 60.0)
    for _ in range(20):
        site.get("/readyz")
    assert client.calls == [("ping",)]
