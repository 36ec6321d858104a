"""How people really talk to it: in passing, with typos, several things at once, changing their minds."""

import json
import re
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
    assert "You can choose `Pizzeria`, `Grill` or `Noodle bar`." in chat.say("burger and fries")
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
    assert "You can choose `Checking` or `Travel fund`." in told


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
    assert told.startswith("Which of these events would you like? You can choose `1. ")


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


@pytest.mark.parametrize("words", ["pizza", "Pizza", "cheaper", "Depart", "idk", "PLEASE", "Marvellous"])
async def test_a_word_that_is_no_city_is_asked_about_again(begin: Begin, words: str) -> None:
    chat = begin("event_flight_invoice")
    chat.say("in May")
    assert chat.say(words).startswith("Which city would you like to visit? For example `Austin`, ")
    assert chat.proposed == []


@pytest.mark.parametrize(
    ("words", "city"),
    [("San Fransisco", "San Francisco"), ("torontoo please", "Toronto"), ("mexico  city", "Mexico City"), ("montréal", "Montreal")],
)  # fmt: skip
async def test_a_city_with_a_typo_is_the_one_that_is_meant(begin: Begin, words: str, city: str) -> None:
    chat = begin("event_flight_invoice")
    chat.say("in May")
    chat.say(words)
    assert chat.proposed == [("FindEvents", {"city": city, "month": "May"})]


@pytest.mark.parametrize("words", ["dallas", "Dallas!", "oh, Dallas I guess", "from dallas", "we'd depart from Dallas"])
async def test_any_city_with_an_airport_is_one_to_depart_from(begin: Begin, words: str) -> None:
    chat = begin("event_flight_invoice")
    await confirmed(chat, "Austin in March", "the first one")
    chat.say(words)
    assert chat.proposed[0][1]["origin"].lower() == "dallas"


@pytest.mark.parametrize(
    "words", ["depart from austin in may", "departing austin in may", "In May. I depart from Austin"]
)
async def test_a_departure_is_no_destination(begin: Begin, words: str) -> None:
    chat = begin("event_flight_invoice")
    assert "Which city would you like to visit?" in chat.say(words)
    chat.say("Boston")
    await chat.confirm()
    chat.say("1")
    assert chat.proposed[0][1]["origin"].lower() == "austin"


@pytest.mark.parametrize(
    "words", ["what about chicago?", "how about Chicago instead", "actually chicago", "and to Chicago?"]
)
async def test_another_city_after_the_list_searches_there(begin: Begin, words: str) -> None:
    chat = begin("event_flight_invoice")
    await confirmed(chat, "Toronto in May")
    chat.say(words)
    assert chat.proposed == [("FindEvents", {"city": "Chicago", "month": "May"})]


@pytest.mark.parametrize("words", ["any", "whenever", "I don't mind", "you choose", "surprise me", "next month"])
async def test_any_month_is_the_next_one(begin: Begin, words: str) -> None:
    chat = begin("event_flight_invoice")
    chat.say("New York, any month")
    chat.say(words)
    month = (date.today().replace(day=28) + timedelta(7)).strftime("%B")
    assert chat.proposed == [("FindEvents", {"city": "New York", "month": month})]


@pytest.mark.parametrize("words", ["actually the third one", "no, number 3", "oh wait, the 3rd"])
async def test_another_pick_counts_while_something_else_is_asked(begin: Begin, words: str) -> None:
    chat = begin("event_flight_invoice")
    await confirmed(chat, "Toronto in May", "the first one", words)
    third = result(chat)["events"][2]
    chat.say("Denver")
    assert chat.proposed[0][1]["date_depart"] == third["start"]


@pytest.mark.parametrize(
    ("words", "amount"),
    [
        ("move two hundred and fifty from savings to the travel fund", "250"),
        ("a hundred bucks from savings to the travel fund please", "100"),
        ("from savings into travel fund: fifty dollars and 20 cents", "50.20"),
        ("Put 1.5k of my savings into the travel fund", "1500"),
        ("transfer $1,250.50 from savings to my travel fund", "1250.50"),
        ("twelve from savings to the travel fund", "12"),
    ],
)
async def test_amounts_may_be_words(begin: Begin, words: str, amount: str) -> None:
    chat = begin("bank")
    await confirmed(chat, ALEX)
    chat.say(words)
    moved = {"email": ALEX, "source": "Savings", "target": "Travel fund", "amount": amount}
    assert chat.proposed == [("MoveMoney", moved)]


