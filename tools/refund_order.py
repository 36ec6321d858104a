"""RefundOrder: give the money of an order back."""

import sqlite3
from datetime import date, timedelta
from typing import Annotated, Any

from pydantic import Field

from tools import Returned, ToolContext, ToolError, tool
from tools.services.mock_data import change_once, money
from tools.services.shop import find_order

DAYS = 60


@tool(effect="idempotent", timeout=20)
def refund_order(
    order: Annotated[str, Field(title="Which order is it about?", examples=["1047"])],
    reason: Annotated[str, Field(title="If you would like your money back for it, what is the reason?")],
    context: ToolContext,
) -> Returned:
    """Refund an order: give the money back for one that is at most 60 days old. It cannot be undone.

    Args:
        order: the number of the order
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
        refund = {"order": row["number"], "item": row["item"], "refunded": money(row["total"]), "currency": "USD"}
        return refund | {"reason": reason, "reference": f"RF-{row['number']}"}

    return Returned(change_once(context.home, context.idempotency_key, "RefundOrder", change), source="mock")
