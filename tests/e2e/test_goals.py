"""Goals from greeting to end: a real worker process, the built-in model, and the ChatClient of the page."""

import asyncio
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest
from temporalio.client import Client

from agent.goals import goal_for
from tests.e2e.workers import Chat, Person, Workers, lines, results, running_workers
from tools import load

TOOLSET = load()
MONDAY = date.today() + timedelta(days=42 - date.today().weekday())
ALEX = "alex.rivera@example.com"


@pytest.fixture(scope="module")
def workers(server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workers]:
    """One worker.py with the mock data of all tests here, each with people or dates of its own."""
    with running_workers(server, tmp_path_factory.mktemp("workers")) as found:
        yield found


@pytest.fixture
def person(workers: Workers, temporal: Client) -> Person:
    return workers.person(temporal)


def rows(home: Path, query: str) -> list[Any]:
    with closing(sqlite3.connect(home / "world.sqlite3", timeout=20)) as database:
        return [row if len(row) > 1 else row[0] for row in database.execute(query).fetchall()]


def balances(home: Path, email: str) -> dict[str, int]:
    return dict(rows(home, f"SELECT name, balance FROM accounts WHERE email = '{email}'"))


async def receipts(home: Path, chat: Chat, column: str = "tool") -> list[str]:
    """The tools that changed the mock data for this chat. A key ends with a proposal's id, which begins as the run's ends."""
    run_id = (await chat.person.temporal.get_workflow_handle(chat.id).describe()).run_id
    return rows(home, f"SELECT {column} FROM receipts WHERE key LIKE '%/{run_id[-12:]}-%' ORDER BY rowid")


async def start(person: Person, goal: str) -> Chat:
    return await person.start(goal_for(TOOLSET, goal))


async def test_a_trip_is_found_booked_and_invoiced(person: Person) -> None:
    chat = await start(person, "event_flight_invoice")
    view = await chat.play(
        "I'd like to see events in San Francisco in March",
        "the second one",
        "I'd like to depart from Austin, TX",
        "Yes",
    )
    assert view.ended == "done", lines(view)
    assert [(result.tool, result.source) for result in results(view)] == [
        ("FindEvents", "mock"),
        ("SearchFlights", "mock"),
        ("CreateInvoice", "mock"),
    ]
    flights, invoice = results(view)[1].result["flights"], results(view)[2].result
    assert invoice["amount"] == next(flight["price"] for flight in flights if flight["cheapest"])
    assert invoice["url"] in lines(view)[-1]


async def test_time_off_is_requested_and_booked_once(person: Person, workers: Workers) -> None:
    chat = await start(person, "time_off")
    friday = MONDAY + timedelta(4)
    view = await chat.play("I'd like some days off", "mei.tanaka@example.com", str(MONDAY), str(friday))
    assert view.ended == "done", lines(view)
    assert [(result.tool, result.source) for result in results(view)] == [
        ("CheckTimeOff", "mock"),
        ("RequestTimeOff", "mock"),
        ("BookTimeOff", "mock"),
    ]
    assert rows(workers.home, "SELECT days_left FROM employees WHERE email LIKE 'mei%'") == [20]
    assert rows(workers.home, "SELECT first, last, days, status FROM requests WHERE email LIKE 'mei%'") == [
        (str(MONDAY), str(friday), 5, "booked")
    ]
    assert await receipts(workers.home, chat) == ["RequestTimeOff", "BookTimeOff"]


async def test_money_is_moved_once(person: Person, workers: Workers) -> None:
    chat = await start(person, "bank")
    view = await chat.play("What is in my accounts?", "mei.tanaka@example.com", "250.10 from savings to checking")
    assert view.ended == "done", lines(view)
    assert [(result.tool, result.source) for result in results(view)] == [
        ("CheckBalances", "mock"),
        ("MoveMoney", "mock"),
    ]
    assert balances(workers.home, "mei.tanaka@example.com") == {"Checking": 90540 + 25010, "Savings": 2200000 - 25010}
    assert await receipts(workers.home, chat) == ["MoveMoney"]


async def test_an_order_is_tracked_and_refunded_once(person: Person, workers: Workers) -> None:
    chat = await start(person, "orders")
    view = await chat.play("Show me my orders", ALEX, "the blanket", "because it is the wrong colour")
    assert view.ended == "done", lines(view)
    assert [(result.tool, result.source) for result in results(view)] == [
        ("ListOrders", "mock"),
        ("TrackOrder", "mock"),
        ("RefundOrder", "mock"),
    ]
    assert rows(workers.home, "SELECT number FROM orders WHERE status = 'refunded'") == ["1047"]
    assert await receipts(workers.home, chat) == ["RefundOrder"]


