"""How people really talk to it: in passing, with typos, several things at once, changing their minds."""

import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.demo.harness import Chat
from tools import Toolset

ALEX = "alex.rivera@example.com"
MONDAY = date.today() + timedelta(days=7 - date.today().weekday())
Begin = Callable[[str], Chat]


@pytest.fixture
def begin(toolset: Toolset, tmp_path: Path) -> Begin:
    def begun(goal: str) -> Chat:
        chat = Chat(toolset, goal, tmp_path)
        chat.begin()
        return chat

    return begun


async def confirmed(chat: Chat, *lines: str) -> str:
    """Say each line and confirm what is proposed; the last words of the agent."""
    text = ""
    for line in lines:
        text = chat.say(line)
        while chat.proposed:
            text = await chat.confirm()
    return text


def result(chat: Chat) -> Any:
    newest = next(message for message in reversed(chat.messages) if message["role"] == "tool")
    return json.loads(newest["content"])["result"]


@pytest.mark.parametrize("words", ["where is my blanket???", "wheres my blanket", "where did the wool blanket go?"])
async def test_where_something_is_lists_the_orders_and_tracks_the_one(begin: Begin, words: str) -> None:
    chat = begin("orders")
    assert "What email address did you order with?" in chat.say(words)
    told = await confirmed(chat, ALEX)
    assert chat.ran == [("ListOrders", {"email": ALEX}), ("TrackOrder", {"order": "1047"})]
    assert "on its way" in told


@pytest.mark.parametrize(
    "words", ["and now what's my ballance?", "what is my balance now", "so how much are my balances"]
)
async def test_a_question_about_the_balance_looks_again(begin: Begin, words: str) -> None:
    chat = begin("bank")
    await confirmed(chat, ALEX, "100 from savings to checking")
    told = await confirmed(chat, words)
    assert [name for name, _ in chat.ran] == ["CheckBalances", "MoveMoney", "CheckBalances"]
    assert "Checking 2942.10 USD" in told
    assert told.endswith("Is there anything else I can do?")


@pytest.mark.parametrize("words", ["what can u do?", "What can you do", "how can u help", "help"])
@pytest.mark.parametrize("goal", ["bank", "food"])
async def test_what_it_can_do_is_a_sentence(begin: Begin, goal: str, words: str) -> None:
    abilities = {
        "bank": "I can check the balances and move an amount.",
        "food": "I can show the menu, add an item and create an invoice.",
    }
    assert begin(goal).say(words).startswith(abilities[goal])


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ("2 margheritas", "also one mushroom"),
        ("two margherita pizzas please", "and a mushroom pizza"),
        ("I'll have 2 of the margherita", "add one mushroom too"),
    ],
)
async def test_one_more_dish_is_added_to_the_cart(begin: Begin, first: str, then: str) -> None:
    chat = begin("food")
    await confirmed(chat, "the pizzeria")
    chat.say(first)
    assert chat.proposed == [("AddToCart", {"item": "Margherita pizza", "quantity": 2})]
    await chat.confirm()
    assert chat.proposed[0][0] == "CreateInvoice"
    chat.say(then)
    assert chat.proposed == [("AddToCart", {"item": "Mushroom pizza", "quantity": 1})]
    await chat.confirm()
    assert chat.proposed[0][1]["amount"] == "40.30"
    assert (await chat.confirm()).startswith("All done")


@pytest.mark.parametrize("words", ["burger and fries", "a burger and the fries please", "cheeseburger, fries"])
async def test_two_dishes_in_one_sentence_are_two_calls(begin: Begin, words: str) -> None:
    chat = begin("food")
    await confirmed(chat, "grill")
    chat.say(words)
    both = [("AddToCart", {"item": name, "quantity": 1}) for name in ("Double cheeseburger", "Sweet potato fries")]
    assert chat.proposed == both
    await chat.confirm()
    await chat.confirm()
    assert chat.ran[1:] == both
    assert chat.proposed[0][1]["amount"] == "19.60"