@pytest.mark.parametrize("words", ["no, 50", "make it 50", "fifty instead", "sorry, only fifty dollars", "50"])
async def test_another_amount_under_a_card_is_proposed_instead(begin: Begin, words: str) -> None:
    chat = begin("bank")
    await confirmed(chat, ALEX)
    chat.say("100 from savings to checking")
    assert chat.say(words) == "Let me move 50 USD from Savings to Checking."


@pytest.mark.parametrize("words", ["half of it", "half of my savings", "just half"])
async def test_half_of_an_account_is_half_of_what_is_in_it(begin: Begin, words: str) -> None:
    chat = begin("bank")
    await confirmed(chat, "mei.tanaka@example.com")
    chat.say("from savings to checking")
    chat.say(words)
    assert chat.proposed[0][1]["amount"] == "11000.00"


@pytest.mark.parametrize("words", ["no", "nope", "no!", "not now"])
async def test_a_plain_no_under_a_card_is_not_asked_again(begin: Begin, words: str) -> None:
    chat = begin("bank")
    await confirmed(chat, ALEX)
    chat.say("100 from savings to checking")
    assert chat.say(words) == "All right, I did not do that. What would you like to change? You can also say stop."
    assert (chat.proposed, chat.finished) == ([], False)


@pytest.mark.parametrize("words", ["alex", "the first one", "alex.rivera", "I'm Alex", "1"])
@pytest.mark.parametrize("goal", ["bank", "orders", "time_off"])
async def test_a_sample_identity_may_be_named_in_short(begin: Begin, goal: str, words: str) -> None:
    chat = begin(goal)
    chat.say(words)
    assert chat.proposed[0][1] == {"email": ALEX}


@pytest.mark.parametrize("words", ["the second one", "2", "second", "the gril", "something from the grill"])
async def test_a_choice_is_made_by_its_place_or_name(begin: Begin, words: str) -> None:
    chat = begin("food")
    chat.say(words)
    assert chat.proposed == [("ShowMenu", {"kitchen": "Grill"})]


@pytest.mark.parametrize(
    ("words", "items"),
    [
        ("all of them", ["Double cheeseburger", "Grilled corn", "Sweet potato fries"]),
        ("one of each", ["Double cheeseburger", "Grilled corn", "Sweet potato fries"]),
        ("the cheapest and the most expensive", ["Sweet potato fries", "Double cheeseburger"]),
        ("first and last", ["Double cheeseburger", "Sweet potato fries"]),
    ],
)
async def test_several_dishes_are_picked_at_once(begin: Begin, words: str, items: list[str]) -> None:
    chat = begin("food")
    await confirmed(chat, "grill")
    chat.say(words)
    assert chat.proposed == [("AddToCart", {"item": item, "quantity": 1}) for item in items]


@pytest.mark.parametrize(
    "words", ["Next Monday to Friday off, please", "monday through friday", "from next monday until the friday"]
)
async def test_from_one_weekday_to_another_is_one_week(begin: Begin, words: str) -> None:
    chat = begin("time_off")
    chat.say(words)
    await confirmed(chat, ALEX)
    days = {"email": ALEX, "start": str(MONDAY), "end": str(MONDAY + timedelta(4))}
    assert ("RequestTimeOff", days) in chat.ran


@pytest.mark.parametrize("words", ["Next monday for two days", "monday and the day after", "2 days from monday"])
async def test_a_day_and_a_length_are_a_first_and_a_last_day(begin: Begin, words: str) -> None:
    chat = begin("time_off")
    await confirmed(chat, ALEX)
    chat.say(words)
    days = {"email": ALEX, "start": str(MONDAY), "end": str(MONDAY + timedelta(1))}
    assert chat.proposed == [("RequestTimeOff", days)]


