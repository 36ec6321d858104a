"""Invoices and flights of services on loopback, by real workers: whatever fails or dies, one invoice, told once."""

import asyncio
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from temporalio.client import Client

from agent.goals import goal_for
from agent.messages import ChatView
from tests.e2e.workers import Chat, Workers, lines, results, running_workers
from tests.tools.services.flights_stub import FlightsStub, serve_flights
from tests.tools.services.stripe_stub import STEPS, StripeStub, serve_stripe
from tools import load

KEY = "sk_test_0123456789abcdef"
FLIGHTS_KEY = "rapid-0123456789abcdef"
TOOLSET = load()


@pytest.fixture(scope="module")
def stripe() -> Iterator[StripeStub]:
    with serve_stripe() as stub:
        yield stub


@pytest.fixture(scope="module")
def flights() -> Iterator[FlightsStub]:
    with serve_flights() as stub:
        yield stub


@pytest.fixture(scope="module")
def workers(
    server: str, stripe: StripeStub, flights: FlightsStub, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Workers]:
    services = {
        "STRIPE_API_KEY": KEY,
        "STRIPE_API_BASE": stripe.url,
        "STRIPE_CUSTOMER_EMAIL": "office@example.com",
        "RAPIDAPI_KEY": FLIGHTS_KEY,
        "RAPIDAPI_URL_FLIGHTS": flights.url,
    }
    with running_workers(server, tmp_path_factory.mktemp("workers"), services) as found:
        yield found


async def cart_with_pizzas(workers: Workers, temporal: Client, pizzas: int) -> Chat:
    """A chat whose next step is the invoice, for so many mushroom pizzas at 14.50."""
    chat = await workers.person(temporal).start(goal_for(TOOLSET, "food"))
    view = await chat.play("the pizzeria", "the mushroom pizza")
    view = await chat.say(str(pizzas))
    assert view.waiting
    assert view.waiting.tool == "AddToCart", lines(view)
    view = await chat.confirm()
    assert view.waiting
    assert view.waiting.tool == "CreateInvoice", lines(view)
    return chat


def invoices_of(stripe: StripeStub, view: ChatView) -> list[dict[str, Any]]:
    """All that were made under the name that Stripe knows the chat by, which is not the chat's id."""
    told = [result.result["reference"] for result in results(view) if result.tool == "CreateInvoice" and result.result]
    names = {chat_of(invoice) for invoice in stripe.finalized if invoice["number"] in told}
    return [invoice for invoice in stripe.finalized if chat_of(invoice) in names]


def chat_of(invoice: dict[str, Any]) -> str:
    return str(invoice["metadata"]["op"]).rpartition("/")[0]


def assert_one_invoice(stripe: StripeStub, view: ChatView, pizzas: int) -> None:
    made = invoices_of(stripe, view)
    assert [(invoice["total"], invoice["currency"]) for invoice in made] == [(1450 * pizzas, "usd")]
    told = [result for result in results(view) if result.tool == "CreateInvoice" and result.outcome == "ok"]
    assert [(result.source, result.result["reference"]) for result in told] == [("test", made[0]["number"])]
    assert view.ended == "done", lines(view)
    assert sum(made[0]["hosted_invoice_url"] in line for line in lines(view) if line.startswith("agent:")) == 1


async def test_a_trip_is_made_of_real_services_and_says_so(
    workers: Workers, temporal: Client, stripe: StripeStub
) -> None:
    chat = await workers.person(temporal).start(goal_for(TOOLSET, "event_flight_invoice"))
    view = await chat.play("events in Boston in May", "the first one", "Austin", "the cheapest")
    assert view.ended == "done", lines(view)
    assert [(result.tool, result.source) for result in results(view)] == [
        ("FindEvents", "mock"),
        ("SearchFlights", "live"),
        ("CreateInvoice", "test"),
    ]
    made = invoices_of(stripe, view)
    assert [(invoice["total"], invoice["currency"]) for invoice in made] == [(19999, "usd")], "the cheapest"
    assert chat.id not in json.dumps(stripe.invoices), "the chat's id is a capability"
    kept = await chat.history() + workers.log.read_text()
    assert KEY not in kept
    assert FLIGHTS_KEY not in kept


FAULTS = {
    "customer": "close before",
    "invoice": "close after",
    "item": "429",
    "finalize": "hang",
}


async def test_faults_at_each_step_leave_one_invoice_told_once(
    workers: Workers, temporal: Client, stripe: StripeStub
) -> None:
    chats = await asyncio.gather(*(cart_with_pizzas(workers, temporal, pizzas) for pizzas in (1, 2, 3, 4, 5)))
    for chat, (step, fault) in zip(chats, [*FAULTS.items(), ("finalize", "500")], strict=True):
        stripe.faults[step] = fault
        await chat.accept()
        await asyncio.to_thread(_met, stripe, step)
    stuck = await chats[3].until(lambda seen: bool(seen.attempt and seen.attempt.fraction == 0.8))
    assert stuck.attempt
    assert stuck.attempt.progress == "Finalizing the invoice"
    for pizzas, chat in enumerate(chats, 1):
        view = await chat.settled(60)
        assert_one_invoice(stripe, view, pizzas)
        assert await chat.attempts("CreateInvoice") >= 2  # a busy machine may lose another one


async def test_a_refused_key_is_told_as_a_failure_and_the_chat_goes_on(
    workers: Workers, temporal: Client, stripe: StripeStub
) -> None:
    chat = await cart_with_pizzas(workers, temporal, 2)
    stripe.refuse_key = True
    try:
        calls = len(stripe.calls)
        view = await chat.confirm()
    finally:
        stripe.refuse_key = False
    assert (results(view)[-1].outcome, results(view)[-1].error) == (
        "failed",
        "Stripe rejected the key in STRIPE_API_KEY. Put a valid one in .env and restart the worker.",
    )
    assert len(stripe.calls) == calls + 1, "it is not tried again"
    assert view.status == "waiting"
    view = await chat.say("Try again")
    assert view.waiting, lines(view)
    view = await chat.confirm()
    assert_one_invoice(stripe, view, 2)
    assert KEY not in await chat.history()
    assert KEY not in workers.log.read_text()


async def test_a_worker_killed_between_any_two_steps_leaves_one_invoice_told_once(
    workers: Workers, temporal: Client, stripe: StripeStub
) -> None:
    """Last here: four chats wait for Stripe, each at another step, when their worker dies."""
    chats = await asyncio.gather(*(cart_with_pizzas(workers, temporal, pizzas) for pizzas in (1, 2, 3, 4)))
    for step, chat in zip(STEPS, chats, strict=True):
        stripe.faults[step] = "hang"
        stripe.reached.clear()
        await chat.accept()
        assert await asyncio.to_thread(stripe.reached.wait, 10)
    workers.kill()
    workers.start()
    for pizzas, chat in enumerate(chats, 1):
        view = await chat.settled(60)
        assert_one_invoice(stripe, view, pizzas)
        assert await chat.attempts("CreateInvoice") >= 2  # a busy machine may lose another one


def _met(stripe: StripeStub, step: str) -> None:
    """Until the step's fault has come to pass."""
    for _ in range(500):
        if step not in stripe.faults:
            return
        time.sleep(0.02)
    raise AssertionError(f"nobody came to the step {step}")
