"""ListOrders: what the person has bought."""

from typing import Annotated

from pydantic import Field

from tools import Returned, ToolContext, tool
from tools.services.mock_data import mock_data, money
from tools.services.people import PEOPLE, Email
from tools.services.shop import orders_of


@tool(effect="read", timeout=20)
def list_orders(
    email: Annotated[Email, Field(title="What email address did you order with?", examples=PEOPLE)],
    context: ToolContext,
) -> Returned:
    """List the person's orders, newest first, with totals and status.

    Args:
        email: the email address that the person orders with
    """
    with mock_data(context.home) as database:
        rows = orders_of(database, email)
    orders = [
        {
            "order": row["number"],
            "item": row["item"],
            "total": money(row["total"]),
            "currency": "USD",
            "ordered": row["ordered"],
            "status": row["status"],
        }
        for row in rows
    ]
    return Returned({"email": rows[0]["email"], "orders": orders}, source="mock")
