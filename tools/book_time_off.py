"""BookTimeOff: take the days of an approved request from what is left."""

import sqlite3
from typing import Annotated, Any

from pydantic import Field

from tools import Returned, ToolContext, ToolError, tool
from tools.services.mock_data import change_once


@tool(effect="idempotent", timeout=20)
def book_time_off(request: Annotated[str, Field(examples=["TO-001"])], context: ToolContext) -> Returned:
    """Book the time off of an approved request; its days are taken from what is left.

    Args:
        request: the number of the approved request
    """

    def change(database: sqlite3.Connection) -> dict[str, Any]:
        row = database.execute("SELECT * FROM requests WHERE lower(request) = lower(?)", (request,)).fetchone()
        if row is None:
            raise ToolError(f"There is no request {request}. Request the time off first.")
        if row["status"] != "approved":
            raise ToolError(f"The request {row['request']} is {row['status']}, so it cannot be booked.")
        left = database.execute("SELECT days_left FROM employees WHERE email = ?", (row["email"],)).fetchone()[0]
        if row["days"] > left:
            raise ToolError(f"The request is for {row['days']} days, but only {left} are left.")
        database.execute("UPDATE employees SET days_left = ? WHERE email = ?", (left - row["days"], row["email"]))
        database.execute("UPDATE requests SET status = 'booked' WHERE request = ?", (row["request"],))
        booking = {"request": row["request"], "start": row["first"], "end": row["last"], "days": row["days"]}
        return booking | {"days_left": left - row["days"], "status": "booked"}

    return Returned(change_once(context.home, context.idempotency_key, "BookTimeOff", change), source="mock")
