"""The worker's /healthz and /readyz."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from agent.errors import ServerUnavailable, SettingsError
from agent.health import Readiness, served
from agent.local.server import free_ports


class Server:
    """Raises when it does not answer; hangs when it stands still."""

    def __init__(self) -> None:
        self.answers, self.hangs, self.stopping = True, False, False

    async def check(self) -> None:
        if self.hangs:
            await asyncio.sleep(60)
        if not self.answers:
            raise ServerUnavailable("The server at secret.example:7233 does not answer.")


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
async def address(server: Server, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    monkeypatch.setattr("agent.health.FRESH", 0.0)
    monkeypatch.setattr("agent.health.PATIENCE", 0.3)
    address = f"127.0.0.1:{free_ports().ui}"
    async with served(address, Readiness(server.check, lambda: server.stopping)):
        yield address


async def get(address: str, path: str) -> tuple[int, str]:
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"http://{address}{path}")
        return answer.status_code, answer.text


async def test_worker_is_ready_while_the_server_answers(address: str, server: Server) -> None:
    assert await get(address, "/readyz") == (200, "ready\n")
    server.answers = False
    assert await get(address, "/readyz") == (503, "not ready: the Temporal server cannot be reached\n")
    assert await get(address, "/healthz") == (200, "alive\n")


async def test_server_that_stands_still_is_not_waited_for(address: str, server: Server) -> None:
    server.hangs = True
    assert (await get(address, "/readyz"))[0] == 503


async def test_stopping_worker_lives_and_is_not_ready(address: str, server: Server) -> None:
    server.stopping = True
    assert await get(address, "/readyz") == (503, "stopping: finishing what is under way\n")
    assert await get(address, "/healthz") == (200, "alive\n")


async def test_other_paths_and_half_a_request_do_no_harm(address: str) -> None:
    host, _, port = address.partition(":")
    _, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"GET /readyz")
    assert (await get(address, "/metrics"))[0] == 404
    assert (await get(address, "/readyz"))[0] == 200
    writer.close()


async def test_taken_port_is_one_sentence(address: str, server: Server) -> None:
    with pytest.raises(SettingsError, match=f"HEALTH_ADDRESS {address} cannot be listened on. Name a free port"):
        async with served(address, Readiness(server.check)):
            pass
