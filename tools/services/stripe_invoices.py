"""Invoices on Stripe, exactly one for each idempotency key.

Every call carries a key of its own that follows from the receipt's, so a call whose answer was lost can be made again:
Stripe then gives the first answer. Stripe keeps such keys for 24 hours, so a receipt must be settled within that time.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, TypeVar

from tools.kit.tool import ToolError, TryAgain
from tools.services.money import minor_units

if TYPE_CHECKING:
    import stripe

T = TypeVar("T")

VARIABLES = {
    "STRIPE_API_KEY": "CreateInvoice makes invoices on Stripe with this key; not set: mock invoices",
    "STRIPE_ALLOW_LIVE": "`true`: a live Stripe key may be used; otherwise only test keys",
    "STRIPE_API_BASE": "where Stripe is, if not at its usual address",
}

SECONDS_PER_CALL = 10.0
DAYS_TO_PAY = 30


@dataclass(frozen=True)
class StripeInvoice:
    reference: str
    url: str
    status: str


def source(environment: Mapping[str, str]) -> str:
    """`test` or `live`, by the key; raises ToolError for a live key that nobody has allowed."""
    if "_test_" in environment["STRIPE_API_KEY"]:
        return "test"
    if environment.get("STRIPE_ALLOW_LIVE", "").strip().lower() != "true":
        raise ToolError(
            "The key in STRIPE_API_KEY is no test key, so invoices would be real. "
            "Set STRIPE_ALLOW_LIVE=true to allow that, or use a key that begins with sk_test_."
        )
    return "live"


def create(
    amount: Decimal,
    currency: str,
    description: str,
    idempotency_key: str,
    environment: Mapping[str, str],
    progress: Callable[[str, float | None], None],
) -> StripeInvoice:
    """Create and finalize an invoice; called again with the same key and arguments, it gives the same one.

    STRIPE_API_KEY, STRIPE_ALLOW_LIVE and STRIPE_API_BASE are read from environment.
    """
    import stripe

    source(environment)
    units = minor_units(amount, currency)
    stripe.enable_telemetry = False
    http = stripe.RequestsClient(timeout=SECONDS_PER_CALL)
    client = stripe.StripeClient(
        environment["STRIPE_API_KEY"],
        base_addresses={"api": (environment.get("STRIPE_API_BASE") or stripe.DEFAULT_API_BASE).rstrip("/")},
        max_network_retries=0,
        http_client=http,
    )
    operation = idempotency_key if len(idempotency_key) <= 200 else hashlib.sha256(idempotency_key.encode()).hexdigest()
    try:
        invoice = _steps(client.v1, units, currency, description[:250], operation, progress)
    finally:
        http.close()  # type: ignore[no-untyped-call]
    if invoice.total != units:
        raise ToolError(
            f"Stripe finalized invoice {invoice.id} over {invoice.total} instead of {units} "
            f"(in the smallest unit of {currency}). Look at it in Stripe before it is paid."
        )
    return StripeInvoice(invoice.number or invoice.id or "", invoice.hosted_invoice_url or "", invoice.status or "")


def _steps(
    api: "stripe.V1Services",
    units: int,
    currency: str,
    description: str,
    operation: str,
    progress: Callable[[str, float | None], None],
) -> "stripe.Invoice":
    import stripe

    progress("Creating the customer", 0.1)
    customer = _call(
        lambda: api.customers.create(
            params={"description": description, "metadata": {"op": operation}},
            options={"idempotency_key": f"{operation}:customer"},
        )
    )
    progress("Creating the invoice", 0.3)
    invoice = _call(
        lambda: api.invoices.create(
            params={
                "customer": customer.id,
                "currency": currency.lower(),
                "description": description,
                "collection_method": "send_invoice",
                "days_until_due": DAYS_TO_PAY,
                "auto_advance": False,  # nothing is mailed, and nothing finalizes it behind our back
                "pending_invoice_items_behavior": "exclude",
                "metadata": {"op": operation},
            },
            options={"idempotency_key": f"{operation}:invoice"},
        )
    )
    reference = str(invoice.id)
    progress("Adding the amount", 0.6)
    _call(
        lambda: api.invoice_items.create(
            params={
                "customer": customer.id,
                "invoice": reference,
                "currency": currency.lower(),
                "amount": units,
                "description": description,
            },
            options={"idempotency_key": f"{operation}:item"},
        )
    )
    progress("Finalizing the invoice", 0.8)
    try:
        return _call(
            lambda: api.invoices.finalize_invoice(reference, options={"idempotency_key": f"{operation}:finalize"})
        )
    except ToolError as refused:
        if not isinstance(refused.__cause__, stripe.InvalidRequestError):
            raise
        found = _call(lambda: api.invoices.retrieve(reference))
        if found.status not in ("open", "paid"):
            raise
        return found


def _call(request: Callable[[], T]) -> T:
    """One request; what Stripe says is told in our words, as for trying again or as final."""
    import stripe

    try:
        return request()
    except stripe.RateLimitError as error:
        raise TryAgain("Stripe is limiting requests for now.", _retry_after(error)) from error
    except stripe.APIConnectionError as error:
        raise TryAgain("Stripe cannot be reached, or did not answer in time.") from error
    except (stripe.AuthenticationError, stripe.PermissionError) as error:
        raise ToolError(
            "Stripe rejected the key in STRIPE_API_KEY. Put a valid one in .env and restart the worker."
        ) from error
    except stripe.StripeError as error:
        status = error.http_status or 0
        if isinstance(error, stripe.APIError) or status == 409:
            raise TryAgain(f"Stripe had a temporary problem (status {status}).", _retry_after(error)) from error
        raise ToolError(f"Stripe rejected the invoice: {error.user_message or status}") from error


def _retry_after(error: "stripe.StripeError") -> float | None:
    raw = {name.lower(): value for name, value in (error.headers or {}).items()}.get("retry-after", "")
    return float(raw) if raw.isdecimal() else None
