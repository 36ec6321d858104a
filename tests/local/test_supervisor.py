"""The worker beside the page: started, restarted and reported."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

from agent.local.status import ROOT
from tests.local.conftest import BuildStack
from tests.local.stack import Stack, environment_of, fake_worker


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


async def test_the_restart_command_restarts_the_worker(stack: Stack) -> None:
    settings = {"STEADFAST_HOME": str(stack.home)}
    command = [sys.executable, "-m", "agent.local", "restart"]

    def restart() -> str:
        done = subprocess.run(command, cwd=ROOT, env={**os.environ, **settings}, capture_output=True, text=True)
        return done.stdout

    assert await asyncio.to_thread(restart) == "No embedded worker is running.\n"
    stack.open_page()
    before = await stack.ready()
    assert await asyncio.to_thread(restart) == "Restarting the worker.\n"
    await stack.until(lambda status: status.worker == "running" and status.worker_pid != before.worker_pid)


async def test_the_reason_a_worker_does_not_start_is_reported(build_stack: BuildStack, tmp_path: Path) -> None:
    stack = build_stack(worker=fake_worker(tmp_path, "unusable"))
    stack.open_page()
    status = await stack.until(lambda status: status.worker == "failed")
    assert status.problem == (
        "The worker failed to start: LLM_TIMEOUT must be a number of seconds from 1 to 3600. Change it, then start again."
    )
    assert status.phase == "ready"


async def test_no_stack_trace_of_a_crashed_worker_is_shown(build_stack: BuildStack, tmp_path: Path) -> None:
    stack = build_stack(worker=fake_worker(tmp_path, "broken"))
    stack.open_page()
    status = await stack.until(lambda status: status.worker == "failed")
    assert status.problem == f"The worker failed to start: exit code 1; see {stack.config.worker_log}"
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
