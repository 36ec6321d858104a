"""The worker beside the page: started, restarted and reported."""

import asyncio
import os
import re
import signal
from pathlib import Path

import psutil
from temporalio.client import Client

from agent.local.worker import KILLED_AFTER
from tests.local.conftest import BuildStack
from tests.local.stack import Stack, environment_of, fake_worker, run_command


async def test_the_worker_gets_the_pages_environment_and_the_address_of_the_server(stack: Stack) -> None:
    stack.open_page({"LLM_MODEL": "of-the-page"})
    status = await stack.ready()
    environment = environment_of(status.worker_pid)
    assert environment["LLM_MODEL"] == "of-the-page"
    assert f"working for {status.address}\n" in stack.config.worker_log.read_text()
    assert environment["STEADFAST_HOME"] == str(stack.home)


async def test_the_worker_is_started_beside_the_server_not_after_it(
    build_stack: BuildStack, tmp_path: Path, temporal_cli: Path
) -> None:
    slow = tmp_path / "slow-temporal"
    slow.write_text(f'#!/bin/sh\n[ "$1" = server ] && sleep 3\nexec {temporal_cli} "$@"\n')
    slow.chmod(0o755)
    stack = build_stack(cli_path=str(slow))
    stack.open_page()
    early = await stack.until(lambda status: bool(status.worker_pid))
    assert early.phase == "starting"
    status = await stack.ready()
    assert status.worker_pid == early.worker_pid
    assert f"working for {status.address}\n" in stack.config.worker_log.read_text()


async def test_a_worker_that_ends_is_restarted(stack: Stack) -> None:
    stack.open_page()
    before = await stack.ready()
    os.kill(before.worker_pid, signal.SIGTERM)
    await stack.until(lambda status: status.worker == "running" and status.worker_pid != before.worker_pid)
    assert (stack.status().server_pid, stack.status().problem) == (before.server_pid, "")


async def test_the_restart_command_returns_when_the_new_worker_runs(stack: Stack) -> None:
    stack.open_page()
    before = await stack.ready()
    done = await asyncio.to_thread(run_command, stack, "restart")
    after = stack.status()
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Restarting the worker.\n")
    assert done.stdout.endswith("The worker was restarted.\n")
    assert after.worker == "running"
    assert after.worker_pid != before.worker_pid
    assert not psutil.pid_exists(before.worker_pid)


async def test_the_restart_command_says_why_the_new_worker_does_not_start(
    build_stack: BuildStack, tmp_path: Path
) -> None:
    stack = build_stack(worker=fake_worker(tmp_path, "unusable"))
    stack.open_page()
    await stack.until(lambda status: status.worker == "failed" and status.phase == "ready")
    done = await asyncio.to_thread(run_command, stack, "restart")
    assert done.returncode == 1
    assert done.stderr.startswith("The worker failed to start: LLM_TIMEOUT must be")


def test_without_a_page_there_is_no_worker_to_restart(tmp_path: Path, temporal_cli: Path) -> None:
    done = run_command(Stack(tmp_path, temporal_cli), "restart")
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "No embedded worker is running.\n")


async def test_a_worker_that_holds_the_gil_is_replaced_and_the_line_is_named(
    build_stack: BuildStack, tmp_path: Path
) -> None:
    stack = build_stack(worker=fake_worker(tmp_path, "gil"))
    stack.open_page()
    before = await stack.ready()
    stuck = await stack.until(lambda status: status.worker == "stuck")
    assert (stuck.phase, stuck.worker_pid) == ("ready", before.worker_pid)
    assert re.match(r"The worker has not responded for \d s. After 8 s it is replaced.", stuck.problem)
    replaced = await stack.until(lambda status: status.worker == "starting")
    assert re.match(
        r"The worker did not respond for 8 s \(in tests/local/fake_worker.py, line \d+ \(hold_the_gil\)\) "
        "and is being replaced.",
        replaced.problem,
    )
    after = await stack.ready()
    assert after.worker_pid != before.worker_pid
    assert after.problem == ""


async def test_a_stopped_worker_is_replaced(stack: Stack) -> None:
    stack.open_page()
    before = await stack.ready()
    os.kill(before.worker_pid, signal.SIGSTOP)
    await stack.until(lambda status: status.worker == "running" and status.worker_pid != before.worker_pid, within=60)
    assert not psutil.pid_exists(before.worker_pid)


async def test_the_restart_command_replaces_a_stopped_worker(stack: Stack) -> None:
    stack.open_page()
    before = await stack.ready()
    os.kill(before.worker_pid, signal.SIGSTOP)
    done = await asyncio.to_thread(run_command, stack, "restart")
    assert done.stdout.endswith("The worker was restarted.\n")
    assert stack.status().worker_pid != before.worker_pid


