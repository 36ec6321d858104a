"""What is found in a person's words, and what is not."""

from datetime import date
from typing import Any

import pytest

from agent.demo import numbers, results, values, words
from agent.demo.arguments import Argument, function_of

TODAY = date(2026, 11, 23)  # a Monday
MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]


def arguments(**properties: dict[str, Any]) -> tuple[Argument, ...]:
    parameters = {"type": "object", "properties": properties, "required": list(properties)}
    return function_of({"name": "Tool", "description": "Do it.", "parameters": parameters}).arguments


TRIP = arguments(
    city={"type": "string", "description": "the city to visit"},
    home={"type": "string", "description": "the city to depart from"},
)
MONTH = arguments(month={"type": "string", "enum": MONTHS})
DAYS = arguments(first={"type": "string", "format": "date"}, last={"type": "string", "format": "date"})
AMOUNT = arguments(amount={"type": "string", "format": "decimal"})
MOVE = arguments(
    source={"enum": ["Checking", "Savings", "Travel fund"], "description": "the account to take it from"},
    target={"enum": ["Checking", "Savings", "Travel fund"], "description": "the account to put it into"},
)
REASON = arguments(reason={"type": "string", "description": "why"})
ORDER = arguments(order={"type": "string", "examples": ["1047"]})
EMAIL = arguments(email={"type": "string", "description": "an email address"})


def find(group: tuple[Argument, ...], text: str, asked: str = "") -> dict[str, str]:
    mine = next((one for one in group if one.name == asked), None)
    return values.find(group, text, mine, TODAY)


@pytest.mark.parametrize(
    ("text", "asked", "found"),
    [
        ("I'd like to see events in San Francisco in March", "", {"city": "San Francisco"}),
        ("I'd like to depart from Austin, TX.", "", {"home": "Austin, TX"}),
        ("from st. louis please", "", {"home": "st. louis"}),
        ("We want to go to New York City, in May", "", {"city": "New York City"}),
        ("vancouver in august, leaving from st. louis", "city", {"city": "vancouver", "home": "st. louis"}),
        ("I would like to order two double cheeseburgers.", "city", {}),
        ("I'd like to think about it", "city", {}),
        ("I don't know yet", "city", {}),
        ("hm, let me see", "city", {}),
        ("yes", "city", {}),
        ("the robot thing", "city", {}),
        ("Boston", "city", {"city": "Boston"}),
        ("sorry, boston please", "city", {"city": "boston"}),
        ("Boston, March", "city", {"city": "Boston"}),
        ("March", "city", {}),
        ("march", "city", {}),
        ("Why do you ask?", "city", {}),
        ("I live in Boston", "", {"home": "Boston"}),
        ("1, from NYC", "", {"home": "NYC"}),
    ],
)
def test_a_place_is_a_plausible_name(text: str, asked: str, found: dict[str, str]) -> None:
    assert find(TRIP, text, asked) == found


@pytest.mark.parametrize(
    ("text", "asked", "month"),
    [
        ("something in march", "", "March"),
        ("I may come, and we march on", "", ""),
        ("may", "month", "May"),
        ("around Nov. or so", "month", "November"),
        ("not in June but in July", "", "July"),
        ("septembr", "month", "September"),
    ],
)
def test_choices_are_found_shortened_and_mistyped(text: str, asked: str, month: str) -> None:
    assert find(MONTH, text, asked).get("month", "") == month


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("200 into my travel fund", {"target": "Travel fund"}),
        ("250 from savings to checking", {"source": "Savings", "target": "Checking"}),
        ("move all my savings to checking", {"source": "Savings", "target": "Checking"}),
        ("out of savings", {"source": "Savings"}),
    ],
)
def test_the_words_before_a_choice_say_which_argument_it_is(text: str, found: dict[str, str]) -> None:
    assert find(MOVE, text) == found


