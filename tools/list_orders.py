"""ListOrders: what the person has bought."""

from tools import Returned, ToolContext, tool
from tools.services.world import money, world


@tool(effect="read", timeout=20, view="table")
def list_orders(context: ToolContext) -> Returned:
    """List the person's orders, the newest first, with what they cost and how they stand."""
    with world(context.home) as database:
        rows = database.execute("SELECT * FROM orders ORDER BY ordered DESC, number DESC").fetchall()
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
    return Returned({"orders": orders}, source="mock")
