"""Server and worker run as long as a page lives; the page and the terminal see their status."""

import asyncio
import importlib
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.errors import StartFailed
from agent.local import client
from agent.local.client import ensure_config, release, status_of, wait_config_ready
from agent.local.locks import FileLock
from agent.local.status import ROOT, LocalConfig, StatusReport
from tests.local.conftest import BuildStack
from tests.local.stack import NOWHERE, Stack, environment_of, eventually


async def test_a_page_gets_a_server_with_a_web_ui_and_a_worker(stack: Stack) -> None:
    stack.open_page()
    status = await stack.ready()
    assert [process.pid for process in stack.servers] == [status.server_pid]
    assert [process.pid for process in stack.workers] == [status.worker_pid]
    assert status.address.startswith("127.0.0.1:")
    assert status.ui_url.startswith("http://127.0.0.1:")
    assert status.step == "Ready"
    assert status.problem == ""


async def test_pages_opened_at_once_share_one_server_and_one_worker(stack: Stack) -> None:
    for _ in range(4):
        stack.open_page()
    await stack.ready()
    await asyncio.sleep(1.0)  # a second supervisor would be there by now
    assert len(stack.supervisors) == len(stack.servers) == len(stack.workers) == 1


async def test_a_page_that_stops_leaves_server_and_worker_running_for_the_other(stack: Stack) -> None:
    first, second = stack.open_page(), stack.open_page()
    before = await stack.ready()
    first.send_signal(signal.SIGTERM)
    first.wait(20)
    await asyncio.sleep(1.5)
    assert stack.status() == before
    assert len(stack.servers) == len(stack.workers) == 1
    second.send_signal(signal.SIGTERM)
    second.wait(20)
    await stack.empty()


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
async def test_when_the_last_page_ends_so_do_server_and_worker(stack: Stack, end: signal.Signals) -> None:
    page = stack.open_page()
    await stack.ready()
    page.send_signal(end)
    await stack.empty()
    assert page.wait() == (-signal.SIGKILL if end == signal.SIGKILL else 0)


async def test_supervisor_server_and_worker_are_in_another_session_than_the_page(stack: Stack) -> None:
    page = stack.open_page()
    status = await stack.ready()
    sessions = {os.getsid(pid) for pid in (status.supervisor_pid, status.server_pid, status.worker_pid)}
    assert os.getsid(page.pid) not in sessions


async def test_a_page_opened_during_the_stop_gets_a_supervisor_with_its_own_environment(
    build_stack: BuildStack, tmp_path: Path
) -> None:
    worker = (sys.executable, "-m", "tests.local.fake_worker", str(tmp_path), "stubborn")
    stack = build_stack(worker=worker)
    first = stack.open_page({"WHOSE": "first"})
    before = await stack.ready()
    first.send_signal(signal.SIGKILL)
    await stack.until(lambda status: status.step == "Stopping: the last page was closed")
    stack.open_page({"WHOSE": "second"})
    after = await stack.ready()
    assert after.supervisor_pid != before.supervisor_pid
    assert environment_of(after.worker_pid)["WHOSE"] == "second"


async def test_a_worker_that_ignores_sigterm_is_killed_after_the_last_page(
    build_stack: BuildStack, tmp_path: Path
) -> None:
    stack = build_stack(worker=(sys.executable, "-m", "tests.local.fake_worker", str(tmp_path), "stubborn"))
    page = stack.open_page()
    await stack.ready()
    page.send_signal(signal.SIGTERM)
    await stack.empty()


async def test_pages_with_another_address_have_another_supervisor(build_stack: BuildStack) -> None:
    here, elsewhere = build_stack(), build_stack(address="127.0.0.1:2")
    here.open_page()
    elsewhere.open_page()
    ours, theirs = await here.ready(), await elsewhere.ready()
    assert theirs.address == "127.0.0.1:2"
    assert theirs.server_pid == 0
    assert ours.supervisor_pid != theirs.supervisor_pid


def test_with_a_given_server_and_no_worker_there_is_no_supervisor(tmp_path: Path) -> None:
    config = LocalConfig(home=str(tmp_path), address="temporal.example.com:7233")
    ensure_config(config)
    assert list(tmp_path.iterdir()) == []
    status = status_of(config)
    assert (status.phase, status.worker, status.address) == ("ready", "off", "temporal.example.com:7233")


async def test_a_supervisor_that_exits_at_once_is_reported_with_its_log(stack: Stack) -> None:
    ensure_config(stack.config, {**os.environ, "PYTHONHASHSEED": "nonsense"})  # Python refuses to start with this
    try:
        status = await stack.until(lambda status: status.phase == "failed")
        assert status.problem.endswith(f"see {stack.config.supervisor_log}")
        assert "PYTHONHASHSEED" in stack.config.supervisor_log.read_text()
    finally:
        release()


