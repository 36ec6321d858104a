"""CreateInvoice: an invoice that can be paid by a link. A receipt makes one invoice, however often it is tried."""

import re
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field

from tools import Returned, ToolContext, tool
from tools.services import mock_invoices, stripe_invoices
from tools.services.people import PEOPLE, Email


def _cents(amount: Decimal) -> Decimal:
    """412.3 as 412.30; a whole number stays one."""
    return amount if amount == amount.to_integral_value() else amount.quantize(Decimal("0.01"))


def _letters(value: object) -> str:
    letters = str(value).strip().upper()
    if not re.fullmatch("[A-Z]{3}", letters):
        raise ValueError("must be the three letters of a currency, such as USD")
    return letters


Amount = Annotated[Decimal, Field(gt=0, le=999_999, decimal_places=2), AfterValidator(_cents)]
Currency = Annotated[str, BeforeValidator(_letters)]


class Invoice(BaseModel):
    """An invoice as it stands with whoever issued it."""

    reference: str
    url: str
    amount: Decimal
    currency: str
    description: str
    status: str


@tool(effect="idempotent", timeout=60)
def create_invoice(
    amount: Annotated[Amount, Field(examples=["412.30"], json_schema_extra={"x-currency": "currency"})],
    currency: Annotated[Currency, Field(examples=["USD"])],
    description: str,
    context: ToolContext,
    email: Annotated[
        Email | None, Field(title="Which email address should the invoice go to?", examples=PEOPLE)
    ] = None,
) -> Returned:
    """Create an invoice for an amount, with a link to pay it.

    Args:
        amount: the amount to pay, such as the price of the flight or the total of the cart
        currency: the three letters of its currency
        description: what is being paid for, such as the trip or the summary of the cart
        email: the email address of whoever pays, if they have told it; a real invoice needs one
    """
    fields: dict[str, Any] = {"amount": amount, "currency": currency, "description": description}
    if context.environment.get("STRIPE_API_KEY"):
        source = stripe_invoices.source(context.environment)
        made = stripe_invoices.create(
            amount,
            currency,
            description,
            email or "",
            context.idempotency_key,
            context.environment,
            context.progress,
        )
        return Returned(Invoice(reference=made.reference, url=made.url, status=made.status, **fields), source=source)
    context.progress("Creating the invoice")
    reference, url = mock_invoices.create(context.idempotency_key)
    return Returned(Invoice(reference=reference, url=url, status="open", **fields), source="mock")