@pytest.mark.parametrize(
    ("text", "asked", "found"),
    [
        ("from March 3rd to March 10", "", ["2027-03-03", "2027-03-10"]),
        ("from March 3 to 10", "", ["2027-03-03", "2027-03-10"]),
        ("March 3-10", "", ["2027-03-03", "2027-03-10"]),
        ("2027-01-04", "first", ["2027-01-04"]),
        ("tomorrow", "first", ["2026-11-24"]),
        ("the day after tomorrow", "first", ["2026-11-25"]),
        ("next Friday", "first", ["2026-11-27"]),
        ("Monday", "first", ["2026-11-30"]),
        ("December 1st", "first", ["2026-12-01"]),
        ("2 January 2028", "first", ["2028-01-02"]),
        ("12/24", "first", ["2026-12-24"]),
        ("February 30", "first", []),
        ("in May", "first", []),
        ("only 2 days", "first", []),
        ("order 1047", "first", []),
    ],
)
def test_dates_are_days_that_are_named(text: str, asked: str, found: list[str]) -> None:
    assert list(find(DAYS, text, asked).values()) == found


@pytest.mark.parametrize(("text", "days"), [("no, only 2 days", 2), ("just a week", 7), ("three days please", 3), ("Monday", 0)])  # fmt: skip
def test_a_span_is_a_number_of_days(text: str, days: int) -> None:
    assert numbers.days_in(text) == days


@pytest.mark.parametrize(
    ("text", "asked", "amount"),
    [
        ("please move $1,250.50", "", "1250.50"),
        ("two of them", "", "2"),
        ("three", "amount", "3"),
        ("the second one", "", ""),
        ("the mushroom one", "", ""),
        ("number 2", "", ""),
        ("on June 5, 2027 at a1@b2.example", "", ""),
    ],
)
def test_numbers_are_amounts_and_no_places_in_a_list(text: str, asked: str, amount: str) -> None:
    assert find(AMOUNT, text, asked).get("amount", "") == amount


def test_words_codes_and_addresses() -> None:
    assert find(REASON, "because it arrived broken.", "reason") == {"reason": "it arrived broken"}
    assert find(REASON, "because it arrived broken.") == {}
    assert find(REASON, "yes", "reason") == {}
    assert find(ORDER, "give me my money back, order 1047") == {"order": "1047"}
    assert find(ORDER, "I paid 1047 for it") == {}
    assert find(ORDER, "1047", "order") == {"order": "1047"}
    assert find(EMAIL, "I'm mei.tanaka@example.com, hello") == {"email": "mei.tanaka@example.com"}


FLIGHTS = [
    {"airline": "Osprey", "price": "120.00", "cheapest": False},
    {"airline": "Blue Heron", "price": "90.00", "cheapest": True},
    {"airline": "Heron West", "price": "95.00", "cheapest": False},
]


@pytest.mark.parametrize(
    ("text", "picked"),
    [
        ("the second one", [1]),
        ("2", [1]),
        ("#3", [2]),
        ("number one", [0]),
        ("the last", [2]),
        ("the fifth", []),
        ("the first two", [0, 1]),
        ("Osprey please", [0]),
        ("the blue one", [1]),
        ("ospray and blue heron", [0, 1]),
        ("heron", []),
        ("the cheapest", [1]),
        ("the second cheapest", [2]),
        ("the most expensive", [0]),
        ("not the cheapest", []),
        ("hm, I don't know", []),
        ("The second of March", []),
    ],
)
def test_a_row_is_picked_by_place_name_or_price(text: str, picked: list[int]) -> None:
    assert [at for at, _ in results.pick(text, FLIGHTS, here=True)] == picked


def test_counts_belong_to_the_dish_beside_them() -> None:
    menu = [{"name": "Margherita pizza"}, {"name": "Mushroom pizza"}, {"name": "Garden salad"}]
    assert results.pick("2 margheritas and one salad", menu, here=True) == [(0, "2"), (2, "1")]
    assert results.pick("also a mushroom", menu, here=True) == [(1, "1")]
    assert results.pick("pizza", menu, here=True) == []


@pytest.mark.parametrize("text", ["yes", "Yeah, sure", "ok!", "go ahead", "Sounds good to me", "try again"])
def test_agreeing(text: str) -> None:
    assert words.means(text, "agrees")


@pytest.mark.parametrize("text", ["yesterday", "no", "okra", "I'd like to stop over in Boston", "cancelled flights?"])
def test_neither_agreeing_nor_stopping(text: str) -> None:
    assert not words.means(text, "agrees")
    assert not words.means(text, "stops")