@pytest.mark.parametrize(
    ("first", "last"),
    [("15/3/2027", "19.3.2027"), ("monday the 15th of March 2027", "the 19th of march 2027"), ("2027-03-15", "five days"), ("from 15 to 19 march 2027", "")],
)  # fmt: skip
async def test_days_are_written_in_many_ways(begin: Begin, first: str, last: str) -> None:
    chat = begin("time_off")
    await confirmed(chat, ALEX)
    chat.say(first)
    if last:
        chat.say(last)
    assert chat.proposed == [("RequestTimeOff", {"email": ALEX, "start": "2027-03-15", "end": "2027-03-19"})]


@pytest.mark.parametrize("words", ["i'm sick tomorrow, just one day", "tomorrow, 1 day", "a day off tomorrow"])
async def test_one_day_off_begins_and_ends_on_it(begin: Begin, words: str) -> None:
    chat = begin("time_off")
    await confirmed(chat, ALEX)
    chat.say(words)
    tomorrow = str(date.today() + timedelta(1))
    assert chat.proposed == [("RequestTimeOff", {"email": ALEX, "start": tomorrow, "end": tomorrow})]


@pytest.mark.parametrize("words", ["track 1047", "and 1047?", "what about order 1047", "#1047"])
async def test_the_number_of_an_order_is_enough_to_track_it(begin: Begin, words: str) -> None:
    chat = begin("orders")
    await confirmed(chat, "track 1042")
    chat.say(words)
    assert chat.proposed == [("TrackOrder", {"order": "1047"})]


@pytest.mark.parametrize("words", ["when will it arrive?", "what is its status", "how long will it take?"])
async def test_a_question_about_what_came_back_is_answered_from_it(begin: Begin, words: str) -> None:
    chat = begin("orders")
    await confirmed(chat, "track order 1047")
    told = chat.say(words)
    assert told.startswith(
        "Wool blanket, moss green: order 1047, status on its way, carrier Swift Freight and expected "
    )
    assert (chat.proposed, chat.off_goal) == ([], False)


@pytest.mark.parametrize("words", ["thanks", "Thank you so much!", "thx"])
async def test_thanks_are_welcome(begin: Begin, words: str) -> None:
    chat = begin("orders")
    assert chat.say(words).startswith("You are welcome! What email address did you order with?")
    await confirmed(chat, "track order 1047")
    assert chat.say(words) == "You are welcome! Is there anything else I can do?"


@pytest.mark.parametrize("words", ["this is shit", "wtf", "you are useless!"])
async def test_swearing_is_met_with_kindness_and_choices(begin: Begin, words: str) -> None:
    chat = begin("food")
    told = chat.say(words)
    assert told.startswith(
        "I am sorry about that. Which kitchen would you like to order from? You can choose `Pizzeria`"
    )
    assert not chat.off_goal


@pytest.mark.parametrize(
    "words", ["what do you have?", "which one is fastest?", "are there any others?", "what?", "...", ""]
)
async def test_a_question_about_the_choices_is_on_topic(begin: Begin, words: str) -> None:
    chat = begin("food")
    assert chat.say(words).endswith("You can choose `Pizzeria`, `Grill` or `Noodle bar`.")
    assert not chat.off_goal


@pytest.mark.parametrize(
    "words", ["how tall is the Eiffel Tower?", "Can you book me a hotel?", "I like green bicycles"]
)
async def test_what_is_no_business_of_the_goal_is_refused_kindly(begin: Begin, words: str) -> None:
    chat = begin("food")
    assert chat.say(words).startswith("That does not fit what we are doing here (“Order food”). Which kitchen ")
    assert chat.off_goal


@pytest.mark.parametrize(
    "words", ["Hola, quiero ir a Toronto en mayo", "Ich möchte nach Toronto", "je veux aller à Toronto"]
)
async def test_names_are_understood_in_other_languages(begin: Begin, words: str) -> None:
    chat = begin("event_flight_invoice")
    assert chat.say(words).startswith("In which month would you like to go?")
    chat.say("May")
    assert chat.proposed == [("FindEvents", {"city": "Toronto", "month": "May"})]


@pytest.mark.parametrize("words", ["no", "nothing else", "no thanks"])
async def test_a_refund_that_came_too_late_asks_about_the_order(begin: Begin, words: str) -> None:
    chat = begin("orders")
    told = await confirmed(chat, "I want my money back for order 0968", "it is broken")
    assert told.endswith("too late to refund. Which order is it about?")
    chat.say(words)
    assert chat.proposed == []


