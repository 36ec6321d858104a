"""`python3 -m tests`: each check reports for itself, and a failed one fails the whole command."""

import sys
from pathlib import Path

import pytest

from tests import __main__ as command


@pytest.fixture(autouse=True)
def this_python(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is installed or replaced: the checks run with the Python of the test."""
    monkeypatch.setattr(command, "PYTHON", Path(sys.executable))
    monkeypatch.setattr(command, "prepare", lambda requirements: None)


def test_a_failed_check_is_named_and_the_tests_run_all_the_same(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "CHECKS", {"good": ["json.tool", "--help"], "bad": ["no_such_module"]})
    monkeypatch.setattr(command, "PARALLEL", ["--version"])
    assert command.main([]) == 1
    said = capfd.readouterr().out.splitlines()
    assert said[:2] == ["good: passed", "bad: FAILED"]
    assert "No module named no_such_module" in said[2]
    assert said[-2].startswith("pytest ")
    assert said[-1] == "Failed checks, see above: bad"


def test_with_arguments_there_are_no_checks_but_pytest_with_them(monkeypatch: pytest.MonkeyPatch) -> None:
    def become(*arguments: str) -> None:
        assert arguments == ("-m", "pytest", *command.PARALLEL, "-m", "not slow")
        raise SystemExit

    monkeypatch.setattr(command, "become", become)
    with pytest.raises(SystemExit):
        command.main(["-m", "not slow"])
