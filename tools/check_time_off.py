"""CheckTimeOff: how many days of time off somebody has left, and which are booked."""

from datetime import date
from typing import Annotated

from pydantic import BaseModel, Field

from tools import Returned, ToolContext, tool
from tools.services.mock_data import mock_data
from tools.services.people import PEOPLE, Email
from tools.services.staff import employee


class Booked(BaseModel):
    first: date
    last: date
    days: int
    status: str


class TimeOff(BaseModel):
    email: str
    name: str
    days_left: int
    booked: list[Booked]


@tool(effect="read", timeout=20)
def check_time_off(
    email: Annotated[Email, Field(title="What is your email address at work?", examples=PEOPLE)],
    context: ToolContext,
) -> Returned:
    """Check an employee's time off: how many days are left, and what is requested or booked.

    Args:
        email: the employee's email address at work
    """
    with mock_data(context.home) as database:
        found = employee(database, email)
        rows = database.execute("SELECT * FROM requests WHERE email = ? ORDER BY first", (found["email"],)).fetchall()
    booked = [Booked(first=row["first"], last=row["last"], days=row["days"], status=row["status"]) for row in rows]
    balance = TimeOff(email=found["email"], name=found["name"], days_left=found["days_left"], booked=booked)
    return Returned(balance, source="mock")
