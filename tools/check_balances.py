"""CheckBalances: the person's accounts and what is in them."""

from typing import Annotated

from pydantic import Field

from tools import Returned, ToolContext, tool
from tools.services.bank import accounts_of
from tools.services.mock_data import mock_data, money
from tools.services.people import PEOPLE, Email


@tool(effect="read", timeout=20)
def check_balances(
    email: Annotated[Email, Field(title="What email address is on file with the bank?", examples=PEOPLE)],
    context: ToolContext,
) -> Returned:
    """Check the balances of the person's bank accounts.

    Args:
        email: the email address on file with the bank
    """
    with mock_data(context.home) as database:
        rows = accounts_of(database, email)
    accounts = [
        {"name": row["name"], "number": row["number"], "balance": money(row["balance"]), "currency": "USD"}
        for row in rows
    ]
    return Returned({"email": rows[0]["email"], "accounts": accounts}, source="mock")
