"""A Stripe on loopback: customers, invoices, items and finalizing, with idempotency keys, and faults on request."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qsl

from tests.tools.services.serving import serving

STEPS = ("customer", "invoice", "item", "finalize")
FAULTS = ("close before", "close after", "429", "500", "409", "hang", "garbage")


@dataclass
class StripeStub:
    """What Stripe holds. faults: step -> what goes wrong at its next call, once; reached: set when that happens."""

    url: str = ""
    faults: dict[str, str] = field(default_factory=dict)
    reached: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)
    invoices: dict[str, dict[str, Any]] = field(default_factory=dict)
    customers: int = 0
    calls: list[tuple[str, str, str]] = field(default_factory=list)
    answers: dict[str, tuple[int, dict[str, Any]]] = field(default_factory=dict)
    asked: dict[str, dict[str, str]] = field(default_factory=dict)
    refuse_key: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def finalized(self) -> list[dict[str, Any]]:
        return [invoice for invoice in self.invoices.values() if invoice["status"] != "draft"]

    def answer(self, method: str, path: str, form: dict[str, str], key: str) -> tuple[int, dict[str, Any]]:
        if method == "GET":
            return 200, self.invoices[path.split("/")[3]]
        if key in self.answers:
            if self.asked[key] != {"path": path, **form}:
                return 400, error("idempotency_error", "Keys can only be used with the same parameters.")
            return self.answers[key]
        self.asked[key] = {"path": path, **form}
        status, body = self._do(path.split("/")[2:], form)
        self.answers[key] = status, body
        return status, body

    def _do(self, path: list[str], form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        if path == ["customers"]:
            self.customers += 1
            return 200, {"object": "customer", "id": f"cus_{self.customers}"}
        if path == ["invoices"]:
            number = f"in_{len(self.invoices) + 1}"
            self.invoices[number] = {
                "object": "invoice",
                "id": number,
                "status": "draft",
                "total": 0,
                "currency": form["currency"],
                "op": form["metadata[op]"],
                "number": None,
                "hosted_invoice_url": None,
            }
            return 200, dict(self.invoices[number])
        if path == ["invoiceitems"]:
            invoice = self.invoices[form["invoice"]]
            if invoice["status"] != "draft":
                return 400, error("invalid_request_error", "The invoice is finalized.")
            invoice["total"] += int(form["amount"])
            return 200, {"object": "invoiceitem", "id": "ii_1", "amount": int(form["amount"])}
        invoice = self.invoices[path[1]]
        if invoice["status"] != "draft":
            return 400, error("invalid_request_error", "This invoice is already finalized.")
        invoice |= {
            "status": "open",
            "number": f"TEST-{path[1]}",
            "hosted_invoice_url": f"https://invoice.example/{path[1]}",
        }
        return 200, dict(invoice)


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
            self.respond("GET", {}, "retrieve")

        def respond(self, method: str, form: dict[str, str], step: str) -> None:
            key = self.headers.get("Idempotency-Key", "")
            with stub.lock:
                stub.calls.append((step, key, self.headers.get("Authorization", "")))
                fault = stub.faults.pop(step, "")
            if stub.refuse_key:
                return self.send(401, error("invalid_request_error", "Invalid API Key provided: sk_test_****"))
            if fault == "close before":
                return self.close()
            if fault in ("429", "500", "409"):
                return self.send(int(fault), error("api_error", "Not now."), {"Retry-After": "3"})
            with stub.lock:
                status, body = stub.answer(method, self.path, form, key)
            if fault:
                stub.reached.set()
            if fault == "close after":
                return self.close()
            if fault == "garbage":
                return self.send(200, "<html>")
            if fault == "hang":
                stub.go_on.wait(30)
                return self.close()
            return self.send(status, body)

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
