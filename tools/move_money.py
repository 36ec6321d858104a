"""MoveMoney: from one of the person's accounts to another, up to a limit."""

import sqlite3
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field

from tools import Returned, ToolContext, ToolError, tool
from tools.services.bank import accounts_of
from tools.services.mock_data import cents, change_once, money
from tools.services.people import Email

LIMIT = Decimal("5000.00")
Account = Literal["Checking", "Savings", "Travel fund"]


@tool(effect="idempotent", timeout=20)
def move_money(
    email: Email,
    source: Annotated[Account, Field(title="From which account should the money be taken?")],
    target: Annotated[Account, Field(title="Into which account should it go?")],
    amount: Annotated[
        Decimal,
        Field(
            gt=0,
            decimal_places=2,
            title="How much would you like to move?",
            examples=["250.00"],
            json_schema_extra={"x-currency": "USD"},
        ),
    ],
    context: ToolContext,
) -> Returned:
    """Move an amount between the person's own accounts, in US dollars, at most 5,000.00 at a time.

    Args:
        email: the email address on file with the bank
        source: the account to take the money from
        target: another account, to put it into
        amount: how many US dollars
    """
    if source == target:
        raise ToolError(f"The money is already in {source}. Choose another account to put it into.")
    if amount > LIMIT:
        raise ToolError(f"{amount:,.2f} USD is more than can be moved at a time. Choose at most {LIMIT:,.2f} USD.")

    def change(database: sqlite3.Connection) -> dict[str, Any]:
        rows = accounts_of(database, email)
        owner, held = rows[0]["email"], {row["name"]: row["balance"] for row in rows}
        if missing := {source, target} - set(held):
            raise ToolError(f"There is no account {missing.pop()}. The accounts are: {', '.join(held)}.")
        if cents(amount) > held[source]:
            raise ToolError(f"There are only {money(held[source])} USD in {source}. Choose a smaller amount.")
        add = "UPDATE accounts SET balance = balance + ? WHERE email = ? AND name = ?"
        database.executemany(add, [(-cents(amount), owner, source), (cents(amount), owner, target)])
        database.execute("INSERT INTO transfers VALUES (?, ?, ?, ?)", (owner, source, target, cents(amount)))
        number = database.execute("SELECT count(*) FROM transfers").fetchone()[0]
        moved = {"reference": f"MV-{number:04}", "moved": money(cents(amount)), "currency": "USD"}
        after = {source: money(held[source] - cents(amount)), target: money(held[target] + cents(amount))}
        return moved | {
            "accounts": [{"name": name, "balance": left, "currency": "USD"} for name, left in after.items()]
        }

    return Returned(change_once(context.home, context.idempotency_key, "MoveMoney", change), source="mock")
