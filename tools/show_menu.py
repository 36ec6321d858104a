"""ShowMenu: what a kitchen offers."""

from typing import Literal

from tools import Returned, ToolContext, tool
from tools.services.world import money, world

Kitchen = Literal["Pizzeria", "Grill", "Noodle bar"]


@tool(effect="read", timeout=20, view="table")
def show_menu(kitchen: Kitchen, context: ToolContext) -> Returned:
    """Show what can be ordered from one of the kitchens, with prices.

    Args:
        kitchen: which kitchen's menu
    """
    with world(context.home) as database:
        rows = database.execute("SELECT * FROM menu WHERE kitchen = ? ORDER BY rowid", (kitchen,)).fetchall()
    menu = [
        {"name": row["name"], "price": money(row["price"]), "currency": "USD", "about": row["about"]} for row in rows
    ]
    return Returned({"kitchen": kitchen, "menu": menu}, source="mock")
