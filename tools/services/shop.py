"""The orders of the mock data."""

import re
import sqlite3

from tools.kit.tool import ToolError


def find_order(database: sqlite3.Connection, order: str) -> sqlite3.Row:
    """The order of a number, however it is written; raises ToolError for an unknown one."""
    digits = re.search(r"\d+", order)
    row: sqlite3.Row | None = database.execute(
        "SELECT * FROM orders WHERE number = ?", (digits[0] if digits else "",)
    ).fetchone()
    if row is None:
        raise ToolError(f"There is no order {order}. List the orders to see their numbers.")
    return row


def orders_of(database: sqlite3.Connection, email: str) -> list[sqlite3.Row]:
    """The orders of the customer with this address, newest first; raises ToolError for one who has none."""
    rows = database.execute(
        "SELECT * FROM orders WHERE lower(email) = lower(?) ORDER BY ordered DESC, number DESC", (email.strip(),)
    ).fetchall()
    if not rows:
        known = database.execute("SELECT min(email) FROM orders").fetchone()[0]
        raise ToolError(
            f"There are no orders for {email}. Use the email address they were placed with, such as {known}."
        )
    return rows
