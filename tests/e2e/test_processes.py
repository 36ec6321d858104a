"""SIGKILL at any step, of any process: what should live comes back, the next start works, no chat is lost.

The page here has no Streamlit and the worker no model; keeper, server and their files are the real ones.
"""

import asyncio
import random
from pathlib import Path

import psutil
import pytest
from temporalio.client import Client

from agent.local.status import LocalStatus
from tests.local.conftest import Build, build, house
from tests.local.house import House, happens

__all__ = ["Build", "build", "house"]


async def start_chat(status: LocalStatus) -> str:
    client = await Client.connect(status.address)
    handle = await client.start_workflow("Anything", id="a-chat", task_queue="nobody")
    return str(handle.first_execution_run_id)


async def chat_of(status: LocalStatus) -> str:
    client = await Client.connect(status.address)
    return (await client.get_workflow_handle("a-chat").describe()).run_id


def kill(processes: list[psutil.Process]) -> None:
    for process in processes:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue


async def one_of_each(house: House) -> LocalStatus:
    """Wait until one keeper, one server and one worker live and the page is told of just these."""

    def settled() -> bool:
        status = house.status()
        told = (status.keeper_pid, status.server_pid, status.worker_pid)
        kinds = (house.keepers, house.servers, house.workers)
        return status.worker == "running" and [[pid] for pid in told] == [[p.pid for p in kind] for kind in kinds]

    await happens(settled)
    return house.status()


@pytest.mark.parametrize("victims", ["server_pid", "worker_pid", "keeper_pid", "server_pid worker_pid keeper_pid"])
async def test_while_a_page_lives_what_is_killed_comes_back(house: House, victims: str) -> None:
    house.open_page()
    before = await house.ready()
    chat = await start_chat(before)
    pids = [int(getattr(before, name)) for name in victims.split()]
    kill([psutil.Process(pid) for pid in pids])
    await happens(lambda: not any(psutil.pid_exists(pid) for pid in pids))
    after = await one_of_each(house)
    assert after.address == before.address
    assert await chat_of(after) == chat


async def test_a_page_killed_together_with_the_keeper_leaves_nothing(house: House) -> None:
    page = house.open_page()
    status = await house.ready()
    page.kill()
    psutil.Process(status.keeper_pid).kill()
    await house.empty()


async def test_killing_all_at_any_instant_of_the_first_start_lets_the_next_one_work(
    build: Build, tmp_path: Path
) -> None:
    chance = random.Random(1)
    for trial in range(8):
        home = tmp_path / str(trial)
        home.mkdir()
        house = build(home)
        house.open_page()
        await asyncio.sleep(chance.uniform(0.1, 1.0))
        kill(chance.sample(found := house.living(), len(found)))
        house.open_page()
        await one_of_each(house)
        house.kill_pages()


async def test_killing_all_at_any_instant_of_later_starts_loses_no_chat(house: House) -> None:
    house.open_page()
    chat = await start_chat(await house.ready())
    chance = random.Random(2)
    for _ in range(8):
        kill(chance.sample(found := house.living(), len(found)))
        house.open_page()
        await asyncio.sleep(chance.uniform(0.0, 1.2))
    assert await chat_of(await one_of_each(house)) == chat


async def test_killing_some_at_random_while_a_page_lives_ends_in_one_of_each(house: House) -> None:
    page = house.open_page()
    chat = await start_chat(await house.ready())
    chance = random.Random(3)
    for _ in range(10):
        others = [process for process in house.living() if process.pid != page.pid]
        kill(chance.sample(others, chance.randint(0, len(others))))
        await asyncio.sleep(chance.uniform(0.0, 0.8))
    assert await chat_of(await one_of_each(house)) == chat
    page.terminate()
    await house.empty()
