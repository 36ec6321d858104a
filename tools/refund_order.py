"""RefundOrder: give the money of an order back."""

import sqlite3
from datetime import date, timedelta
from typing import Any

from tools import Returned, ToolContext, ToolError, tool
from tools.services.shop import find_order
from tools.services.world import money, once

DAYS = 60


@tool(effect="idempotent", timeout=20)
def refund_order(order: str, reason: str, context: ToolContext) -> Returned:
    """Refund an order that is at most 60 days old; it cannot be taken back.

    Args:
        order: the number of the order, such as 1042
        reason: why it is refunded
    """

    def change(database: sqlite3.Connection) -> dict[str, Any]:
        row = find_order(database, order)
        if row["status"] == "refunded":
            raise ToolError(f"Order {row['number']} has been refunded already.")
        if date.fromisoformat(row["ordered"]) < date.today() - timedelta(DAYS):
            raise ToolError(
                f"Order {row['number']} of {row['ordered']} is more than {DAYS} days old: too late to refund."
            )
        database.execute("UPDATE orders SET status = 'refunded' WHERE number = ?", (row["number"],))
        told = {"order": row["number"], "item": row["item"], "refunded": money(row["total"]), "currency": "USD"}
        return told | {"reason": reason, "reference": f"RF-{row['number']}"}

    return Returned(once(context.home, context.idempotency_key, "RefundOrder", change), source="mock")
