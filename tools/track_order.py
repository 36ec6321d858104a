"""TrackOrder: where an order is."""

from tools import Returned, ToolContext, tool
from tools.services.shop import find_order
from tools.services.world import world


@tool(effect="read", timeout=20)
def track_order(order: str, context: ToolContext) -> Returned:
    """Show where an order is, who brings it and when it is expected.

    Args:
        order: the number of the order, such as 1047
    """
    with world(context.home) as database:
        row = find_order(database, order)
    told = {"order": row["number"], "item": row["item"], "status": row["status"], "carrier": row["carrier"]}
    when = "delivered" if row["status"] in ("delivered", "refunded") else "expected"
    return Returned(told | {when: row["expected"]}, source="mock")
