"""CheckBalances: the person's accounts and what is in them."""

from tools import Returned, ToolContext, tool
from tools.services.world import money, world


@tool(effect="read", timeout=20, view="table")
def check_balances(context: ToolContext) -> Returned:
    """Show the person's bank accounts with their balances."""
    with world(context.home) as database:
        rows = database.execute("SELECT * FROM accounts ORDER BY name").fetchall()
    accounts = [
        {"name": row["name"], "number": row["number"], "balance": money(row["balance"]), "currency": "USD"}
        for row in rows
    ]
    return Returned({"accounts": accounts}, source="mock")
