from typing import Any

import pytest

from tools import InvalidArguments, ToolContext, ToolError, Toolset


async def add(toolset: Toolset, context: ToolContext, key: str, item: str, quantity: int = 1) -> Any:
    tool = toolset.tools["AddToCart"]
    return (await tool.run({"item": item, "quantity": quantity}, ToolContext(key, home=context.home))).result


async def test_menu_has_prices(toolset: Toolset, context: ToolContext) -> None:
    menu = (await toolset.tools["ShowMenu"].run({"kitchen": "noodle bar"}, context)).result["menu"]
    assert {"name": "Lentil soup", "price": "7.50", "currency": "USD", "about": "red lentils, cumin, bread"} in menu  # fmt: skip


async def test_cart_grows_once_for_each_receipt_and_is_the_chats_own(toolset: Toolset, context: ToolContext) -> None:
    await add(toolset, context, "chat/1", "Mushroom pizza", 2)
    await add(toolset, context, "chat/1", "Mushroom pizza", 2)
    await add(toolset, context, "other/1", "Grilled corn")
    cart = await add(toolset, context, "chat/2", "grilled CORN")
    assert (cart["total"], cart["currency"]) == ("35.20", "USD")
    assert cart["summary"] == "2 × Mushroom pizza, 1 × Grilled corn"


@pytest.mark.parametrize(
    ("said", "name"),
    [("cheeseburgers", "Double cheeseburger"), ("two lentil soups", "Lentil soup"), ("SALAD", "Garden salad")],
)
async def test_dish_is_found_as_people_call_it(toolset: Toolset, context: ToolContext, said: str, name: str) -> None:
    assert (await add(toolset, context, "chat/1", said))["cart"][0]["item"] == name


@pytest.mark.parametrize(
    ("said", "sentence"),
    [("pizza", "may be Margherita pizza or Mushroom pizza or Four cheese pizza"), ("sushi", "not on the menu")],
)
async def test_dish_that_is_not_clear_is_asked_for(
    toolset: Toolset, context: ToolContext, said: str, sentence: str
) -> None:
    with pytest.raises(ToolError, match=sentence):
        await add(toolset, context, "chat/1", said)


@pytest.mark.parametrize("quantity", [0, -1, 51, "many"])
def test_quantity_has_bounds(toolset: Toolset, quantity: object) -> None:
    with pytest.raises(InvalidArguments):
        toolset.tools["AddToCart"].validate({"item": "Lentil soup", "quantity": quantity})
