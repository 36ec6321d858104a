"""CheckBalances: the person's accounts and what is in them."""

from tools import Returned, ToolContext, tool
from tools.services.bank import accounts_of
from tools.services.people import Email
from tools.services.world import money, world


@tool(effect="read", timeout=20, view="table")
def check_balances(email: Email, context: ToolContext) -> Returned:
    """Show the person's bank accounts with their balances.

    Args:
        email: the address that the bank knows the person by, such as alex.rivera@example.com
    """
    with world(context.home) as database:
        rows = accounts_of(database, email)
    accounts = [
        {"name": row["name"], "number": row["number"], "balance": money(row["balance"]), "currency": "USD"}
        for row in rows
    ]
    return Returned({"email": rows[0]["email"], "accounts": accounts}, source="mock")
