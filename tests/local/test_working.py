"""The worker beside the page: started, started again, and told about."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

from agent.local.setup import ROOT
from tests.local.conftest import Build
from tests.local.house import House, environment_of, stand_in


async def test_the_worker_gets_the_pages_environment_and_the_servers_address(house: House) -> None:
    house.open_page({"LLM_MODEL": "of-the-page"})
    status = await house.ready()
    environment = environment_of(status.worker_pid)
    assert environment["LLM_MODEL"] == "of-the-page"
    assert environment["TEMPORAL_ADDRESS"] == status.address
    assert environment["STEADFAST_HOME"] == str(house.home)


async def test_a_worker_that_ends_is_started_again(house: House) -> None:
    house.open_page()
    before = await house.ready()
    os.kill(before.worker_pid, signal.SIGTERM)
    await house.until(lambda status: status.worker == "running" and status.worker_pid != before.worker_pid)
    assert (house.status().server_pid, house.status().problem) == (before.server_pid, "")


async def test_the_worker_can_be_restarted_by_hand(house: House) -> None:
    settings = {"STEADFAST_HOME": str(house.home)}
    command = [sys.executable, "-m", "agent.local", "restart"]

    def restart() -> str:
        done = subprocess.run(command, cwd=ROOT, env={**os.environ, **settings}, capture_output=True, text=True)
        return done.stdout

    assert await asyncio.to_thread(restart) == "No worker of ours runs here.\n"
    house.open_page()
    before = await house.ready()
    assert await asyncio.to_thread(restart) == "The worker begins again.\n"
    await house.until(lambda status: status.worker == "running" and status.worker_pid != before.worker_pid)


async def test_a_worker_with_unusable_settings_says_which(build: Build, tmp_path: Path) -> None:
    house = build(worker=stand_in(tmp_path, "unusable"))
    house.open_page()
    status = await house.until(lambda status: status.worker == "failed")
    assert status.problem == (
        "The worker does not start: LLM_TIMEOUT must be a number of seconds from 1 to 3600. Change it, then start again."
    )
    assert status.phase == "ready"


async def test_of_a_worker_that_crashes_no_stack_trace_is_shown(build: Build, tmp_path: Path) -> None:
    house = build(worker=stand_in(tmp_path, "broken"))
    house.open_page()
    status = await house.until(lambda status: status.worker == "failed")
    assert status.problem == f"The worker does not start: exit code 1; {house.setup.directory / 'worker.log'} says more"
    assert "RuntimeError" in (house.setup.directory / "worker.log").read_text()


async def test_embedded_worker_off_starts_none(build: Build) -> None:
    house = build(worker=())
    house.open_page()
    assert (await house.ready()).worker == "off"
    assert house.workers == []


async def test_what_a_worker_started_goes_with_it(build: Build, tmp_path: Path) -> None:
    house = build(worker=stand_in(tmp_path, "parent"))
    house.open_page()
    before = await house.ready()
    assert len(house.living("time.sleep(600)")) == 1
    os.kill(before.worker_pid, signal.SIGKILL)
    await house.until(lambda status: status.worker == "running" and status.worker_pid != before.worker_pid)
    assert len(house.living("time.sleep(600)")) == 1


async def test_a_given_server_gets_a_worker_and_nothing_else(build: Build) -> None:
    house = build(address="127.0.0.1:2")
    page = house.open_page()
    status = await house.ready()
    assert environment_of(status.worker_pid)["TEMPORAL_ADDRESS"] == "127.0.0.1:2"
    assert house.servers == []
    page.send_signal(signal.SIGTERM)
    await house.empty()
