"""The data behind the mock tools (accounts, orders, employees, a menu): one SQLite file, changed once for each receipt."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from tools.kit.tool import ToolError
from tools.services.places import DATA

FILE = "world.sqlite3"
"""Its name since the first version: what was booked with an older one is still there."""

VERSION = 1
"""Of mock_data.sql. A file made by another version is reset."""


@contextmanager
def mock_data(home: Path) -> Iterator[sqlite3.Connection]:
    """The data in one transaction: all that is changed inside is kept together, or nothing if anything fails."""
    home.mkdir(parents=True, exist_ok=True)
    path = home / FILE
    database = sqlite3.connect(path, timeout=20, isolation_level=None)
    database.row_factory = sqlite3.Row
    try:
        database.execute("BEGIN IMMEDIATE")
        if database.execute("PRAGMA user_version").fetchone()[0] != VERSION:
            _make(database)
        yield database
        database.execute("COMMIT")
    except sqlite3.OperationalError:
        raise  # busy, say: it may work later
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.IntegrityError):
            raise
        raise ToolError(f"The mock data file {path.name} is damaged. Run: python -m tools reset") from error
    finally:
        database.close()


def change_once(
    home: Path, key: str, tool: str, change: Callable[[sqlite3.Connection], dict[str, Any]]
) -> dict[str, Any]:
    """Make a change under a receipt's key; the same key again gives the first answer and changes nothing."""
    with mock_data(home) as database:
        row = database.execute("SELECT tool, result FROM receipts WHERE key = ?", (key,)).fetchone()
        if row is None:
            result = change(database)
            database.execute(
                "INSERT INTO receipts (key, tool, result) VALUES (?, ?, ?)", (key, tool, json.dumps(result))
            )
            return result
        if row["tool"] != tool:
            raise ToolError(f"The idempotency key {key} was already used for {row['tool']}.")
        kept: dict[str, Any] = json.loads(row["result"])
        return kept


def reset(home: Path) -> None:
    """Start with fresh data, whatever is in the file."""
    home.mkdir(parents=True, exist_ok=True)
    try:
        with mock_data(home) as database:
            _make(database)
    except ToolError:
        (home / FILE).unlink()
        reset(home)


def money(cents: int) -> str:
    """1999 -> "19.99"."""
    return str(Decimal(cents).scaleb(-2))


def cents(amount: Decimal) -> int:
    """Decimal("19.99") -> 1999; the amount has two decimal places at most."""
    return int(amount.scaleb(2))


def _make(database: sqlite3.Connection) -> None:
    for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
        database.execute(f'DROP TABLE "{name}"')
    statement = ""
    for line in (DATA / "mock_data.sql").read_text(encoding="utf-8").splitlines():
        statement += line + "\n"
        if sqlite3.complete_statement(statement):  # executescript would commit half of it
            database.execute(statement)
            statement = ""
    database.execute(f"PRAGMA user_version = {VERSION}")
