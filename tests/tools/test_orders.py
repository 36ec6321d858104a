from typing import Any

import pytest

from tools import ToolContext, ToolError, Toolset


async def run(toolset: Toolset, context: ToolContext, tool: str, **arguments: str) -> Any:
    return (await toolset.tools[tool].run(arguments, context)).result


async def test_order_is_listed_tracked_and_refunded(toolset: Toolset, context: ToolContext) -> None:
    orders = (await run(toolset, context, "ListOrders", email="alex.rivera@example.com"))["orders"]
    assert [order["order"] for order in orders] == ["1055", "1051", "1047", "1042", "0968"]
    tracked = await run(toolset, context, "TrackOrder", order="#1047")
    assert tracked["status"] == "on its way"
    assert "expected" in tracked
    refunded = await run(toolset, context, "RefundOrder", order="1047", reason="wrong colour")
    assert (refunded["refunded"], refunded["currency"], refunded["reference"]) == ("124.50", "USD", "RF-1047")
    assert (await run(toolset, context, "TrackOrder", order="1047"))["status"] == "refunded"


async def test_customer_sees_their_own_orders(toolset: Toolset, context: ToolContext) -> None:
    orders = (await run(toolset, context, "ListOrders", email="Sam.Okafor@example.com"))["orders"]
    assert [order["order"] for order in orders] == ["1053"]
    with pytest.raises(ToolError, match=r"^There are no orders for me@example\.com\."):
        await run(toolset, context, "ListOrders", email="me@example.com")


async def test_order_is_refunded_once(toolset: Toolset, context: ToolContext) -> None:
    first = await run(toolset, context, "RefundOrder", order="1042", reason="broken")
    assert await run(toolset, context, "RefundOrder", order="1042", reason="broken") == first
    with pytest.raises(ToolError, match="has been refunded already"):
        await run(toolset, ToolContext("chat/2", home=context.home), "RefundOrder", order="1042", reason="broken")


@pytest.mark.parametrize(
    ("order", "sentence"), [("0968", "too late to refund"), ("77", "no order 77"), ("it", "no order it")]
)
async def test_order_that_cannot_be_refunded_is_told(
    toolset: Toolset, context: ToolContext, order: str, sentence: str
) -> None:
    with pytest.raises(ToolError, match=sentence):
        await run(toolset, context, "RefundOrder", order=order, reason="x")
