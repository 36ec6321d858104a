"""ListOrders: what the person has bought."""

from tools import Returned, ToolContext, tool
from tools.services.people import Email
from tools.services.shop import orders_of
from tools.services.world import money, world


@tool(effect="read", timeout=20, view="table")
def list_orders(email: Email, context: ToolContext) -> Returned:
    """List the person's orders, the newest first, with what they cost and how they stand.

    Args:
        email: the address that the person orders with, such as alex.rivera@example.com
    """
    with world(context.home) as database:
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
