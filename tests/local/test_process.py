"""Children that die with their parent, and workers that notice that their supervisor died."""

import asyncio
import logging
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from agent.local.pipe import SUPERVISED
from agent.local.process import Child, open_log
from agent.local.status import ROOT
from tests.local.stack import eventually

LOG = logging.getLogger("tests")


def python(code: str, *arguments: str) -> list[str]:
    return [sys.executable, "-c", code, *arguments]


async def test_its_output_goes_to_the_log_and_its_last_error_is_kept(tmp_path: Path) -> None:
    log = open_log(tmp_path / "a.log")
    child = Child(python("import sys; print('out'); sys.exit('the last error')"), log=log)
    await child.ended.wait()
    assert (child.code, child.last_error) == (1, "the last error")
    assert not child.ready.is_set()
    written = (tmp_path / "a.log").read_text()
    assert "out\n" in written
    assert "the last error\n" in written


async def test_a_megabyte_without_a_newline_does_not_block_it() -> None:
    child = Child(python("import sys; sys.stderr.write('x' * 1_000_000); sys.exit(3)"), log=LOG)
    await child.ended.wait()
    assert child.code == 3


async def test_a_missing_program_ends_at_once() -> None:
    child = Child(["/nowhere/program"], log=LOG)
    await child.ended.wait()
    assert child.code == 1


async def test_heartbeats_are_counted_and_not_logged(tmp_path: Path) -> None:
    child = Child(python("print('half a line\\0' '40\\n\\0' '40', flush=True)"), log=open_log(tmp_path / "b.log"))
    await child.ended.wait()
    assert child.ready.is_set()
    assert (child.heartbeats, child.grace) == (2, 40.0)
    assert (tmp_path / "b.log").read_text().endswith(" half a line\n")


async def test_stop_sends_sigterm_then_sigkill() -> None:
    sleep = "import time; print('\\0' '5', flush=True); time.sleep(600)"
    polite = Child(python(sleep), log=LOG)
    deaf = Child(python(f"import signal; signal.signal(15, signal.SIG_IGN); {sleep}"), log=LOG)
    for child in (polite, deaf):
        await child.ready.wait()
        await child.stop(1)
    assert (polite.code, deaf.code) == (-signal.SIGTERM, -signal.SIGKILL)


async def test_stopping_an_ended_child_does_nothing() -> None:
    child = Child(python(""), log=LOG)
    await child.ended.wait()
    await child.stop(1)
    assert child.code == 0


PARENT = """
import asyncio, logging, sys
from agent.local.pipe import SUPERVISED
from agent.local.process import Child
async def main():
    child = Child([sys.executable, "-c", sys.argv[1]], log=logging.getLogger(), environment={"STEADFAST_SUPERVISED": "1"})
    print(child.pid, flush=True)
    await asyncio.sleep(600)
asyncio.run(main())
"""


def start(*arguments: str) -> tuple[subprocess.Popen[str], int]:
    parent = subprocess.Popen(python(*arguments), cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert parent.stdout
    with parent.stdout:
        return parent, int(parent.stdout.readline())


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux's kernel offers it")
async def test_a_child_dies_with_a_parent_that_is_killed() -> None:
    parent, pid = start(PARENT, "import time; time.sleep(600)")
    await asyncio.sleep(0.2)
    parent.kill()
    parent.wait()
    await eventually(lambda: not psutil.pid_exists(pid))


def supervised(code: str) -> subprocess.Popen[str]:
    """A worker on whose stdin we are the supervisor."""
    environment = {**os.environ, SUPERVISED: "1"}
    command = python(code)
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )


def test_a_worker_receives_the_address_of_its_server() -> None:
    code = "import asyncio; from agent.local import supervisor_pipe; print(asyncio.run(supervisor_pipe().address()))"
    with supervised(code) as worker:
        assert worker.stdin
        assert worker.stdout
        worker.stdin.write("127.0.0.1:7\n")
        worker.stdin.flush()
        assert worker.stdout.read() == "127.0.0.1:7\n"


def test_a_worker_started_by_hand_leaves_its_stdin_alone() -> None:
    code = "import os; from agent.local import supervisor_pipe; print(supervisor_pipe(), os.read(0, 9).decode())"
    done = subprocess.run(python(code), cwd=ROOT, input="mine", capture_output=True, text=True, check=True)
    assert done.stdout == "None mine\n"
