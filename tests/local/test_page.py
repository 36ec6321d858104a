"""Pages come and go; server and worker are there as long as one of them lives."""

import asyncio
import importlib
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from agent.errors import StartFailed
from agent.local.page import join, look, release
from agent.local.setup import ROOT, Setup
from tests.local.conftest import Build
from tests.local.house import NOBODY, House, environment_of, happens


async def test_one_page_gets_a_server_with_a_web_ui_and_a_worker(house: House) -> None:
    house.open_page()
    status = await house.ready()
    assert [process.pid for process in house.servers] == [status.server_pid]
    assert [process.pid for process in house.workers] == [status.worker_pid]
    assert status.address.startswith("127.0.0.1:")
    assert status.ui_url.startswith("http://127.0.0.1:")
    assert status.step == "Ready"
    assert status.problem == ""


@pytest.mark.parametrize("trial", range(3))
async def test_pages_opened_at_once_share_one_server_and_one_worker(house: House, trial: int) -> None:
    for _ in range(4):
        house.open_page()
    await house.ready()
    await asyncio.sleep(1.0)  # a second keeper would have come by now
    assert len(house.keepers) == len(house.servers) == len(house.workers) == 1


async def test_a_page_that_stops_leaves_server_and_worker_to_the_other(house: House) -> None:
    first, second = house.open_page(), house.open_page()
    before = await house.ready()
    first.send_signal(signal.SIGTERM)
    first.wait(5)
    await asyncio.sleep(1.5)
    assert house.status() == before
    assert len(house.servers) == len(house.workers) == 1
    second.send_signal(signal.SIGTERM)
    second.wait(5)
    await house.empty()


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
async def test_with_the_last_page_all_is_gone_within_five_seconds(house: House, end: signal.Signals) -> None:
    page = house.open_page()
    await house.ready()
    page.send_signal(end)
    await house.empty(5.0)
    assert page.wait() == (-signal.SIGKILL if end == signal.SIGKILL else 0)


async def test_the_terminals_ctrl_c_does_not_reach_the_keeper(house: House) -> None:
    page = house.open_page()
    status = await house.ready()
    sessions = {os.getsid(pid) for pid in (status.keeper_pid, status.server_pid, status.worker_pid)}
    assert os.getsid(page.pid) not in sessions


async def test_a_page_that_comes_while_all_is_being_stopped_gets_its_own(build: Build, tmp_path: Path) -> None:
    worker = (sys.executable, "-m", "tests.local.stand_in", str(tmp_path), "stubborn")
    house = build(worker=worker)
    first = house.open_page({"WHOSE": "first"})
    before = await house.ready()
    first.send_signal(signal.SIGKILL)
    await asyncio.sleep(0.6)  # the keeper has noticed and waits for the worker, which will not stop
    assert house.status().step == "Stopping what the last page started"
    house.open_page({"WHOSE": "second"})
    after = await house.ready()
    assert after.keeper_pid != before.keeper_pid
    assert environment_of(after.worker_pid)["WHOSE"] == "second"


async def test_a_stubborn_worker_does_not_hold_up_the_end(build: Build, tmp_path: Path) -> None:
    house = build(worker=(sys.executable, "-m", "tests.local.stand_in", str(tmp_path), "stubborn"))
    page = house.open_page()
    await house.ready()
    page.send_signal(signal.SIGTERM)
    await house.empty(5.0)


async def test_pages_with_another_address_have_another_keeper(build: Build) -> None:
    here, elsewhere = build(), build(address="127.0.0.1:2")
    here.open_page()
    elsewhere.open_page()
    ours, theirs = await here.ready(), await elsewhere.ready()
    assert theirs.address == "127.0.0.1:2"
    assert theirs.server_pid == 0
    assert ours.keeper_pid != theirs.keeper_pid


def test_with_a_server_given_and_no_worker_there_is_nothing_to_keep(tmp_path: Path) -> None:
    setup = Setup(home=str(tmp_path), address="temporal.example.com:7233")
    join(setup)
    assert list(tmp_path.iterdir()) == []
    status = look(setup)
    assert (status.phase, status.worker, status.address) == ("ready", "off", "temporal.example.com:7233")


def test_a_home_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StartFailed, match=r"file/local cannot be written .* Set STEADFAST_HOME"):
        join(Setup(home=str(tmp_path / "file")))


async def test_a_keeper_that_ends_at_once_is_told_and_tried_again(house: House) -> None:
    join(house.setup, {**os.environ, "PYTHONHASHSEED": "nonsense"})  # with this Python refuses to start
    try:
        status = await house.until(lambda status: status.phase == "failed")
        assert status.problem.endswith("keeper.log says why.")
        assert "PYTHONHASHSEED" in house.setup.keeper_log.read_text()
    finally:
        release()


def test_looking_before_joining_says_that_it_starts(tmp_path: Path) -> None:
    assert look(Setup(home=str(tmp_path))).phase == "starting"
    assert list(tmp_path.iterdir()) == []


async def test_a_hot_reload_of_the_code_holds_on_to_what_there_is(build: Build) -> None:
    house = build(worker=())
    join(house.setup)
    try:
        before = await house.ready()
        old = {name: sys.modules.pop(name) for name in list(sys.modules) if name.startswith("agent.local")}
        importlib.import_module("agent.local.page").join(house.setup)
        sys.modules.update(old)
        threads = [thread for thread in threading.enumerate() if thread.name == "steadfast-keeper"]
        assert len(threads) == 1
        assert house.status() == before
    finally:
        release()
    await house.empty()


async def test_by_hand_it_keeps_server_and_worker_until_ctrl_c(build: Build) -> None:
    house = build(worker=())
    environment = {
        "STEADFAST_HOME": str(house.home),
        "STEADFAST_LOOK_AT": NOBODY,
        "EMBEDDED_WORKER": "off",
        "TEMPORAL_CLI_PATH": house.setup.cli_path,
    }
    by_hand = subprocess.Popen(
        [sys.executable, "-m", "agent.local"],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        status = await house.ready()
        assert by_hand.stdout
        said = await asyncio.to_thread(next, (line for line in by_hand.stdout if line.startswith("Temporal:")))
        by_hand.send_signal(signal.SIGINT)
        by_hand.communicate(timeout=5)
    finally:
        by_hand.kill()
    assert by_hand.returncode == 0
    assert said == f"Temporal: {status.address}  Web UI: {status.ui_url}  worker: off\n"
    await house.empty()


def test_only_the_person_can_read_the_home(tmp_path: Path) -> None:
    home = tmp_path / "new" / "home"
    join(Setup(home=str(home), address="127.0.0.1:2", worker=("true",)))
    release()
    assert home.stat().st_mode & 0o777 == 0o700


async def test_a_home_deleted_under_a_page_is_made_anew(build: Build, tmp_path: Path) -> None:
    house = build(tmp_path / "home", worker=())
    page = house.open_page()
    before = await house.ready()
    shutil.rmtree(house.home)
    after = await house.until(lambda status: status.phase == "ready")
    assert after.keeper_pid != before.keeper_pid
    await happens(lambda: [process.pid for process in house.servers] == [after.server_pid])
    page.terminate()
    await house.empty()
