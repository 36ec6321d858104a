"""TrackOrder: where an order is."""

from typing import Annotated

from pydantic import Field

from tools import Returned, ToolContext, tool
from tools.services.mock_data import mock_data
from tools.services.shop import find_order


@tool(effect="read", timeout=20)
def track_order(
    order: Annotated[str, Field(title="Which order is it about?", examples=["1047"])], context: ToolContext
) -> Returned:
    """Track an order: where it is, who delivers it and when it is expected.

    Args:
        order: the number of the order
    """
    with mock_data(context.home) as database:
        row = find_order(database, order)
    shipment = {"order": row["number"], "item": row["item"], "status": row["status"], "carrier": row["carrier"]}
    when = "delivered" if row["status"] in ("delivered", "refunded") else "expected"
    return Returned(shipment | {when: row["expected"]}, source="mock")
