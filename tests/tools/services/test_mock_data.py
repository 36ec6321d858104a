"""The mock data changes once for each receipt, whatever happens to those who change it."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tools import ToolContext, ToolError, Toolset
from tools.services.mock_data import FILE, change_once, mock_data, reset

MOVE = {"email": "alex.rivera@example.com", "source": "Savings", "target": "Checking", "amount": "100.10"}


def balance(home: Path, account: str) -> int:
    with mock_data(home) as database:
        return int(
            database.execute(
                "SELECT balance FROM accounts WHERE email = ? AND name = ?", (MOVE["email"], account)
            ).fetchone()[0]
        )


async def move(toolset: Toolset, home: Path, key: str = "chat/1", **changed: str) -> Any:
    return (await toolset.tools["MoveMoney"].run(MOVE | changed, ToolContext(key, home=home))).result


async def test_same_receipt_moves_money_once(toolset: Toolset, tmp_path: Path) -> None:
    before = balance(tmp_path, "Savings")
    first = await move(toolset, tmp_path)
    assert await move(toolset, tmp_path) == first
    assert balance(tmp_path, "Savings") == before - 10010


async def test_another_receipt_moves_it_again(toolset: Toolset, tmp_path: Path) -> None:
    before = balance(tmp_path, "Checking")
    await move(toolset, tmp_path)
    await move(toolset, tmp_path, "chat/2")
    assert balance(tmp_path, "Checking") == before + 20020


async def test_twenty_attempts_at_once_move_it_once(toolset: Toolset, tmp_path: Path) -> None:
    results = await asyncio.gather(*(move(toolset, tmp_path) for _ in range(20)))
    assert all(result == results[0] for result in results)
    with mock_data(tmp_path) as database:
        assert database.execute("SELECT count(*) FROM transfers").fetchone()[0] == 1


async def test_refused_change_uses_up_no_receipt(toolset: Toolset, tmp_path: Path) -> None:
    before = balance(tmp_path, "Travel fund")
    with pytest.raises(ToolError, match=r"^There are only 618\.75 USD in Travel fund"):
        await move(toolset, tmp_path, source="Travel fund", amount="4000")
    assert balance(tmp_path, "Travel fund") == before
    await move(toolset, tmp_path, source="Travel fund", amount="18.75")
    assert balance(tmp_path, "Travel fund") == before - 1875


async def test_receipt_of_another_tool_is_refused(toolset: Toolset, tmp_path: Path) -> None:
    await move(toolset, tmp_path)
    with pytest.raises(ToolError, match="was already used for MoveMoney"):
        await toolset.tools["RefundOrder"].run({"order": "1042", "reason": "x"}, ToolContext("chat/1", home=tmp_path))


KILLED = """
import os, sys
from pathlib import Path
from tools.services.mock_data import change_once

def change(database):
    database.execute("UPDATE accounts SET balance = 0")
    print("changed", flush=True)
    sys.stdin.read()

change_once(Path(sys.argv[1]), "chat/1", "MoveMoney", change)
"""


async def test_worker_killed_in_the_middle_of_a_change_changes_nothing(toolset: Toolset, tmp_path: Path) -> None:
    before = balance(tmp_path, "Savings")
    command = [sys.executable, "-c", KILLED, str(tmp_path)]
    worker = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert worker.stdout is not None
        assert worker.stdout.readline().strip() == b"changed"
    finally:
        os.kill(worker.pid, signal.SIGKILL)
        worker.communicate()
    assert balance(tmp_path, "Savings") == before
    await move(toolset, tmp_path)
    assert balance(tmp_path, "Savings") == before - 10010


def test_answer_that_was_lost_is_given_again(tmp_path: Path) -> None:
    def change(database: sqlite3.Connection) -> dict[str, Any]:
        return {"n": 1}

    def never(database: sqlite3.Connection) -> dict[str, Any]:
        raise AssertionError("changed twice")

    assert change_once(tmp_path, "k", "T", change) == change_once(tmp_path, "k", "T", never) == {"n": 1}


async def test_reset_restores_the_initial_data(toolset: Toolset, tmp_path: Path) -> None:
    before = balance(tmp_path, "Savings")
    await move(toolset, tmp_path)
    reset(tmp_path)
    assert balance(tmp_path, "Savings") == before
    await move(toolset, tmp_path)
    assert balance(tmp_path, "Savings") == before - 10010


async def test_damaged_file_is_told_and_reset_mends_it(toolset: Toolset, tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"this is not a database, and long enough to tell" * 40)
    with pytest.raises(ToolError, match=r"world\.sqlite3 is damaged\. Run: python -m tools reset"):
        await move(toolset, tmp_path)
    reset(tmp_path)
    await move(toolset, tmp_path)
