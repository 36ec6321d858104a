"""SIGKILL of any process at any step: what should live is restarted, the next start works, no chat is lost.

The page here has no Streamlit and the worker no model; supervisor, server and their files are the real ones.
"""

import asyncio
import random
from pathlib import Path

import psutil
import pytest
from temporalio.client import Client

from agent.local.status import LocalStatus
from tests.local.conftest import BuildStack, build_stack, stack
from tests.local.stack import Stack, eventually

__all__ = ["BuildStack", "build_stack", "stack"]


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


async def one_of_each(stack: Stack) -> LocalStatus:
    """Wait until one supervisor, one server and one worker live and the status names exactly these."""

    def settled() -> bool:
        status = stack.status()
        reported = (status.supervisor_pid, status.server_pid, status.worker_pid)
        kinds = (stack.supervisors, stack.servers, stack.workers)
        return status.worker == "running" and [[pid] for pid in reported] == [[p.pid for p in kind] for kind in kinds]

    await eventually(settled)
    return stack.status()


@pytest.mark.parametrize(
    "victims", ["server_pid", "worker_pid", "supervisor_pid", "server_pid worker_pid supervisor_pid"]
)
async def test_while_a_page_lives_what_is_killed_is_restarted(stack: Stack, victims: str) -> None:
    stack.open_page()
    before = await stack.ready()
    chat = await start_chat(before)
    pids = [int(getattr(before, name)) for name in victims.split()]
    kill([psutil.Process(pid) for pid in pids])
    await eventually(lambda: not any(psutil.pid_exists(pid) for pid in pids))
    after = await one_of_each(stack)
    assert after.address == before.address
    assert await chat_of(after) == chat


async def test_a_page_killed_together_with_the_supervisor_leaves_nothing(stack: Stack) -> None:
    page = stack.open_page()
    status = await stack.ready()
    page.kill()
    psutil.Process(status.supervisor_pid).kill()
    await stack.empty()


async def test_after_a_kill_at_any_instant_of_the_first_start_the_next_one_works(
    build_stack: BuildStack, tmp_path: Path
) -> None:
    chance = random.Random(1)
    for trial in range(8):
        home = tmp_path / str(trial)
        home.mkdir()
        stack = build_stack(home)
        stack.open_page()
        await asyncio.sleep(chance.uniform(0.1, 1.0))
        kill(chance.sample(found := stack.living(), len(found)))
        stack.open_page()
        await one_of_each(stack)
        stack.kill_pages()


async def test_kills_at_any_instant_of_later_starts_lose_no_chat(stack: Stack) -> None:
    stack.open_page()
    chat = await start_chat(await stack.ready())
    chance = random.Random(2)
    for _ in range(8):
        kill(chance.sample(found := stack.living(), len(found)))
        stack.open_page()
        await asyncio.sleep(chance.uniform(0.0, 1.2))
    assert await chat_of(await one_of_each(stack)) == chat


async def test_after_random_kills_one_of_each_process_lives(stack: Stack) -> None:
    page = stack.open_page()
    chat = await start_chat(await stack.ready())
    chance = random.Random(3)
    for _ in range(10):
        others = [process for process in stack.living() if process.pid != page.pid]
        kill(chance.sample(others, chance.randint(0, len(others))))
        await asyncio.sleep(chance.uniform(0.0, 0.8))
    assert await chat_of(await one_of_each(stack)) == chat
    page.terminate()
    await stack.empty()
