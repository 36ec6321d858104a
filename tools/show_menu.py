"""ShowMenu: what a kitchen offers."""

from typing import Annotated, Literal

from pydantic import Field

from tools import Returned, ToolContext, tool
from tools.services.mock_data import mock_data, money

Kitchen = Literal["Pizzeria", "Grill", "Noodle bar"]


@tool(effect="read", timeout=20)
def show_menu(
    kitchen: Annotated[Kitchen, Field(title="Which kitchen would you like to order from?")], context: ToolContext
) -> Returned:
    """Show the menu of a kitchen, with prices.

    Args:
        kitchen: the kitchen to order from
    """
    with mock_data(context.home) as database:
        rows = database.execute("SELECT * FROM menu WHERE kitchen = ? ORDER BY rowid", (kitchen,)).fetchall()
    menu = [
        {"name": row["name"], "price": money(row["price"]), "currency": "USD", "about": row["about"]} for row in rows
    ]
    return Returned({"kitchen": kitchen, "menu": menu}, source="mock")