async def test_food_is_put_into_the_cart_once_and_invoiced(person: Person, workers: Workers) -> None:
    chat = await start(person, "food")
    view = await chat.play("What food is there?", "the pizzeria", "the mushroom pizza", "2")
    assert view.ended == "done", lines(view)
    assert [(result.tool, result.source) for result in results(view)] == [
        ("ShowMenu", "mock"),
        ("AddToCart", "mock"),
        ("CreateInvoice", "mock"),
    ]
    assert results(view)[-1].result["amount"] == "29.00"
    cart = (await receipts(workers.home, chat, "key"))[0].rpartition("/")[0]
    assert rows(workers.home, f"SELECT item, quantity FROM cart_lines WHERE cart = '{cart}'") == [("Mushroom pizza", 2)]


async def test_a_switch_of_goals_is_offered_confirmed_and_played_to_its_end(person: Person, workers: Workers) -> None:
    chat = await start(person, "event_flight_invoice")
    await chat.play("events in Austin in May")
    view = await chat.say("I'd rather book time off")
    assert view.waiting
    assert view.waiting.kind == "switch_goal", lines(view)
    assert view.goal.name == "event_flight_invoice", "only proposed"
    before = lines(view)
    view = await chat.confirm()
    assert view.goal.name == "time_off"
    assert lines(view)[: len(before)] == before, "the transcript goes on"
    view = await chat.play("sam.okafor@example.com", str(MONDAY), str(MONDAY + timedelta(1)))
    assert view.ended == "done", lines(view)
    assert [result.tool for result in results(view)] == ["FindEvents", "CheckTimeOff", "RequestTimeOff", "BookTimeOff"]
    assert [message.seq for message in view.messages] == list(range(1, len(view.messages) + 1))
    assert rows(workers.home, "SELECT days_left FROM employees WHERE email LIKE 'sam%'") == [5]


async def test_a_switch_that_is_declined_leaves_the_goal_as_it_was(person: Person) -> None:
    chat = await start(person, "event_flight_invoice")
    await chat.play("events in Austin in May")
    view = await chat.say("I'd rather book time off")
    assert view.waiting
    await person.chats.decline(chat.id, view.waiting.id)
    declined = view.waiting.id
    await chat.until(lambda seen: bool(seen.view and not (seen.view.waiting and seen.view.waiting.id == declined)))
    view = await chat.settled()
    assert view.waiting is None, lines(view)
    view = await chat.play("the second one", "depart from Portland", "yes")
    assert view.goal.name == "event_flight_invoice"
    assert view.ended == "done", lines(view)
    assert [result.tool for result in results(view)] == ["FindEvents", "SearchFlights", "CreateInvoice"]


async def test_money_moves_once_when_the_worker_dies_before_and_after_the_effect(
    person: Person, workers: Workers, server: str
) -> None:
    """Last here: it kills the worker. The tool waits for the lock of the mock data; then its answer has nowhere to go."""
    before = balances_of_alex = {"Checking": 284210, "Savings": 1265000, "Travel fund": 61875}
    early, late = await start(person, "bank"), await start(person, "bank")
    for chat, amount in ((early, "100"), (late, "30.50")):
        view = await chat.play(ALEX)
        view = await chat.say(f"move {amount} from savings to the travel fund")
        assert view.waiting, lines(view)
        assert view.waiting.tool == "MoveMoney"
    assert balances(workers.home, ALEX) == before
    with closing(sqlite3.connect(workers.home / "world.sqlite3", isolation_level=None)) as lock:
        lock.execute("BEGIN IMMEDIATE")
        for chat in (early, late):
            await chat.accept()
            await chat.until(lambda seen: bool(seen.attempt and seen.attempt.name == "MoveMoney"))
        await asyncio.sleep(0.3)
        kept = _server_process(server)
        kept.suspend()  # no answer arrives from here on
        try:
            lock.execute("ROLLBACK")
            await asyncio.to_thread(_wait_for_receipts, workers.home, 1)
            workers.kill()
        finally:
            kept.resume()
    assert await receipts(workers.home, early) + await receipts(workers.home, late), "killed after an effect"
    workers.start()
    for chat in (early, late):
        view = await chat.settled(60)
        assert view.ended == "done", lines(view)
        assert [result.outcome for result in results(view)] == ["ok", "ok"]
        assert await receipts(workers.home, chat) == ["MoveMoney"]
    assert balances(workers.home, ALEX) == {
        **balances_of_alex,
        "Savings": 1265000 - 13050,
        "Travel fund": 61875 + 13050,
    }
    assert rows(workers.home, "SELECT amount FROM transfers WHERE email LIKE 'alex%' ORDER BY amount") == [3050, 10000]


def _server_process(address: str) -> psutil.Process:
    port = address.rpartition(":")[2]
    return next(child for child in psutil.Process().children(recursive=True) if port in child.cmdline())


def _wait_for_receipts(home: Path, count: int) -> None:
    """Until so many of alex's transfers are kept."""
    for _ in range(200):
        if len(rows(home, "SELECT * FROM transfers WHERE email LIKE 'alex%'")) >= count:
            return
        time.sleep(0.02)
    raise AssertionError("no receipt was kept")
