"""AddToCart: put something from the menu into the cart of this chat."""

import sqlite3
from typing import Annotated, Any

from pydantic import Field

from tools import Returned, ToolContext, ToolError, tool
from tools.services.mock_data import change_once, money


@tool(effect="idempotent", timeout=20)
def add_to_cart(
    item: Annotated[str, Field(title="What would you like to order?")],
    quantity: Annotated[int, Field(ge=1, le=50, title="How many of it?")],
    context: ToolContext,
) -> Returned:
    """Add an item to the cart, and show the cart with its total.

    Args:
        item: the name of a dish on the menu
        quantity: how many of it
    """

    def change(database: sqlite3.Connection) -> dict[str, Any]:
        name = _on_the_menu(database, item)
        database.execute(
            "INSERT INTO cart_lines VALUES (?, ?, ?) "
            "ON CONFLICT (cart, item) DO UPDATE SET quantity = quantity + excluded.quantity",
            (context.chat, name, quantity),
        )
        rows = database.execute(
            "SELECT item, quantity, price FROM cart_lines JOIN menu ON name = item WHERE cart = ? ORDER BY menu.rowid",
            (context.chat,),
        ).fetchall()
        lines = [
            {"item": row["item"], "quantity": row["quantity"], "price": money(row["price"] * row["quantity"])}
            for row in rows
        ]
        total = money(sum(row["price"] * row["quantity"] for row in rows))
        summary = ", ".join(f"{row['quantity']} × {row['item']}" for row in rows)
        return {"cart": lines, "total": total, "currency": "USD", "summary": summary}

    return Returned(change_once(context.home, context.idempotency_key, "AddToCart", change), source="mock")


def _on_the_menu(database: sqlite3.Connection, item: str) -> str:
    """The menu's name for what the person calls it: "cheeseburgers" is the double cheeseburger."""
    names = [row["name"] for row in database.execute("SELECT name FROM menu ORDER BY rowid")]
    asked = item.casefold().strip()
    exact = [name for name in names if name.casefold() == asked]
    alike = [name for name in names if asked.rstrip("s") in name.casefold() or name.casefold() in asked]
    found = exact or alike
    if len(found) != 1:
        wrong = f"{item} may be {' or '.join(found)}" if found else f"{item} is not on the menu"
        raise ToolError(f"{wrong}. Choose one of: {', '.join(found or names)}.")
    return str(found[0])
