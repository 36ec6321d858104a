"""Invoices on Stripe, exactly one for each idempotency key.

Every call carries a key of its own that follows from the receipt's, so a call whose answer was lost can be made again:
Stripe then gives the first answer. It forgets such keys after 24 hours, so an invoice is looked for first, by the receipt
in its metadata. A search may miss what is younger than a minute, or an hour at worst; the keys have that covered.
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
    "STRIPE_CUSTOMER_EMAIL": "the email address on invoices on Stripe for which the person gave none",
    "STRIPE_API_BASE": "where Stripe is, if not at its usual address",
}

SECONDS_PER_CALL = 10.0
DAYS_TO_PAY = 30

_KEYS = 4
"""How many keys a step may use up. Stripe keeps an internal error as the answer to a key, for ever the same."""


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
    email: str,
    idempotency_key: str,
    environment: Mapping[str, str],
    progress: Callable[[str, float | None], None],
) -> StripeInvoice:
    """Create and finalize an invoice; called again with the same key and arguments, it gives the same one.

    VARIABLES are read from environment.
    """
    import stripe

    source(environment)
    units = minor_units(amount, currency)
    email = email or environment.get("STRIPE_CUSTOMER_EMAIL", "").strip()
    if not email:
        raise ToolError(
            "Stripe sends invoices to an email address. Ask the person for theirs and create the invoice with it, "
            "or set STRIPE_CUSTOMER_EMAIL in .env and restart the worker."
        )
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
        steps = _Steps(client.v1, operation, units, currency, description[:250], email, progress)
        invoice = steps.to_invoice()
    finally:
        http.close()  # type: ignore[no-untyped-call]
    return StripeInvoice(invoice.number or invoice.id or "", invoice.hosted_invoice_url or "", invoice.status or "")


@dataclass(frozen=True)
class _Steps:
    """The way to one finalized invoice, continued wherever an earlier attempt left it."""

    api: "stripe.V1Services"
    operation: str
    units: int
    currency: str
    description: str
    email: str
    progress: Callable[[str, float | None], None]

    def to_invoice(self) -> "stripe.Invoice":
        """The finalized invoice."""
        invoice = self._find() or self._draft()
        reference = str(invoice.id)
        if invoice.status == "draft":
            if not invoice.total:
                self.progress("Adding the amount", 0.6)
                self._add_amount(reference, str(invoice.customer))
            self._check(invoice.total or self.units, reference)
            self.progress("Finalizing the invoice", 0.8)
            invoice = self._finalize(reference)
        self._check(invoice.total, reference)
        return invoice

    def _find(self) -> "stripe.Invoice | None":
        """The invoice of an earlier attempt, as it is now."""
        import stripe

        quoted = self.operation.replace("\\", "\\\\").replace("'", "\\'")
        try:
            found = _call(lambda: self.api.invoices.search(params={"query": f"metadata['op']:'{quoted}'"})).data
        except ToolError as refused:
            if not isinstance(refused.__cause__, stripe.InvalidRequestError):
                raise
            found = _call(lambda: self.api.invoices.list(params={"limit": 100})).data  # not every country has search
        mine = [invoice for invoice in found if invoice.to_dict().get("metadata", {}).get("op") == self.operation]
        mine.sort(key=lambda invoice: (invoice.status == "draft", not invoice.total))
        return _call(lambda: self.api.invoices.retrieve(str(mine[0].id))) if mine else None

    def _draft(self) -> "stripe.Invoice":
        self.progress("Creating the customer", 0.1)
        customer = self._under_key(
            "customer",
            lambda key: self.api.customers.create(
                params={"email": self.email, "description": self.description, "metadata": {"op": self.operation}},
                options={"idempotency_key": key},
            ),
        )
        self.progress("Creating the invoice", 0.3)
        return self._under_key(
            "invoice",
            lambda key: self.api.invoices.create(
                params={
                    "customer": customer.id,
                    "currency": self.currency.lower(),
                    "description": self.description,
                    "collection_method": "send_invoice",
                    "days_until_due": DAYS_TO_PAY,
                    "auto_advance": False,  # nothing is mailed, and nothing finalizes it behind our back
                    "pending_invoice_items_behavior": "exclude",
                    "metadata": {"op": self.operation},
                },
                options={"idempotency_key": key},
            ),
        )

    def _add_amount(self, reference: str, customer: str) -> None:
        def add(key: str) -> object:
            if key != f"{self.operation}:item" and self.api.invoices.retrieve(reference).total:
                return None  # the attempt that ended in an internal error added it all the same
            return self.api.invoice_items.create(
                params={
                    "customer": customer,
                    "invoice": reference,
                    "currency": self.currency.lower(),
                    "amount": self.units,
                    "description": self.description,
                },
                options={"idempotency_key": key},
            )

        self._under_key("item", add)

    def _finalize(self, reference: str) -> "stripe.Invoice":
        import stripe

        try:
            return self._under_key(
                "finalize",
                lambda key: self.api.invoices.finalize_invoice(reference, options={"idempotency_key": key}),
            )
        except ToolError as refused:
            if not isinstance(refused.__cause__, stripe.InvalidRequestError):
                raise
            found = _call(lambda: self.api.invoices.retrieve(reference))
            if found.status not in ("open", "paid"):
                raise
            return found

    def _under_key(self, step: str, request: Callable[[str], T]) -> T:
        """The step under the receipt's key for it, or the next one where Stripe has kept an error of its own under it."""
        for number in range(_KEYS):
            key = f"{self.operation}:{step}" + (f":{number}" if number else "")
            try:
                return _call(lambda: request(key))  # noqa: B023
            except TryAgain as failure:
                if number == _KEYS - 1 or not _is_kept(failure.__cause__):
                    raise
        raise AssertionError("unreachable")

    def _check(self, total: int, reference: str) -> None:
        if total != self.units:
            raise ToolError(
                f"Invoice {reference} on Stripe is over {total} instead of {self.units} "
                f"(in the smallest unit of {self.currency}). Look at it in Stripe before it is paid."
            )


def _is_kept(error: BaseException | None) -> bool:
    """Whether an error is the answer that Stripe keeps for a key, so that the key can never lead to another."""
    headers = getattr(error, "headers", None) or {}
    return any(name.lower() == "idempotent-replayed" and value == "true" for name, value in headers.items())


def _call(request: Callable[[], T]) -> T:
    """One request; what Stripe says becomes an error of ours, to be tried again or final."""
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
