"""`python -m tools`, as a person runs it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools.__main__ import as_text


def command(home: Path, *words: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "tools", *words],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        env={name: value for name, value in os.environ.items() if name != "STRIPE_API_KEY"}
        | {"STEADFAST_HOME": str(home), "PYTHONUTF8": "1"}
        | environment,
    )


def test_tools_and_goals_are_listed(tmp_path: Path) -> None:
    done = command(tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "MoveMoney" in done.stdout
    assert "event_flight_invoice" in done.stdout


def test_tool_runs_and_prints_a_table(tmp_path: Path) -> None:
    done = command(tmp_path, "FindEvents", "city=Austin", "month=May")
    assert done.returncode == 0
    assert done.stderr == "Looking through the calendar of Austin\n"
    head = next(line for line in done.stdout.splitlines() if line.startswith("name "))
    assert head.split() == ["name", "start", "end", "venue", "city", "description"]
    assert "-05-" in done.stdout


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["FindAliens"], 2, "There is no tool FindAliens."),
        (["findevents", "city=Austin"], 1, "FindEvents cannot run: month is missing.\n"),
        (["FindEvents", "city=Austin", "monht=May"], 2, "takes city, month, written as name=value; monht is not one"),
        (["FindEvents", "Austin"], 2, "Austin is not one of them"),
        (["SearchFlights", "origin=X", "destination=Y", "date_depart=2099-01-01", "date_return=2099-01-02"], 1, "No airport is known for X."),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_told_in_a_sentence(tmp_path: Path, words: list[str], code: int, sentence: str) -> None:
    done = command(tmp_path, *words)
    assert done.returncode == code
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_each_run_is_a_receipt_of_its_own_and_reset_takes_all_back(tmp_path: Path) -> None:
    move = ("MoveMoney", "email=alex.rivera@example.com", "source=savings", "target=checking", "amount=1000")
    assert "11650.00" in command(tmp_path, *move).stdout
    assert "10650.00" in command(tmp_path, *move).stdout
    assert command(tmp_path, "reset").stdout == "Mock data was reset.\n"
    assert "11650.00" in command(tmp_path, *move).stdout


def test_key_of_the_environment_is_not_printed(tmp_path: Path) -> None:
    key = "sk_live_0123456789abcdef"
    done = command(tmp_path, "CreateInvoice", "amount=1", "currency=USD", "description=x", STRIPE_API_KEY=key)
    assert done.returncode == 1
    assert "STRIPE_ALLOW_LIVE" in done.stderr
    assert key not in done.stderr + done.stdout


def test_records_are_a_table_with_a_column_for_every_name() -> None:
    assert as_text([{"a": 1, "long name": "x"}, {"a": True, "b": None, "c": [1, 2]}]).splitlines() == [
        "a    long name  b  c",
        "---  ---------  -  ----",
        "1    x",
        "yes                1, 2",
    ]


def test_record_is_told_line_by_line_with_its_lists_as_tables() -> None:
    assert as_text({"note": "two\nlines", "rows": [{"n": 1}]}) == "note: two lines\nrows:\nn\n-\n1"


def test_long_cell_is_cut() -> None:
    assert as_text([{"a": "x" * 100}]).splitlines()[2] == "x" * 43 + "…"


def test_anything_else_is_text() -> None:
    assert [as_text(value) for value in (None, 3, "a", ["a", "b"], [], {"a": {"b": 1}})] == ["", "3", "a", "a\nb", "", "a: b 1"]  # fmt: skip
