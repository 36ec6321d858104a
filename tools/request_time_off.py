"""RequestTimeOff: ask for days off; approved when enough of them are left."""

import sqlite3
from datetime import date
from typing import Annotated, Any

from pydantic import Field

from tools import Returned, ToolContext, ToolError, tool
from tools.services.mock_data import change_once
from tools.services.people import Email
from tools.services.staff import employee, working_days

LONGEST = 366


@tool(effect="idempotent", timeout=20)
def request_time_off(
    email: Email,
    start: Annotated[date, Field(title="What is your first day off?", examples=["2027-03-15"])],
    end: Annotated[date, Field(title="And what is the last day?", examples=["2027-03-19"])],
    context: ToolContext,
) -> Returned:
    """Request time off from one day to another; only working days count. An approved request still has to be booked.

    Args:
        email: the employee's email address at work
        start: the first day off
        end: the last day off
    """
    if end < start:
        raise ToolError(f"The last day off, {end}, is before the first, {start}. Change one of them.")
    if start < date.today():
        raise ToolError(f"The first day off, {start}, is in the past. Choose a later day.")
    if (end - start).days > LONGEST:
        raise ToolError("A request may not be longer than a year. Choose an earlier last day.")
    days = working_days(start, end)
    if not days:
        raise ToolError(f"There is no working day from {start} to {end}, so nothing to request.")

    def change(database: sqlite3.Connection) -> dict[str, Any]:
        found = employee(database, email)
        overlap = database.execute(
            "SELECT request FROM requests WHERE email = ? AND first <= ? AND last >= ?",
            (found["email"], str(end), str(start)),
        ).fetchone()
        if overlap:
            raise ToolError(f"These days overlap with request {overlap[0]}. Choose others.")
        if days > found["days_left"]:
            raise ToolError(
                f"From {start} to {end} are {days} working days, but only {found['days_left']} are left. Choose fewer."
            )
        count = database.execute("SELECT count(*) FROM requests").fetchone()[0]
        request = f"TO-{count + 1:03}"
        database.execute(
            "INSERT INTO requests VALUES (?, ?, ?, ?, ?, ?)",
            (request, found["email"], str(start), str(end), days, "approved"),
        )
        approved = {"request": request, "email": found["email"], "start": str(start), "end": str(end)}
        return approved | {"days": days, "days_left": found["days_left"], "status": "approved"}

    return Returned(change_once(context.home, context.idempotency_key, "RequestTimeOff", change), source="mock")