async def test_dishes_named_before_the_menu_is_shown_are_not_forgotten(begin: Begin) -> None:
    chat = begin("food")
    assert "You can choose Pizzeria, Grill or Noodle bar." in chat.say("burger and fries")
    chat.say("the grill")
    await chat.confirm()
    assert [arguments["item"] for _, arguments in chat.proposed] == ["Double cheeseburger", "Sweet potato fries"]


@pytest.mark.parametrize("words", ["the first two", "1st and 2nd", "I'd take the first two please"])
async def test_the_first_two_are_both(begin: Begin, words: str) -> None:
    chat = begin("food")
    await confirmed(chat, "pizzeria")
    chat.say(words)
    assert [arguments["item"] for _, arguments in chat.proposed] == ["Margherita pizza", "Mushroom pizza"]


@pytest.mark.parametrize(
    "words", ["move all my savings to checking", "transfer everything from savings into checking", "put all of my savings in checking"]
)  # fmt: skip
async def test_all_of_an_account_is_what_is_in_it(begin: Begin, words: str) -> None:
    chat = begin("bank")
    chat.say(words)
    chat.say("mei.tanaka@example.com")
    await chat.confirm()
    moved = {"email": "mei.tanaka@example.com", "source": "Savings", "target": "Checking", "amount": "22000.00"}
    assert chat.proposed == [("MoveMoney", moved)]
    assert "Choose at most 5,000.00 USD. How much would you like to move?" in await chat.confirm()
    chat.say("5000 then")
    assert chat.proposed == [("MoveMoney", moved | {"amount": "5000"})]


@pytest.mark.parametrize("words", ["from savings to savings", "savings", "into savings, from savings"])
async def test_nothing_goes_from_an_account_to_itself(begin: Begin, words: str) -> None:
    chat = begin("bank")
    await confirmed(chat, ALEX, "move 10 from savings")
    told = chat.say(words)
    assert chat.proposed == []
    assert "You can choose Checking or Travel fund." in told


@pytest.mark.parametrize(
    ("first", "last"), [("next monday", "next friday"), ("monday", "friday"), ("on Monday please", "the friday")]
)
async def test_next_friday_comes_after_next_monday(begin: Begin, first: str, last: str) -> None:
    chat = begin("time_off")
    await confirmed(chat, ALEX)
    chat.say(first)
    chat.say(last)
    days = {"start": str(MONDAY), "end": str(MONDAY + timedelta(4))}
    assert chat.proposed == [("RequestTimeOff", {"email": ALEX, **days})]


@pytest.mark.parametrize("words", ["no, only 2 days", "make it two days", "just 2 days please"])
async def test_fewer_days_change_the_last_one(begin: Begin, words: str) -> None:
    chat = begin("time_off")
    await confirmed(chat, ALEX)
    chat.say("next monday till friday")
    chat.say(words)
    days = {"start": str(MONDAY), "end": str(MONDAY + timedelta(1))}
    assert chat.proposed == [("RequestTimeOff", {"email": ALEX, **days})]


@pytest.mark.parametrize("words", ["1, from NYC", "the first one, I fly from NYC", "number 1. Leaving from NYC"])
async def test_a_pick_and_a_city_in_one_sentence(begin: Begin, words: str) -> None:
    chat = begin("event_flight_invoice")
    await confirmed(chat, "Austin in March")
    first = result(chat)["events"][0]
    chat.say(words)
    flight = {"origin": "NYC", "destination": "Austin", "date_depart": first["start"], "date_return": first["end"]}
    assert chat.proposed == [("SearchFlights", flight)]


@pytest.mark.parametrize("words", ["the robot thing", "robotics please", "that robots expo"])
async def test_something_is_picked_by_what_it_is_about(begin: Begin, words: str) -> None:
    chat = begin("event_flight_invoice")
    await confirmed(chat, "Austin in March")
    robots = next(event for event in result(chat)["events"] if "Robotics" in event["name"])
    assert "Which city will you depart from?" in chat.say(words)
    chat.say("Denver")
    assert chat.proposed[0][1]["date_depart"] == robots["start"]