@pytest.mark.parametrize("words", ["I don't know", "not sure yet", "idk, I can't decide"])
@pytest.mark.parametrize(
    ("goal", "offer"), [("event_flight_invoice", "For example `Austin`"), ("food", "You can choose `Pizzeria`")]
)
async def test_who_is_unsure_is_offered_the_choices(begin: Begin, goal: str, offer: str, words: str) -> None:
    chat = begin(goal)
    assert offer in chat.say(words)
    assert (chat.proposed, chat.off_goal) == ([], False)


@pytest.mark.parametrize("words", ["too expensive", "that's too much", "none of those airlines"])
async def test_who_does_not_like_the_cheapest_is_offered_the_others(begin: Begin, words: str) -> None:
    chat = begin("event_flight_invoice")
    await confirmed(chat, "Austin in March", "1", "Denver")
    assert chat.say(words).startswith("Which one would you like then? You can choose `1. ")
    assert chat.proposed == []


@pytest.mark.parametrize("words", ["no", "none of these", "nope"])
async def test_who_wants_nothing_of_a_list_is_not_asked_again(begin: Begin, words: str) -> None:
    chat = begin("orders")
    await confirmed(chat, ALEX)
    assert chat.say(words) == "All right. Is there anything else I can do?"


@pytest.mark.parametrize(
    "words", ["next week monday to wednesday", "monday next week until wednesday", "from monday, next week, for 3 days"]
)
async def test_a_day_of_next_week_is_in_the_week_after_this_one(begin: Begin, words: str) -> None:
    chat = begin("time_off")
    await confirmed(chat, ALEX, words)
    days = {"email": ALEX, "start": str(MONDAY), "end": str(MONDAY + timedelta(2))}
    assert ("RequestTimeOff", days) in chat.ran


@pytest.mark.parametrize("words", ["until the 18th", "no, only to the 18th", "actually till the 18th"])
async def test_a_day_without_a_month_is_in_that_of_the_first_day(begin: Begin, words: str) -> None:
    chat = begin("time_off")
    await confirmed(chat, ALEX)
    chat.say("2027-03-15 to 2027-03-19")
    chat.say(words)
    assert chat.proposed == [("RequestTimeOff", {"email": ALEX, "start": "2027-03-15", "end": "2027-03-18"})]


@pytest.mark.parametrize("words", ["no, the other way", "vice versa!", "the other direction please"])
async def test_accounts_are_swapped(begin: Begin, words: str) -> None:
    chat = begin("bank")
    await confirmed(chat, ALEX)
    chat.say("a grand from savings to checking")
    chat.say(words)
    moved = {"email": ALEX, "source": "Checking", "target": "Savings", "amount": "1000"}
    assert chat.proposed == [("MoveMoney", moved)]


@pytest.mark.parametrize("words", ["order 1047", "when does 1047 arrive?", "it's about 1047"])
async def test_the_number_of_an_order_needs_no_address(begin: Begin, words: str) -> None:
    chat = begin("orders")
    chat.say(words)
    assert chat.proposed == [("TrackOrder", {"order": "1047"})]


@pytest.mark.parametrize("words", ["fries x2 and a corn", "2 fries, one corn", "one corn plus 2x fries"])
async def test_a_count_stands_before_or_behind_the_dish(begin: Begin, words: str) -> None:
    chat = begin("food")
    await confirmed(chat, "grill")
    chat.say(words)
    counts = {arguments["item"]: arguments["quantity"] for _, arguments in chat.proposed}
    assert counts == {"Sweet potato fries": 2, "Grilled corn": 1}


@pytest.mark.parametrize("words", ["SF", "san fran", "in sf please"])
async def test_a_city_may_be_called_by_its_short_name(begin: Begin, words: str) -> None:
    chat = begin("event_flight_invoice")
    chat.say("in march")
    assert chat.say(words) in [f"Let me look for events in {city} in March." for city in ("SF", "San Francisco")]


@pytest.mark.parametrize("words", ["chicago may", "Chicago, may please", "may, chicago", "chicago in may"])
async def test_may_at_the_end_is_the_month(begin: Begin, words: str) -> None:
    chat = begin("event_flight_invoice")
    chat.say(words)
    assert chat.proposed == [("FindEvents", {"city": "Chicago", "month": "May"})]


