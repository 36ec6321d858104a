"""Each goal plays to its end with the demo model, however the person puts it."""

import re
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.demo.harness import Chat
from tools import Toolset

MONDAY = date.today() + timedelta(days=42 - date.today().weekday())
FRIDAY = MONDAY + timedelta(4)


def spoken(day: date) -> str:
    return f"{day:%B} {day.day}, {day.year}"


async def play(toolset: Toolset, home: Path, goal: str, lines: tuple[str, ...]) -> tuple[Chat, str]:
    chat = Chat(toolset, goal, home=home)
    last = await chat.play(*lines)
    assert chat.finished, (last, chat.ran)
    return chat, last


def ran(chat: Chat) -> list[str]:
    return [name for name, _ in chat.ran]


def arguments(chat: Chat, tool: str) -> dict[str, Any]:
    return next(arguments for name, arguments in reversed(chat.ran) if name == tool)


@pytest.mark.parametrize(
    "lines",
    [
        (
            "I'd like to see events in San Francisco in March",
            "I would like to attend the second one",
            "I would like to order two double cheeseburgers.",
            "I'm sorry. I'd like to depart from Austin, TX",
            "Yes",
        ),
        ("What is on in Toronto in June?", "the first one please", "I leave from Chicago", "yes, go ahead"),
        ("Somewhere warm! Miami", "January", "Number 2", "Boston", "the cheapest"),
        ("mexico city in october", "third", "from Denver", "ok"),
        ("I fly from Seattle and want to visit New Orleans in April", "The last one", "sure"),
        ("hello", "Montreal", "in september", "1", "I'd depart from New York", "sounds good"),
    ],
)
async def test_trip(toolset: Toolset, tmp_path: Path, lines: tuple[str, ...]) -> None:
    chat, last = await play(toolset, tmp_path, "event_flight_invoice", lines)
    assert ran(chat) == ["FindEvents", "SearchFlights", "CreateInvoice"]
    assert re.search(r"INV-\w{8}.*https://pay\.example\.com/invoice/INV-", last)


async def test_trip_goes_to_the_picked_event_and_is_invoiced_at_the_cheapest_price(
    toolset: Toolset, tmp_path: Path
) -> None:
    lines = ("events in Austin in May", "the second one", "depart from Portland", "yes")
    chat, _ = await play(toolset, tmp_path, "event_flight_invoice", lines)
    found = (await toolset.tools["FindEvents"].run({"city": "Austin", "month": "May"}, _context())).result["events"][1]
    searched = arguments(chat, "SearchFlights")
    assert searched == {"origin": "Portland", "destination": "Austin", "date_depart": found["start"], "date_return": found["end"]}  # fmt: skip
    flights = (await toolset.tools["SearchFlights"].run(searched, _context())).result["flights"]
    assert arguments(chat, "CreateInvoice")["amount"] == flights[0]["price"]


@pytest.mark.parametrize(
    ("answer", "place"), [("no, the second cheapest", 1), ("the third-cheapest please", 2), ("the cheapest", 0)]
)
async def test_the_second_cheapest_is_not_the_cheapest(
    toolset: Toolset, tmp_path: Path, answer: str, place: int
) -> None:
    chat, _ = await play(
        toolset, tmp_path, "event_flight_invoice", ("events in Austin in May", "1", "depart from Portland", answer)
    )
    searched = arguments(chat, "SearchFlights")
    flights = (await toolset.tools["SearchFlights"].run(searched, _context())).result["flights"]
    assert arguments(chat, "CreateInvoice")["amount"] == flights[place]["price"]


async def test_not_the_cheapest_asks_for_another(toolset: Toolset, tmp_path: Path) -> None:
    chat = Chat(toolset, "event_flight_invoice", home=tmp_path)
    await chat.play("events in Austin in May", "1", "depart from Portland")
    told = chat.say("not the cheapest")
    assert told.startswith("Which one would you like then? You can choose `1. ")
    assert told.endswith("You can also say stop.")


def _context() -> Any:
    from tools import ToolContext

    return ToolContext("check")


@pytest.mark.parametrize(
    "lines",
    [
        ("I'd like some days off", "alex.rivera@example.com", str(MONDAY), str(FRIDAY)),
        (f"I am alex.rivera@example.com and want to be off from {MONDAY} until {FRIDAY}",),
        ("hi", "my address is alex.rivera@example.com", f"from {spoken(MONDAY)} to {spoken(FRIDAY)}"),
        ("Can I book a holiday?", "It's alex.rivera@example.com", spoken(MONDAY), spoken(FRIDAY)),
        (f"time off from {MONDAY} to {FRIDAY}", "alex.rivera@example.com"),
    ],
)
async def test_time_off(toolset: Toolset, tmp_path: Path, lines: tuple[str, ...]) -> None:
    chat, _ = await play(toolset, tmp_path, "time_off", lines)
    assert ran(chat) == ["CheckTimeOff", "RequestTimeOff", "BookTimeOff"]
    assert arguments(chat, "RequestTimeOff") == {
        "email": "alex.rivera@example.com",
        "start": str(MONDAY),
        "end": str(FRIDAY),
    }
    left = await toolset.tools["CheckTimeOff"].run({"email": "alex.rivera@example.com"}, _at(tmp_path))
    assert left.result["days_left"] == 13


