"""ShowMenu: what the kitchen offers."""

from tools import Returned, ToolContext, tool
from tools.services.world import money, world


@tool(effect="read", timeout=20, view="table")
def show_menu(context: ToolContext) -> Returned:
    """Show what can be ordered from the kitchen, with prices."""
    with world(context.home) as database:
        rows = database.execute("SELECT * FROM menu ORDER BY rowid").fetchall()
    menu = [
        {
            "name": row["name"],
            "kind": row["kind"],
            "price": money(row["price"]),
            "currency": "USD",
            "about": row["about"],
        }
        for row in rows
    ]
    return Returned({"menu": menu}, source="mock")
