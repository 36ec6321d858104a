"""The accounts of the mock data."""

import sqlite3

from tools.kit.tool import ToolError


def accounts_of(database: sqlite3.Connection, email: str) -> list[sqlite3.Row]:
    """The accounts of the customer with this address; raises ToolError for one who has none."""
    rows = database.execute(
        "SELECT * FROM accounts WHERE lower(email) = lower(?) ORDER BY name", (email.strip(),)
    ).fetchall()
    if not rows:
        known = database.execute("SELECT min(email) FROM accounts").fetchone()[0]
        raise ToolError(f"No account belongs to {email}. Use the email address on file with the bank, such as {known}.")
    return rows
