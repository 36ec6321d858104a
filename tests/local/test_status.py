"""The status file: whose problem is shown, and what is read from a broken one."""

from pathlib import Path

import pytest

from agent.local.status import LocalStatus, StatusReport, read_status


async def test_the_servers_problem_is_shown_before_the_workers(tmp_path: Path) -> None:
    report = StatusReport(tmp_path / "status.json", worker=True)
    report.worker(problem="worker")
    report.server(problem="server")
    assert read_status(tmp_path / "status.json").problem == "server"
    report.server(problem="")
    assert read_status(tmp_path / "status.json").problem == "worker"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"another": "version"}'])
def test_a_status_that_cannot_be_read_is_a_fresh_start(tmp_path: Path, text: str) -> None:
    (tmp_path / "status.json").write_text(text)
    assert read_status(tmp_path / "status.json") == LocalStatus()
