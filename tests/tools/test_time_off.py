from datetime import date, timedelta
from typing import Any

import pytest

from tools import InvalidArguments, ToolContext, ToolError, Toolset

ALEX = "alex.rivera@example.com"
MONDAY = date.today() + timedelta(days=35 - date.today().weekday())


class Staff:
    """Alex at the tools, each call under a receipt of its own."""

    def __init__(self, toolset: Toolset, context: ToolContext) -> None:
        self.toolset, self.home, self.receipts = toolset, context.home, 0

    async def run(self, tool: str, **arguments: str) -> Any:
        self.receipts += 1
        context = ToolContext(f"chat/{self.receipts}", home=self.home)
        return (await self.toolset.tools[tool].run(arguments, context)).result

    async def request(self, first: date, days: int) -> Any:
        last = first + timedelta(days - 1)
        return await self.run("RequestTimeOff", email=ALEX, start=str(first), end=str(last))


@pytest.fixture
def staff(toolset: Toolset, context: ToolContext) -> Staff:
    return Staff(toolset, context)


async def test_request_is_approved_booked_and_taken_from_what_is_left(staff: Staff) -> None:
    assert (await staff.run("CheckTimeOff", email=ALEX.upper()))["days_left"] == 18
    requested = await staff.request(MONDAY, 7)
    assert (requested["days"], requested["status"]) == (5, "approved")
    booked = await staff.run("BookTimeOff", request=requested["request"])
    assert (booked["days_left"], booked["status"]) == (13, "booked")
    after = await staff.run("CheckTimeOff", email=ALEX)
    assert after["days_left"] == 13
    assert [entry["status"] for entry in after["booked"]] == ["booked"]


async def test_more_days_than_are_left_are_refused(staff: Staff) -> None:
    with pytest.raises(ToolError, match=r"are 28 working days, but only 18 are left\. Choose fewer\.$"):
        await staff.request(MONDAY, 38)


async def test_days_requested_twice_are_booked_only_while_they_are_left(staff: Staff) -> None:
    """Two requests fit one by one, but not together."""
    first = await staff.request(MONDAY, 12)
    second = await staff.request(MONDAY + timedelta(14), 12)
    await staff.run("BookTimeOff", request=first["request"])
    with pytest.raises(ToolError, match=r"^The request is for 10 days, but only 8 are left\.$"):
        await staff.run("BookTimeOff", request=second["request"])


async def test_overlap_is_refused(staff: Staff) -> None:
    await staff.request(MONDAY, 3)
    with pytest.raises(ToolError, match="overlap with request TO-001"):
        await staff.request(MONDAY + timedelta(2), 2)


async def test_same_request_is_not_booked_twice(staff: Staff) -> None:
    requested = await staff.request(MONDAY, 1)
    await staff.run("BookTimeOff", request=requested["request"])
    with pytest.raises(ToolError, match="is booked"):
        await staff.run("BookTimeOff", request=requested["request"])


@pytest.mark.parametrize(
    ("first", "days", "sentence"),
    [
        (date(2020, 1, 6), 3, "is in the past"),
        (MONDAY, -2, "is before the first"),
        (MONDAY + timedelta(5), 2, "no working day"),
        (MONDAY, 400, "longer than a year"),
    ],
)
async def test_days_that_cannot_be_are_told(staff: Staff, first: date, days: int, sentence: str) -> None:
    with pytest.raises(ToolError, match=sentence):
        await staff.request(first, days)


@pytest.mark.parametrize("email", ["hello", "me@home", "a b@example.com"])
def test_what_is_no_address_is_refused_before_it_is_confirmed(toolset: Toolset, email: str) -> None:
    with pytest.raises(InvalidArguments, match=r"email must be an email address such as alex\.rivera@example\.com"):
        toolset.tools["CheckTimeOff"].validate({"email": email})


async def test_stranger_is_told(staff: Staff) -> None:
    with pytest.raises(ToolError, match=r"^No employee has the email address me@example\.com\."):
        await staff.run("CheckTimeOff", email="me@example.com")
