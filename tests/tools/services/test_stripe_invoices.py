"""Whatever Stripe and the worker do to each other, a receipt ends in one finalized invoice of the right amount."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.tools.services.stripe_stub import FAULTS, STEPS, StripeStub, serve_stripe
from tools import ToolContext, ToolError, Toolset, TryAgain
from tools.services import stripe_invoices

KEY = "sk_test_0123456789abcdef"
ASKED = {"amount": "412.35", "currency": "USD", "description": "Austin to San Francisco"}


@pytest.fixture
def stripe() -> Iterator[StripeStub]:
    with serve_stripe() as stub:
        yield stub


def receipt(stub: StripeStub, key: str = "chat/1", **environment: str) -> ToolContext:
    return ToolContext(key, {"STRIPE_API_KEY": KEY, "STRIPE_API_BASE": stub.url} | environment)


async def until_done(
    toolset: Toolset, context: ToolContext, asked: dict[str, str] = ASKED
) -> tuple[Any, list[TryAgain]]:
    """Try again as the worker would."""
    failures: list[TryAgain] = []
    while len(failures) < 6:
        try:
            return await toolset.tools["CreateInvoice"].run(asked, context), failures
        except TryAgain as failure:
            failures.append(failure)
    raise AssertionError(failures)


def only_invoice(stub: StripeStub, total: int = 41235) -> dict[str, Any]:
    assert len(stub.finalized) == len(stub.invoices) == 1
    assert stub.customers == 1
    invoice = stub.finalized[0]
    assert (invoice["total"], invoice["op"]) == (total, "chat/1")
    return invoice


async def test_invoice_has_the_link_and_number_of_stripe(stripe: StripeStub, toolset: Toolset) -> None:
    returned, failures = await until_done(toolset, receipt(stripe))
    assert failures == []
    assert returned.source == "test"
    assert returned.result["reference"] == "TEST-in_1"
    assert returned.result["url"] == "https://invoice.example/in_1"
    assert returned.result["status"] == "open"
    only_invoice(stripe)


async def test_every_call_carries_a_key_of_its_own(stripe: StripeStub, toolset: Toolset) -> None:
    await until_done(toolset, receipt(stripe))
    assert [(step, key) for step, key, _ in stripe.calls] == [(step, f"chat/1:{step}") for step in STEPS]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("step", STEPS)
async def test_fault_at_a_step_leaves_one_invoice(
    stripe: StripeStub, toolset: Toolset, monkeypatch: pytest.MonkeyPatch, step: str, fault: str
) -> None:
    monkeypatch.setattr(stripe_invoices, "SECONDS_PER_CALL", 0.3)
    stripe.faults[step] = fault
    returned, failures = await until_done(toolset, receipt(stripe))
    assert len(failures) == 1
    assert str(failures[0]).startswith("Stripe ")
    assert failures[0].retry_after == (3 if fault in ("429", "500", "409") else None)
    assert returned.result["reference"] == only_invoice(stripe)["number"]


async def test_faults_at_every_step_leave_one_invoice(stripe: StripeStub, toolset: Toolset) -> None:
    stripe.faults |= dict.fromkeys(STEPS, "close after")
    _, failures = await until_done(toolset, receipt(stripe))
    assert len(failures) == 4
    only_invoice(stripe)


RUN = """
import asyncio, json, sys
from tools import ToolContext, load
asked, environment = json.loads(sys.argv[1]), json.loads(sys.argv[2])
print(asyncio.run(load().tools["CreateInvoice"].run(asked, ToolContext("chat/1", environment))))
"""


@pytest.mark.parametrize("step", STEPS)
async def test_worker_killed_after_a_step_leaves_one_invoice(stripe: StripeStub, toolset: Toolset, step: str) -> None:
    import json

    stripe.faults[step] = "hang"
    context = receipt(stripe)
    command = [sys.executable, "-c", RUN, json.dumps(ASKED), json.dumps(dict(context.environment))]
    worker = subprocess.Popen(command, stdout=subprocess.PIPE)
    try:
        assert stripe.reached.wait(20)
    finally:
        os.kill(worker.pid, signal.SIGKILL)
        worker.communicate()
    assert worker.returncode == -signal.SIGKILL
    await until_done(toolset, context)
    only_invoice(stripe)


async def test_two_receipts_have_two_invoices(stripe: StripeStub, toolset: Toolset) -> None:
    await until_done(toolset, receipt(stripe, "chat/1"))
    await until_done(toolset, receipt(stripe, "chat/2"))
    assert [invoice["op"] for invoice in stripe.finalized] == ["chat/1", "chat/2"]


async def test_invoice_finalized_by_somebody_else_counts_as_done(stripe: StripeStub, toolset: Toolset) -> None:
    stripe.faults["finalize"] = "close before"
    with pytest.raises(TryAgain):
        await toolset.tools["CreateInvoice"].run(ASKED, receipt(stripe))
    stripe.invoices["in_1"] |= {
        "status": "paid",
        "number": "TEST-in_1",
        "hosted_invoice_url": "https://invoice.example/in_1",
    }
    returned, _ = await until_done(toolset, receipt(stripe))
    assert returned.result["status"] == "paid"


async def test_refused_key_is_told_and_not_retried(stripe: StripeStub, toolset: Toolset) -> None:
    stripe.refuse_key = True
    with pytest.raises(ToolError, match=r"^Stripe rejected the key in STRIPE_API_KEY\.") as caught:
        await toolset.tools["CreateInvoice"].run(ASKED, receipt(stripe))
    assert KEY not in str(caught.value)
    assert len(stripe.calls) == 1


async def test_key_used_for_another_amount_is_refused(stripe: StripeStub, toolset: Toolset) -> None:
    await until_done(toolset, receipt(stripe))
    with pytest.raises(ToolError, match="same parameters"):
        await toolset.tools["CreateInvoice"].run(ASKED | {"amount": "1"}, receipt(stripe))
    only_invoice(stripe)


@pytest.mark.parametrize("key", ["sk_live_0123456789abcdef", "rk_live_0123456789abcdef", "anything_else"])
async def test_live_key_needs_permission(stripe: StripeStub, toolset: Toolset, key: str) -> None:
    with pytest.raises(ToolError, match="STRIPE_ALLOW_LIVE=true"):
        await toolset.tools["CreateInvoice"].run(ASKED, receipt(stripe, STRIPE_API_KEY=key))
    assert stripe.calls == []
    allowed = receipt(stripe, STRIPE_API_KEY=key, STRIPE_ALLOW_LIVE="true")
    assert (await toolset.tools["CreateInvoice"].run(ASKED, allowed)).source == "live"


async def test_stripe_that_is_not_there_is_told_for_retrying(toolset: Toolset) -> None:
    with serve_stripe() as gone:
        context = receipt(gone)
    with pytest.raises(TryAgain, match=r"^Stripe cannot be reached"):
        await toolset.tools["CreateInvoice"].run(ASKED, context)


async def test_yen_have_no_cents(stripe: StripeStub, toolset: Toolset) -> None:
    with pytest.raises(ToolError, match=r"^100\.50 JPY cannot be paid: JPY has 0 decimal places\.$"):
        await toolset.tools["CreateInvoice"].run(ASKED | {"amount": "100.5", "currency": "JPY"}, receipt(stripe))
    await until_done(toolset, receipt(stripe), ASKED | {"amount": "100", "currency": "JPY"})
    only_invoice(stripe, 100)
