"""Children that die with us, and workers that notice by themselves."""

import asyncio
import logging
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from agent.local.child import Child, open_log
from agent.local.setup import ROOT
from tests.local.house import happens

LOG = logging.getLogger("tests")


def python(code: str, *arguments: str) -> list[str]:
    return [sys.executable, "-c", code, *arguments]


async def test_its_lines_go_to_the_log_and_the_last_is_remembered(tmp_path: Path) -> None:
    log = open_log(tmp_path / "a.log")
    child = Child(python("import sys; print('out'); sys.exit('the last words')"), log=log)
    await child.ended.wait()
    assert (child.code, child.last_line) == (1, "the last words")
    assert child.spoke.is_set()
    written = (tmp_path / "a.log").read_text()
    assert "out\n" in written
    assert "the last words\n" in written


async def test_a_flood_without_a_newline_does_no_harm() -> None:
    child = Child(python("import sys; sys.stderr.write('x' * 1_000_000); sys.exit(3)"), log=LOG)
    await child.ended.wait()
    assert child.code == 3


async def test_a_command_that_is_not_there_ends_at_once() -> None:
    child = Child(["/nowhere/program"], log=LOG)
    await child.ended.wait()
    assert child.code == 1


async def test_stop_asks_first_and_then_insists() -> None:
    polite = Child(python("import time; print(1, flush=True); time.sleep(600)"), log=LOG)
    deaf = Child(
        python("import signal, time; signal.signal(15, signal.SIG_IGN); print(1, flush=True); time.sleep(600)"), log=LOG
    )
    for child in (polite, deaf):
        await child.spoke.wait()
        await child.stop(0.3)
    assert (polite.code, deaf.code) == (-signal.SIGTERM, -signal.SIGKILL)


async def test_stopping_what_has_ended_does_nothing() -> None:
    child = Child(python(""), log=LOG)
    await child.ended.wait()
    await child.stop(1)
    assert child.code == 0


PARENT = """
import asyncio, logging, sys
from agent.local.child import Child
async def main():
    child = Child([sys.executable, "-c", sys.argv[1]], log=logging.getLogger(), environment={"STEADFAST_KEEPER_PIPE": "1"})
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
    await happens(lambda: not psutil.pid_exists(pid), 2.0)


async def test_a_worker_stops_when_the_pipe_from_its_keeper_closes() -> None:
    code = "import time; from agent.local import watch_parent; watch_parent(); print(1, flush=True); time.sleep(600)"
    worker = subprocess.Popen(
        python(code),
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "STEADFAST_KEEPER_PIPE": "1"},
    )
    with worker:
        assert worker.stdout
        assert worker.stdin
        worker.stdout.readline()
        worker.stdin.close()
        assert worker.wait(5) == -signal.SIGTERM


async def test_a_worker_started_by_hand_reads_nothing() -> None:
    code = "import os; from agent.local import watch_parent; watch_parent(); print(os.read(0, 9).decode())"
    done = subprocess.run(python(code), cwd=ROOT, input="mine", capture_output=True, text=True, check=True)
    assert done.stdout == "mine\n"
