"""What somebody who runs workers and pages sees of them from outside: health, logs."""

import asyncio
import json
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from temporalio.client import Client

from agent.goals import goal_for
from agent.local.server import free_ports
from tests.e2e.conftest import RunningPage
from tests.e2e.workers import Workers, running_workers
from tools import load


@dataclass
class Seen:
    """Workers, and where they answer."""

    workers: Workers
    health: str

    async def health_of(self, path: str) -> tuple[int, str]:
        async with httpx.AsyncClient() as client:
            answer = await client.get(f"http://{self.health}{path}")
        return answer.status_code, answer.text

    def lines(self) -> list[dict[str, Any]]:
        """Every line of the log; fails where one is no object."""
        return [json.loads(line) for line in self.workers.log.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def seen(server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    ports = free_ports()
    health = f"127.0.0.1:{ports.ui}"
    environment = {"HEALTH_ADDRESS": health, "LOG_FORMAT": "json", "WORKER_GRACE": "5"}
    with running_workers(server, tmp_path_factory.mktemp("workers"), environment) as workers:
        yield Seen(workers, health)


async def test_worker_that_works_is_ready_and_each_line_of_its_log_an_object(seen: Seen, temporal: Client) -> None:
    chat = await seen.workers.person(temporal).start(goal_for(load(), "event_flight_invoice"))
    await chat.say("an event in San Francisco in March")
    assert await seen.health_of("/healthz") == (200, "alive\n")
    assert await seen.health_of("/readyz") == (200, "ready\n")
    assert [line["logger"] for line in seen.lines()][:2] == ["worker", "worker"]
    assert seen.lines()[1]["message"].startswith("Worker for ")


async def test_page_is_alive_and_ready(running_page: RunningPage) -> None:
    await running_page.chats()
    async with httpx.AsyncClient() as client:
        assert (await client.get(f"{running_page.url}/healthz")).text == "alive\n"
        assert (await client.get(f"{running_page.url}/readyz")).text == "ready\n"
        assert (await client.get(f"{running_page.url}/_stcore/health")).status_code == 200


async def test_worker_that_is_stopped_says_so_in_its_log(seen: Seen, temporal: Client) -> None:
    """The last of this module: it ends the worker."""
    ended = seen.workers.workers[0]
    ended.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(ended.wait, 30) == 0
    assert seen.lines()[-1]["message"] == "Stopping. What is under way may finish, for at most 5 s."
