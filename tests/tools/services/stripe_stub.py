"""A Stripe on loopback, by the rules of Stripe's documentation that we rely on, with faults on request.

Each rule names its source. What a rule here does not say, the real Stripe may do otherwise.
"""

import json
import re
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.tools.services.serving import serving

STEPS = ("customer", "invoice", "item", "finalize")
FAULTS = ("close before", "close after", "429", "500", "500 after", "409", "hang", "garbage")

MISSING_EMAIL = (
    "Missing email. In order to create invoices that are sent to the customer, the customer must have a valid email."
)
"""Stripe's words, as quoted where they were met: https://github.com/useautumn/autumn/pull/3177"""

NOT_DIVISIBLE = "Invalid amount. Currency {} has become effectively zero-decimal and charged amounts must be evenly divisible by 100."
"""https://support.stripe.com/questions/deprecation-of-fractional-isk-charges-and-refunds"""


@dataclass
class StripeStub:
    """What Stripe holds. faults: step -> what goes wrong at its next call, once; reached: set when that happens."""

    url: str = ""
    faults: dict[str, str] = field(default_factory=dict)
    reached: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)
    invoices: dict[str, dict[str, Any]] = field(default_factory=dict)
    emails: dict[str, str] = field(default_factory=dict)
    calls: list[tuple[str, str, str]] = field(default_factory=list)
    kept: dict[str, tuple[dict[str, str], int, dict[str, Any]]] = field(default_factory=dict)
    searchable: set[str] = field(default_factory=set)
    has_search: bool = True
    refuse_key: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def customers(self) -> int:
        return len(self.emails)

    @property
    def finalized(self) -> list[dict[str, Any]]:
        return [invoice for invoice in self.invoices.values() if invoice["status"] != "draft"]

    def a_day_passes(self) -> None:
        """Keys may be forgotten once they are 24 hours old (https://docs.stripe.com/api/idempotent_requests), and what
        was written is searchable in less than a minute (https://docs.stripe.com/api/invoices/search)."""
        self.kept.clear()
        self.searchable |= set(self.invoices)

    def get(self, address: str) -> tuple[int, dict[str, Any]]:
        """One of: an invoice, the newest of them, or those that a search finds."""
        path, query = urlsplit(address).path.split("/")[2:], dict(parse_qsl(urlsplit(address).query))
        if path == ["invoices"]:
            return 200, listed(reversed(self.invoices.values()))
        if path == ["invoices", "search"]:
            if not self.has_search:  # it is not available to merchants in India, says its reference
                return 400, error("invalid_request_error", "Search is not available in your country.")
            # fields are quoted, and a quote within is escaped (https://docs.stripe.com/search#search-query-language)
            wanted = re.fullmatch(r"metadata\['op']:'((?:[^'\\]|\\.)*)'", query["query"])
            if wanted is None:
                return 400, error("invalid_request_error", "The query is not of the search query language.")
            op = re.sub(r"\\(.)", r"\1", wanted[1])
            found = (self.invoices[name] for name in self.invoices if name in self.searchable)
            return 200, listed(invoice for invoice in found if invoice["metadata"]["op"] == op)
        return 200, self.invoices[path[1]]

    def post(
        self, address: str, form: dict[str, str], key: str, fails: bool = False
    ) -> tuple[int, dict[str, Any], bool]:
        """Status and body, and whether they were kept from an earlier request. fails: with an internal error, after all
        was done.

        "The idempotency layer compares incoming parameters to those of the original request and errors if they're not
        the same"; "retries with the same key return the saved response, including 500 errors"; nothing is saved of
        parameters that fail validation (https://docs.stripe.com/api/idempotent_requests). A response that was saved
        has the header Idempotent-Replayed: true (https://docs.stripe.com/error-low-level#idempotency).
        """
        asked = {"path": address, **form}
        if len(key) > 255:
            return 400, error("invalid_request_error", "Keys are up to 255 characters long."), False
        if key in self.kept:
            before, status, body = self.kept[key]
            if before != asked:
                return 400, error("idempotency_error", "Keys can only be used with the same parameters."), False
            return status, body, True
        status, body = self._do(address.split("/")[2:], form)
        if status < 400 and fails:
            status, body = 500, error("api_error", "An unknown error occurred.")
        if status != 400:
            self.kept[key] = asked, status, body
        return status, body, False

    def _do(self, path: list[str], form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        if path == ["customers"]:
            return self._customer(form.get("email", ""))
        if path == ["invoices"]:
            return self._invoice(form)
        if path == ["invoiceitems"]:
            return self._item(form)
        invoice = self.invoices[path[1]]
        # only a draft can be finalized: https://docs.stripe.com/invoicing/integration/workflow-transitions
        if invoice["status"] != "draft":
            return 400, error("invalid_request_error", "This invoice is already finalized.")
        invoice |= {
            "status": "open",
            "number": f"TEST-{path[1]}",
            "hosted_invoice_url": f"https://invoice.example/{path[1]}",
        }
        return 200, dict(invoice)

    def _customer(self, email: str) -> tuple[int, dict[str, Any]]:
        if email and not re.fullmatch(
            r"[^\s@]+@[^\s@]+\.[^\s@]+", email
        ):  # https://docs.stripe.com/error-codes#email-invalid
            return 400, error("invalid_request_error", f"Invalid email address: {email}")
        name = f"cus_{len(self.emails) + 1}"
        self.emails[name] = email
        return 200, {"object": "customer", "id": name}

    def _invoice(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        if form["collection_method"] == "send_invoice" and not self.emails[form["customer"]]:
            return 400, error("invalid_request_error", MISSING_EMAIL)
        # https://docs.stripe.com/api/invoices/create#create_invoice-days_until_due
        if form["collection_method"] == "send_invoice" and "days_until_due" not in form:
            return 400, error("invalid_request_error", "You must pass either `days_until_due` or `due_date`.")
        name = f"in_{len(self.invoices) + 1}"
        self.invoices[name] = {
            "object": "invoice",
            "id": name,
            "customer": form["customer"],
            "status": "draft",
            "total": 0,
            "currency": form["currency"],
            "metadata": {"op": form["metadata[op]"]},
            "number": None,
            "hosted_invoice_url": None,
        }
        return 200, dict(self.invoices[name])

    def _item(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        invoice, amount, currency = self.invoices[form["invoice"]], int(form["amount"]), form["currency"]
        if invoice["status"] != "draft":
            return 400, error("invalid_request_error", "The invoice is finalized.")
        # https://docs.stripe.com/currencies: special cases, three-decimal currencies, and the largest amount
        if currency in ("isk", "ugx") and amount % 100:
            return 400, error("invalid_request_error", NOT_DIVISIBLE.format(currency.upper()))
        if currency in ("bhd", "jod", "kwd", "omr", "tnd") and amount % 10:
            return 400, error("invalid_request_error", "The last digit of a three-decimal amount must be 0.")
        if amount > 99_999_999:
            return 400, error("invalid_request_error", "Amount must be no more than eight digits.")
        invoice["total"] += amount
        return 200, {"object": "invoiceitem", "id": "ii_1", "amount": amount}


def listed(objects: Iterable[dict[str, Any]]) -> dict[str, Any]:
    return {"object": "list", "data": list(objects), "has_more": False}


def error(kind: str, message: str) -> dict[str, Any]:
    return {"error": {"type": kind, "message": message}}


def step_of(path: str) -> str:
    if path.endswith("/finalize"):
        return "finalize"
    return {"customers": "customer", "invoices": "invoice", "invoiceitems": "item"}[path.split("/")[2]]


@contextmanager
def serve_stripe() -> Iterator[StripeStub]:
    stub = StripeStub()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            form = dict(parse_qsl(self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()))
            self.respond("POST", form, step_of(self.path))

        def do_GET(self) -> None:
            self.respond("GET", {}, "look")

        def respond(self, method: str, form: dict[str, str], step: str) -> None:
            key = self.headers.get("Idempotency-Key", "")
            with stub.lock:
                stub.calls.append((step, key, self.headers.get("Authorization", "")))
                fault = stub.faults.pop(step, "")
            if stub.refuse_key:
                return self.send(401, error("invalid_request_error", "Invalid API Key provided: sk_test_****"))
            if fault == "close before":
                return self.close()
            if fault in ("429", "500", "409"):  # before its execution began, so nothing is saved
                return self.send(int(fault), error("api_error", "Not now."), {"Retry-After": "3"})
            replayed = False
            with stub.lock:
                if method == "GET":
                    status, body = stub.get(self.path)
                else:
                    status, body, replayed = stub.post(self.path, form, key, fault == "500 after")
            if fault:
                stub.reached.set()
            if fault == "close after":
                return self.close()
            if fault == "garbage":
                return self.send(200, "<html>")
            if fault == "hang":
                stub.go_on.wait(30)
                return self.close()
            return self.send(status, body, {"Idempotent-Replayed": "true"} if replayed else None)

        def close(self) -> None:
            self.close_connection = True

        def send(self, status: int, body: object, headers: dict[str, str] | None = None) -> None:
            raw = body.encode() if isinstance(body, str) else json.dumps(body).encode()
            self.send_response(status)
            for name, value in {
                "Content-Type": "application/json",
                "Content-Length": str(len(raw)),
                **(headers or {}),
            }.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, format: str, *args: object) -> None:
            """Keep the tests' output quiet."""

    with serving(Handler, stub.go_on) as stub.url:
        yield stub