@pytest.mark.parametrize(
    "words", ["give me my money back, order 1047", "I want my money back for order 1047", "refund order #1047"]
)
async def test_a_refund_of_a_named_order_asks_for_the_reason_alone(begin: Begin, words: str) -> None:
    chat = begin("orders")
    assert "what is the reason?" in chat.say(words)
    chat.say("it is broken")
    assert chat.proposed == [("RefundOrder", {"order": "1047", "reason": "broken"})]


@pytest.mark.parametrize("words", ["no thats all", "that's all", "no, that is all, thanks"])
async def test_enough_under_a_card_neither_ends_the_chat_nor_runs_it(begin: Begin, words: str) -> None:
    chat = begin("food")
    await confirmed(chat, "pizzeria")
    chat.say("one margherita")
    await chat.confirm()
    told = chat.say(words)
    assert (chat.proposed, chat.finished) == ([], False)
    assert told == "All right, nothing more. Shall I create an invoice? You can also say stop."
    chat.say("yes")
    assert chat.proposed[0][0] == "CreateInvoice"
    chat.say("stop")
    assert chat.finished


@pytest.mark.parametrize("words", ["march", "March!", "in march"])
async def test_the_month_said_again_is_no_city_and_no_news(begin: Begin, words: str) -> None:
    chat = begin("event_flight_invoice")
    chat.say("march")
    assert "Which city would you like to visit? For example" in chat.say(words)
    chat.say("Austin")
    assert chat.proposed == [("FindEvents", {"city": "Austin", "month": "March"})]
    await chat.confirm()
    told = chat.say(words)
    assert chat.proposed == []
    assert told.startswith("Which of these events would you like? There are 1. ")


@pytest.mark.parametrize(
    "words", ["what does the cheapest cost?", "how much is the cheapest one?", "what's the cheapest?"]
)
async def test_a_question_about_an_offer_is_answered_and_buys_nothing(begin: Begin, words: str) -> None:
    chat = begin("event_flight_invoice")
    await confirmed(chat, "Austin in March", "1", "Denver")
    best = result(chat)["flights"][0]
    told = chat.say(words)
    assert chat.proposed == []
    assert f"{best['price']} {best['currency']}" in told
    assert told.endswith("Shall I create an invoice for it?")
    chat.say("ok")
    assert chat.proposed[0][1]["amount"] == best["price"]


@pytest.mark.parametrize(
    "words", ["hm, let me see", "what do you suggest?", "the nice one", "I'm not sure yet", "pizza is good"]
)
async def test_what_is_no_city_is_never_taken_for_one(begin: Begin, words: str) -> None:
    chat = begin("event_flight_invoice")
    assert "Which city would you like to visit?" in chat.say(words)
    assert chat.proposed == []


@pytest.mark.parametrize("goal", ["event_flight_invoice", "bank", "food", "orders", "time_off"])
async def test_greetings_and_proposals_are_sentences(toolset: Toolset, tmp_path: Path, goal: str) -> None:
    chat = Chat(toolset, goal, tmp_path)
    names = [spaced for name in toolset.goals[goal].tools for spaced in toolset.tools[name].parameters["properties"] if "_" in spaced]  # fmt: skip
    lines = {
        "event_flight_invoice": ("events in San Francisco in March", "1", "from Denver", "yes"),
        "bank": (ALEX, "move 10 from savings to checking"),
        "food": ("pizzeria", "2 margheritas"),
        "orders": (ALEX, "the blanket", "it is broken"),
        "time_off": (ALEX, "next monday", "next friday"),
    }
    told = [chat.begin()]
    for line in lines[goal]:
        told.append(chat.say(line))
        while chat.proposed:
            told.append(await chat.confirm())
    assert told[0].startswith("Hello! ")
    assert all((text[0].isupper() or text[0].isdigit()) and text[-1] in ".?!" for text in told), told
    assert not any(name in text for name in names for text in told)
    assert all(text.startswith("Let me ") for text in told if text.startswith("Let")), told


async def test_proposals_read_as_people_say_it(begin: Begin) -> None:
    chat = begin("event_flight_invoice")
    assert chat.say("San Francisco in March") == "Let me look for events in San Francisco in March."
    await chat.confirm()
    chat.say("1")
    assert chat.say("Austin").startswith("Let me search round-trip flights from Austin to San Francisco on ")