def _at(home: Path) -> Any:
    from tools import ToolContext

    return ToolContext("check", home=home)


@pytest.mark.parametrize(
    "lines",
    [
        ("What is in my accounts?", "alex.rivera@example.com", "from savings", "to the travel fund", "250"),
        ("Please move 250 from savings to travel fund", "alex.rivera@example.com"),
        ("I'm alex.rivera@example.com", "I want to move $250 from Savings into the Travel fund"),
        ("I need 250.00 in my travel fund", "My address is alex.rivera@example.com", "Savings"),
        ("hello", "alex.rivera@example.com", "take 250 out of savings", "into travel fund"),
    ],
)
async def test_bank(toolset: Toolset, tmp_path: Path, lines: tuple[str, ...]) -> None:
    chat, _ = await play(toolset, tmp_path, "bank", lines)
    assert ran(chat) == ["CheckBalances", "MoveMoney"]
    moved = arguments(chat, "MoveMoney")
    assert moved.pop("amount") in ("250", "250.00")
    assert moved == {"email": "alex.rivera@example.com", "source": "Savings", "target": "Travel fund"}


@pytest.mark.parametrize(
    "lines",
    [
        ("Show me my orders", "alex.rivera@example.com", "the blanket", "because it is the wrong colour"),
        ("Where is my order?", "I'm alex.rivera@example.com", "the third one", "wrong colour"),
        ("hello", "alex.rivera@example.com", "number 3", "It arrived broken"),
        ("I am alex.rivera@example.com, list my orders please", "the wool one", "changed my mind"),
    ],
)
async def test_orders(toolset: Toolset, tmp_path: Path, lines: tuple[str, ...]) -> None:
    chat, last = await play(toolset, tmp_path, "orders", lines)
    assert ran(chat) == ["ListOrders", "TrackOrder", "RefundOrder"]
    assert arguments(chat, "RefundOrder")["order"] == "1047"
    assert "RF-1047" in last


@pytest.mark.parametrize(
    ("lines", "tools"),
    [
        (("I would like a refund", "it's alex.rivera@example.com", "1047", "because it was broken"), ["ListOrders", "RefundOrder"]),
        (("give me my money back, order 1047", "it was broken"), ["RefundOrder"]),
        (("please refund order #1047", "broken"), ["RefundOrder"]),
        (("I want my money back", "alex.rivera@example.com", "the blanket", "moths"), ["ListOrders", "RefundOrder"]),
    ],
)  # fmt: skip
async def test_a_refund_that_is_asked_for_takes_the_shortest_way(
    toolset: Toolset, tmp_path: Path, lines: tuple[str, ...], tools: list[str]
) -> None:
    chat, last = await play(toolset, tmp_path, "orders", lines)
    assert ran(chat) == tools
    assert arguments(chat, "RefundOrder")["order"] == "1047"
    assert "RF-1047" in last


@pytest.mark.parametrize(
    "lines",
    [
        ("What food is there?", "the pizzeria", "the mushroom pizza", "2"),
        ("The menu of the pizzeria please", "Two mushroom pizzas"),
        ("hello", "Pizzeria", "the second one", "two"),
        ("I'd like to order something from the pizzeria", "mushroom", "I'd like 2"),
        ("show me the menu", "pizzeria", "number 2", "two please"),
        ("hello", "pizza please", "the mushroom one", "2"),
    ],
)
async def test_food(toolset: Toolset, tmp_path: Path, lines: tuple[str, ...]) -> None:
    chat, last = await play(toolset, tmp_path, "food", lines)
    assert ran(chat) == ["ShowMenu", "AddToCart", "CreateInvoice"]
    assert arguments(chat, "CreateInvoice") == {
        "amount": "29.00",
        "currency": "USD",
        "description": "2 × Mushroom pizza",
    }
    assert "INV-" in last


@pytest.mark.parametrize(
    ("here", "words", "offered"),
    [
        ("event_flight_invoice", "I'd rather book time off", "time_off"),
        ("event_flight_invoice", "switch to the bank", "bank"),
        ("bank", "plan a trip instead", "event_flight_invoice"),
        ("orders", "I want to order food instead", "food"),
        ("food", "I need to track my order", "orders"),
        ("food", "I want to order food instead", ""),
        ("food", "I'd rather order a pizza", ""),
        ("orders", "Actually, I want a refund for an order", ""),
    ],
)
async def test_another_goal_is_offered_by_words_that_are_not_of_this_one(
    toolset: Toolset, tmp_path: Path, here: str, words: str, offered: str
) -> None:
    chat = Chat(toolset, here, home=tmp_path)
    chat.begin()
    chat.say(words)
    name, called = chat.offered[-1] if chat.offered else ("", {})
    assert (called["goal"] if name == "switch_goal" else "") == offered
