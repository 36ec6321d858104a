"""The employees of the mock data."""

import sqlite3
from datetime import date, timedelta

from tools.kit.tool import ToolError


def employee(database: sqlite3.Connection, email: str) -> sqlite3.Row:
    """The employee with this address; raises ToolError naming one that exists."""
    row: sqlite3.Row | None = database.execute(
        "SELECT * FROM employees WHERE lower(email) = lower(?)", (email.strip(),)
    ).fetchone()
    if row is None:
        known = database.execute("SELECT min(email) FROM employees").fetchone()[0]
        raise ToolError(f"No employee has the email address {email}. Use your work address, such as {known}.")
    return row


def working_days(first: date, last: date) -> int:
    """Mondays to Fridays, both ends included."""
    return sum((first + timedelta(day)).weekday() < 5 for day in range((last - first).days + 1))
