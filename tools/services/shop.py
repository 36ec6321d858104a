"""The orders of the mock world."""

import re
import sqlite3

from tools.kit.errors import ToolError


def find_order(database: sqlite3.Connection, order: str) -> sqlite3.Row:
    """The order of a number, however it is written; raises ToolError for an unknown one."""
    digits = re.search(r"\d+", order)
    row: sqlite3.Row | None = database.execute(
        "SELECT * FROM orders WHERE number = ?", (digits[0] if digits else "",)
    ).fetchone()
    if row is None:
        raise ToolError(f"There is no order {order}. List the orders to see their numbers.")
    return row
