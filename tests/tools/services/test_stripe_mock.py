"""Stripe's own mock server checks our requests against Stripe's OpenAPI description.

`go install github.com/stripe/stripe-mock@latest` installs it; without it, this test is skipped.
"""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tools.services import stripe_invoices

MOCK = shutil.which("stripe-mock") or shutil.which("stripe-mock", path=str(Path.home() / "go" / "bin"))
pytestmark = pytest.mark.skipif(MOCK is None, reason="stripe-mock is not installed")


@pytest.fixture
def mock() -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [str(MOCK), "-http-addr", f"127.0.0.1:{port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        ends = time.monotonic() + 60
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert process.poll() is None
            assert time.monotonic() < ends
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def test_every_request_has_the_shape_that_stripe_describes(mock: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its answers are fixtures that know nothing of our invoice, so its state is set right, and not checked."""
    draft = stripe_invoices._Steps._draft

    def new(steps: stripe_invoices._Steps) -> Any:
        invoice = draft(steps)
        invoice.total, invoice.status = 0, "draft"
        return invoice

    monkeypatch.setattr(stripe_invoices._Steps, "_draft", new)
    monkeypatch.setattr(stripe_invoices._Steps, "_check", lambda *_: None)
    steps: list[str] = []
    made = stripe_invoices.create(
        Decimal("412.30"),
        "USD",
        "Austin to San Francisco",
        "alex.rivera@example.com",
        "chat/1's",
        {"STRIPE_API_KEY": "sk_test_123", "STRIPE_API_BASE": mock},
        lambda text, _: steps.append(text),
    )
    assert steps == ["Creating the customer", "Creating the invoice", "Adding the amount", "Finalizing the invoice"]
    assert made.reference