async def test_a_worker_suspended_together_with_its_supervisor_is_kept(stack: Stack) -> None:
    stack.open_page()
    before = await stack.ready()
    pids = (before.supervisor_pid, before.worker_pid, before.server_pid)
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    await asyncio.sleep(KILLED_AFTER + 2)
    for pid in pids:
        os.kill(pid, signal.SIGCONT)
    await asyncio.sleep(3)
    assert stack.status() == before


async def test_a_stopped_server_of_ours_is_restarted_on_its_address(stack: Stack) -> None:
    stack.open_page()
    before = await stack.ready()
    os.kill(before.server_pid, signal.SIGSTOP)
    stopped = await stack.until(lambda status: bool(status.problem))
    assert re.match(r"The Temporal server has not answered for \d+ s. After 8 s it is restarted.", stopped.problem)
    after = await stack.until(
        lambda status: status.phase == "ready" and status.server_pid not in (0, before.server_pid)
    )
    assert after.address == before.address
    await stack.until(lambda status: status.problem == "")


async def test_a_worker_that_blocks_at_import_is_reported_with_its_line_and_the_remedy(
    build_stack: BuildStack, tmp_path: Path
) -> None:
    stack = build_stack(worker=fake_worker(tmp_path, "blocked"))
    stack.open_page()
    status = await stack.until(lambda status: bool(status.problem), within=120)
    assert status.worker == "starting"
    assert re.match(
        r"The worker has not started within \d+ s: it is in tests/local/fake_worker.py, line \d+ \(<module>\). "
        "If a tool waits for something while it is imported, let it do that in its function; then run "
        "`python -m agent.local restart`.",
        status.problem,
    )


async def test_reset_gives_the_database_another_name_and_the_server_goes_on_with_an_empty_one(stack: Stack) -> None:
    stack.open_page()
    before = await stack.ready()
    await (await Client.connect(before.address)).start_workflow("Anything", id="a-chat", task_queue="nobody")
    done = await asyncio.to_thread(run_command, stack, "reset")
    assert (done.returncode, done.stderr) == (0, "")
    (aside,) = stack.home.glob("temporal-*.db")
    assert aside.name in done.stdout
    after = await stack.ready()
    assert after.address == before.address
    assert [chat async for chat in (await Client.connect(after.address)).list_workflows()] == []


async def test_reset_without_a_page_renames_and_says_so(tmp_path: Path, temporal_cli: Path) -> None:
    stack = Stack(tmp_path, temporal_cli)
    assert run_command(stack, "reset").stderr == f"There is no database in {tmp_path}, so nothing was reset.\n"
    (tmp_path / "temporal.db").write_text("chats")
    done = run_command(stack, "reset")
    (aside,) = tmp_path.glob("temporal-*.db")
    assert done.stdout.startswith(f"The chats are now in {aside.name} in {tmp_path}.\n")
    assert aside.read_text() == "chats"


async def test_the_reason_a_worker_does_not_start_is_reported(build_stack: BuildStack, tmp_path: Path) -> None:
    stack = build_stack(worker=fake_worker(tmp_path, "unusable"))
    stack.open_page()
    status = await stack.until(lambda status: status.worker == "failed" and status.phase == "ready")
    assert status.problem == (
        "The worker failed to start: LLM_TIMEOUT must be a number of seconds from 1 to 3600. Change it, then start again. "
        f"See {stack.config.worker_log}"
    )


async def test_of_a_crashed_worker_the_exception_is_shown_without_keys(build_stack: BuildStack, tmp_path: Path) -> None:
    stack = build_stack(worker=fake_worker(tmp_path, "broken"))
    stack.open_page()
    status = await stack.until(lambda status: status.worker == "failed")
    assert (
        status.problem
        == f"The worker failed to start: RuntimeError: the key is [hidden]. See {stack.config.worker_log}"
    )
    assert "RuntimeError" in stack.config.worker_log.read_text()


async def test_embedded_worker_off_starts_none(build_stack: BuildStack) -> None:
    stack = build_stack(worker=())
    stack.open_page()
    assert (await stack.ready()).worker == "off"
    assert stack.workers == []


async def test_processes_started_by_a_worker_are_killed_with_it(build_stack: BuildStack, tmp_path: Path) -> None:
    stack = build_stack(worker=fake_worker(tmp_path, "parent"))
    stack.open_page()
    before = await stack.ready()
    assert len(stack.living("time.sleep(600)")) == 1
    os.kill(before.worker_pid, signal.SIGKILL)
    await stack.until(lambda status: status.worker == "running" and status.worker_pid != before.worker_pid)
    assert len(stack.living("time.sleep(600)")) == 1


async def test_with_a_given_server_only_a_worker_is_started(build_stack: BuildStack) -> None:
    stack = build_stack(address="127.0.0.1:2")
    page = stack.open_page()
    status = await stack.ready()
    assert status.address == "127.0.0.1:2"
    assert "working for 127.0.0.1:2\n" in stack.config.worker_log.read_text()
    assert stack.servers == []
    page.send_signal(signal.SIGTERM)
    await stack.empty()