@pytest.mark.parametrize("words", ["the tofu one", "tofu please", "I meant the tofu bowl"])
async def test_another_dish_counts_while_its_number_is_asked(begin: Begin, words: str) -> None:
    chat = begin("food")
    await confirmed(chat, "noodle bar", "the soup", words, "3")
    assert ("AddToCart", {"item": "Tofu rice bowl", "quantity": 3}) in chat.ran


@pytest.mark.parametrize("words", ["anything without meat", "something vegetarian", "any specials?"])
async def test_a_wish_that_is_not_understood_picks_nothing(begin: Begin, words: str) -> None:
    chat = begin("food")
    await confirmed(chat, "noodle bar")
    assert "You can choose `1. Lentil soup`" in chat.say(words)
    assert chat.proposed == []


@pytest.mark.parametrize("words", ["the first week of march", "I need the first days of may", "my second vacation"])
async def test_a_first_week_is_no_first_address(begin: Begin, words: str) -> None:
    chat = begin("time_off")
    assert "What is your email address at work?" in chat.say(words)
    assert chat.proposed == []


@pytest.mark.parametrize("words", ["I need a vacation", "I want a week off in march", "could I have a long weekend?"])
async def test_talk_of_days_is_on_topic_where_a_tool_needs_days(begin: Begin, words: str) -> None:
    chat = begin("time_off")
    assert chat.say(words).startswith("What is your email address at work? For example `alex.rivera@example.com`")
    assert not chat.off_goal


@pytest.mark.parametrize(("goal", "lines"), [("food", ["pizzeria"]), ("orders", [ALEX]), ("event_flight_invoice", ["Austin in March"])])  # fmt: skip
async def test_what_is_offered_can_be_sent_back_as_it_is(begin: Begin, goal: str, lines: list[str]) -> None:
    chat = begin(goal)
    await confirmed(chat, *lines)
    rows = next(rows for rows in result(chat).values() if isinstance(rows, list))
    chat.say("hm")
    offered = re.findall(r"`([^`]+)`", chat.say("hm"))
    assert len(offered) == min(8, len(rows))
    for row, answer in zip(rows, offered, strict=False):
        picking = begin(goal)
        await confirmed(picking, *lines)
        question = picking.messages[-1]["content"]
        assert picking.say(answer) != question
        label = answer.partition(". ")[2]
        assert label in row.values()
        if picking.proposed and goal == "food":
            assert picking.proposed[0][1]["item"] == label
        if picking.proposed and goal == "orders":
            assert picking.proposed[0][1] == {"order": row["order"]}


DIALOGUES = {
    "bank": (
        ["hi", "what's my balance??", "mei", "move a hundred from savings to checking", "and another 20 back to savings", "thanks"],
        ["CheckBalances", "MoveMoney", "MoveMoney"],
    ),
    "food": (
        ["what do you have?", "pizza", "two margheritas and a salad", "also one mushroom", "that's all"],
        ["ShowMenu", "AddToCart", "AddToCart", "AddToCart"],
    ),
    "orders": (
        ["wheres my blanket???", "alex", "when will it come?", "i want my money back", "it's too scratchy"],
        ["ListOrders", "TrackOrder", "RefundOrder"],
    ),
    "time_off": (
        ["how many days do i have left", "the first one", "in two weeks", "three days"],
        ["CheckTimeOff", "RequestTimeOff", "BookTimeOff"],
    ),
    "event_flight_invoice": (
        ["yo", "torontoo", "what?", "whenever", "hm, which one is good?", "surprise me", "dallas", "no", "the second cheapest"],
        ["FindEvents", "SearchFlights", "CreateInvoice"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("goal", DIALOGUES)
async def test_a_whole_chat_in_loose_words(begin: Begin, goal: str) -> None:
    lines, tools = DIALOGUES[goal]
    chat = begin(goal)
    for line in lines:
        chat.say(line)
        assert not chat.off_goal, line
        while (
            chat.proposed
            and chat.proposed[0][0] in tools
            and (goal != "food" or chat.proposed[0][0] != "CreateInvoice")
        ):
            await chat.confirm()
    assert [name for name, _ in chat.ran] == tools
