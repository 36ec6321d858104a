"""Whatever Stripe and the worker do to each other, a receipt ends in one finalized invoice of the right amount."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.tools.services.stripe_stub import FAULTS, MISSING_EMAIL, STEPS, StripeStub, serve_stripe
from tools import ToolContext, ToolError, Toolset, TryAgain
from tools.services import stripe_invoices

KEY = "sk_test_0123456789abcdef"
ASKED = {
    "amount": "412.35",
    "currency": "USD",
    "description": "Austin to San Francisco",
    "email": "alex.rivera@example.com",
}


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
    assert len(stub.invoices) == stub.customers == 1
    return only_billed(stub, total)


def only_billed(stub: StripeStub, total: int = 41235) -> dict[str, Any]:
    """A draft bills nobody."""
    assert len(stub.finalized) == 1
    invoice = stub.finalized[0]
    assert (invoice["total"], invoice["metadata"]) == (total, {"op": "chat/1"})
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
    written = [(step, key) for step, key, _ in stripe.calls if step != "look"]
    assert written == [(step, f"chat/1:{step}") for step in STEPS]


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
    made = only_billed(stripe) if fault == "500 after" else only_invoice(stripe)
    assert returned.result["reference"] == made["number"]


async def test_faults_at_every_step_leave_one_invoice(stripe: StripeStub, toolset: Toolset) -> None:
    for fault in ("close after", "500 after"):
        stripe.invoices.clear()
        stripe.emails.clear()
        stripe.kept.clear()
        stripe.faults |= dict.fromkeys(STEPS, fault)
        _, failures = await until_done(toolset, receipt(stripe))
        assert len(failures) == 4
        only_billed(stripe)


async def test_result_lost_for_a_day_is_looked_up_and_billed_once(stripe: StripeStub, toolset: Toolset) -> None:
    """At whichever step it was lost; Stripe has forgotten every key."""
    for step in STEPS:
        stripe.faults[step] = "close after"
        context = receipt(stripe, f"chat/{step}'s \\ own")
        with pytest.raises(TryAgain):
            await toolset.tools["CreateInvoice"].run(ASKED, context)
        stripe.a_day_passes()
        before = len(stripe.finalized)
        for _ in range(2):
            returned, _ = await until_done(toolset, context)
            stripe.a_day_passes()
        mine = [invoice for invoice in stripe.finalized if invoice["metadata"]["op"] == context.idempotency_key]
        assert [(invoice["total"], invoice["number"]) for invoice in mine] == [(41235, returned.result["reference"])]
        assert len(stripe.finalized) <= before + 1


async def test_where_there_is_no_search_the_newest_invoices_are_looked_through(
    stripe: StripeStub, toolset: Toolset
) -> None:
    stripe.has_search = False
    first, _ = await until_done(toolset, receipt(stripe))
    stripe.a_day_passes()
    again, _ = await until_done(toolset, receipt(stripe))
    assert again.result == first.result
    only_invoice(stripe)


async def test_invoice_goes_to_the_persons_email_address_or_to_the_one_in_the_settings(
    stripe: StripeStub, toolset: Toolset
) -> None:
    nobody = {name: value for name, value in ASKED.items() if name != "email"}
    with pytest.raises(ToolError, match=r"^Stripe sends invoices to an email address\. Ask the person for theirs"):
        await toolset.tools["CreateInvoice"].run(nobody, receipt(stripe))
    assert stripe.calls == []
    await until_done(toolset, receipt(stripe, STRIPE_CUSTOMER_EMAIL="office@example.com"), nobody)
    await until_done(toolset, receipt(stripe, "chat/2", STRIPE_CUSTOMER_EMAIL="office@example.com"))
    assert list(stripe.emails.values()) == ["office@example.com", "alex.rivera@example.com"]


async def test_stub_knows_that_an_invoice_needs_an_email_address(stripe: StripeStub) -> None:
    form = {"collection_method": "send_invoice", "customer": "cus_1", "currency": "usd", "metadata[op]": "x"}
    stripe.emails["cus_1"] = ""
    assert stripe.post("/v1/invoices", form, "key")[:2] == (400, {"error": {"type": "invalid_request_error", "message": MISSING_EMAIL}})  # fmt: skip


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
    assert [invoice["metadata"]["op"] for invoice in stripe.finalized] == ["chat/1", "chat/2"]


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
    assert [step for step, *_ in stripe.calls] == ["look"]


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


async def test_amounts_are_sent_as_stripe_counts_them(stripe: StripeStub, toolset: Toolset) -> None:
    for number, (amount, currency, units) in enumerate(
        [("100", "JPY", 100), ("5", "UGX", 500), ("40", "ISK", 4000), ("19.9", "HUF", 1990), ("1.25", "KWD", 1250)]
    ):
        await until_done(toolset, receipt(stripe, f"chat/{number}"), ASKED | {"amount": amount, "currency": currency})
        assert stripe.finalized[-1]["total"] == units
    with pytest.raises(ToolError, match=r"^100\.50 JPY cannot be charged: Stripe takes JPY with no decimal places\.$"):
        await toolset.tools["CreateInvoice"].run(ASKED | {"amount": "100.5", "currency": "JPY"}, receipt(stripe))
