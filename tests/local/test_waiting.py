"""What the terminal is told while things start."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.errors import StartFailed
from agent.local import waiting
from agent.local.locks import FileLock
from agent.local.setup import Setup
from agent.local.status import LocalStatus, Report, read_status
from agent.local.waiting import await_ready


def quiet(sentence: str) -> None:
    pass


@pytest.fixture
def setup(tmp_path: Path) -> Iterator[Setup]:
    """A setup whose keeper is this test."""
    setup = Setup(home=str(tmp_path), worker=("worker",))
    lock = FileLock(setup.keeper)
    assert lock.take()
    yield setup
    lock.close()


async def test_each_step_is_said_once_and_the_end_returned(setup: Setup) -> None:
    report = Report(setup.status, worker=True)
    report.server(step="Starting the Temporal server")
    said: list[str] = []

    def say(step: str) -> None:
        said.append(step)
        if step == "Starting the Temporal server":
            report.server(phase="ready", address="here:1")
        elif step == "Starting the worker":
            report.worker(worker="running")

    status = await await_ready(setup, say, 10)
    assert said == ["Starting the Temporal server", "Starting the worker", "Ready"]
    assert status.address == "here:1"


async def test_a_step_that_lasts_is_said_again(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "SAY_EVERY", 0.2)
    Report(setup.status, worker=True).server(step="Starting the Temporal server")
    said: list[str] = []
    with pytest.raises(StartFailed, match="the last step was: Starting the Temporal server"):
        await await_ready(setup, said.append, 0.5)
    assert said[:2] == ["Starting the Temporal server", "Starting the Temporal server (0 s so far)"]


async def test_a_start_that_failed_raises_the_reason(setup: Setup) -> None:
    Report(setup.status, worker=True).server(phase="failed", problem="No server. Install one.")
    with pytest.raises(StartFailed, match=r"^No server. Install one.$"):
        await await_ready(setup, quiet, 10)


async def test_a_worker_that_fails_is_no_reason_to_wait(setup: Setup) -> None:
    report = Report(setup.status, worker=True)
    report.server(phase="ready", address="here:1")
    report.worker(worker="failed", problem="The worker does not start: x")
    status = await await_ready(setup, quiet, 10)
    assert (status.worker, status.problem) == ("failed", "The worker does not start: x")


def test_the_servers_problem_comes_first_and_the_workers_after_it(setup: Setup) -> None:
    report = Report(setup.status, worker=True)
    report.worker(problem="worker")
    report.server(problem="server")
    assert read_status(setup.status).problem == "server"
    report.server(problem="")
    assert read_status(setup.status).problem == "worker"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"another": "version"}'])
def test_a_status_that_cannot_be_read_is_a_fresh_start(tmp_path: Path, text: str) -> None:
    (tmp_path / "status.json").write_text(text)
    assert read_status(tmp_path / "status.json") == LocalStatus()