def test_before_ensure_the_status_is_starting_and_nothing_is_written(tmp_path: Path) -> None:
    assert status_of(LocalConfig(home=str(tmp_path))).phase == "starting"
    assert list(tmp_path.iterdir()) == []


async def test_a_hot_reload_of_the_module_keeps_its_supervisor(build_stack: BuildStack) -> None:
    stack = build_stack(worker=())
    ensure_config(stack.config)
    try:
        before = await stack.ready()
        old = {name: sys.modules.pop(name) for name in list(sys.modules) if name.startswith("agent.local")}
        importlib.import_module("agent.local.client").ensure_config(stack.config)
        sys.modules.update(old)
        threads = [thread for thread in threading.enumerate() if thread.name == "steadfast-local"]
        assert len(threads) == 1
        assert stack.status() == before
    finally:
        release()
    await stack.empty()


async def test_started_by_hand_it_runs_until_ctrl_c(build_stack: BuildStack) -> None:
    stack = build_stack(worker=())
    environment = {
        "STEADFAST_HOME": str(stack.home),
        "STEADFAST_LOOK_AT": NOWHERE,
        "EMBEDDED_WORKER": "off",
        "TEMPORAL_CLI_PATH": stack.config.cli_path,
    }
    by_hand = subprocess.Popen(
        [sys.executable, "-m", "agent.local"],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        status = await stack.ready()
        assert by_hand.stdout
        printed = await asyncio.to_thread(next, (line for line in by_hand.stdout if line.startswith("Temporal:")))
        by_hand.send_signal(signal.SIGINT)
        by_hand.communicate(timeout=20)
    finally:
        by_hand.kill()
    assert by_hand.returncode == 0
    assert printed == f"Temporal: {status.address}  Web UI: {status.ui_url}  worker: off\n"
    await stack.empty()


async def test_a_home_deleted_under_a_page_is_made_again(build_stack: BuildStack, tmp_path: Path) -> None:
    stack = build_stack(tmp_path / "home", worker=())
    page = stack.open_page()
    before = await stack.ready()
    shutil.rmtree(stack.home)
    after = await stack.until(lambda status: status.phase == "ready")
    assert after.supervisor_pid != before.supervisor_pid
    await eventually(lambda: [process.pid for process in stack.servers] == [after.server_pid])
    page.terminate()
    await stack.empty()


def ignore(sentence: str) -> None:
    pass


@pytest.fixture
def own_config(tmp_path: Path) -> Iterator[LocalConfig]:
    """A config whose supervisor is this test."""
    config = LocalConfig(home=str(tmp_path), worker=("worker",))
    lock = FileLock(config.supervisor_lock)
    assert lock.take()
    yield config
    lock.close()


async def test_each_step_is_reported_once_and_the_last_status_returned(own_config: LocalConfig) -> None:
    report = StatusReport(own_config.status, worker=True)
    report.server(step="Starting the Temporal server")
    reported: list[str] = []

    def report_step(step: str) -> None:
        reported.append(step)
        if step == "Starting the Temporal server":
            report.server(phase="ready", address="here:1")
        elif step == "Starting the worker":
            report.worker(worker="running")

    status = await wait_config_ready(own_config, report_step, 10)
    assert reported == ["Starting the Temporal server", "Starting the worker", "Ready"]
    assert status.address == "here:1"


async def test_a_step_that_lasts_is_repeated_with_its_duration(
    own_config: LocalConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "REPORT_EVERY", 0.2)
    StatusReport(own_config.status, worker=True).server(step="Starting the Temporal server")
    reported: list[str] = []
    with pytest.raises(StartFailed, match="the last step was: Starting the Temporal server"):
        await wait_config_ready(own_config, reported.append, 0.5)
    assert reported[:2] == ["Starting the Temporal server", "Starting the Temporal server (0 s so far)"]


async def test_a_start_that_failed_raises_the_reason(own_config: LocalConfig) -> None:
    StatusReport(own_config.status, worker=True).server(phase="failed", problem="No server. Install one.")
    with pytest.raises(StartFailed, match=r"^No server. Install one.$"):
        await wait_config_ready(own_config, ignore, 10)


async def test_a_worker_that_failed_to_start_ends_the_waiting(own_config: LocalConfig) -> None:
    report = StatusReport(own_config.status, worker=True)
    report.server(phase="ready", address="here:1")
    report.worker(worker="failed", problem="The worker failed to start: x")
    status = await wait_config_ready(own_config, ignore, 10)
    assert (status.worker, status.problem) == ("failed", "The worker failed to start: x")
