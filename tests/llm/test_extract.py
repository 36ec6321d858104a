"""What is found in a person's words, and what is not."""

from datetime import date

import pytest

from agent.llm.scripted import gestures
from agent.llm.scripted.extract import MONTHS, find
from agent.llm.scripted.slots import Slot

TODAY = date(2026, 11, 23)  # a Monday


def slot(kind: str, *, cues: tuple[str, ...] = (), values: tuple[str, ...] = (), nth: int = 0) -> Slot:
    return Slot("Tool", "argument", kind, "What?", cues=cues, values=values, nth=nth)


CITY = slot("text", cues=("in", "to", "visit", "from"))
MONTH = slot("choice", values=tuple(name.title() for name in MONTHS))
START, END = slot("date", cues=("from",)), slot("date", cues=("to", "until"), nth=1)
AMOUNT = slot("number")


@pytest.mark.parametrize(
    ("where", "text", "asked", "value"),
    [
        (CITY, "I'd like to see events in San Francisco in March", False, "San Francisco"),
        (CITY, "I'd like to depart from Austin, TX.", False, "Austin, TX"),
        (CITY, "from st. louis please", False, "st. louis"),
        (CITY, "We want to go to New York City, in May", False, "New York City"),
        (CITY, "I would like to order two double cheeseburgers.", True, None),
        (CITY, "I'd like to think about it", True, None),
        (CITY, "Boston", True, "Boston"),
        (CITY, "Boston", False, None),
        (CITY, "sorry, boston please", True, "boston"),
        (CITY, "Boston, March", True, "Boston"),
        (CITY, "March", True, None),
        (CITY, "Why do you ask?", True, None),
        (CITY, "I live in Boston", False, None),
        (slot("text"), "because it arrived broken.", True, "because it arrived broken"),
        (slot("text"), "yes", True, None),
        (slot("text", values=("a@b.example",)), "I'm mei.tanaka@example.com, hello", False, "mei.tanaka@example.com"),
        (MONTH, "something in march", False, "March"),
        (MONTH, "I may come, and we march on", False, None),
        (MONTH, "may", True, "May"),
        (MONTH, "around Nov. or so", False, "November"),
        (MONTH, "not in June but in July", False, "July"),
        (slot("choice", values=("Travel fund", "Savings"), cues=("into",)), "200 into my travel fund", False, "Travel fund"),
        (slot("choice", values=("Travel fund", "Savings"), cues=("into",)), "200 from savings", False, None),
        (AMOUNT, "please move $1,250.50", False, "1250.50"),
        (AMOUNT, "two of them", False, "2"),
        (AMOUNT, "three", True, "3"),
        (AMOUNT, "the second one", False, None),
        (AMOUNT, "number 2", False, None),
        (AMOUNT, "on June 5, 2027 at a1@b2.example", False, None),
        (START, "from March 3rd to March 10", False, "2027-03-03"),
        (END, "from March 3rd to March 10", False, "2027-03-10"),
        (END, "from March 3 to 10", False, "2027-03-10"),
        (START, "2027-01-04", True, "2027-01-04"),
        (START, "tomorrow", True, "2026-11-24"),
        (START, "next Friday", True, "2026-11-27"),
        (START, "Monday", True, "2026-11-30"),
        (START, "December 1st", True, "2026-12-01"),
        (START, "2 January 2028", True, "2028-01-02"),
        (START, "February 30", True, None),
        (START, "12/24", True, "2026-12-24"),
    ],
)  # fmt: skip
def test_find(where: Slot, text: str, asked: bool, value: str | None) -> None:
    assert find(where, text, asked, TODAY) == value


FLIGHTS = [
    {"airline": "Osprey", "price": "120.00", "cheapest": False},
    {"airline": "Blue Heron", "price": "90.00", "cheapest": True},
    {"airline": "Heron West", "price": "95.00", "cheapest": False},
]


@pytest.mark.parametrize(
    ("text", "asked", "place"),
    [
        ("the second one", True, 1),
        ("2", True, 1),
        ("#3", True, 2),
        ("number one", True, 0),
        ("the last", True, 2),
        ("the fifth", True, None),
        ("Osprey please", True, 0),
        ("the blue one", True, 1),
        ("heron", True, None),
        ("the one for 95", True, None),
        ("the cheapest", True, 1),
        ("Yes", True, 1),
        ("Yes", False, None),
        ("hm, I don't know", True, None),
        ("The second of March", True, None),
    ],
)
def test_pick(text: str, asked: bool, place: int | None) -> None:
    assert gestures.pick(text, FLIGHTS, "cheapest", asked) == place


@pytest.mark.parametrize("text", ["yes", "Yeah, sure", "ok!", "go ahead", "Sounds good to me", "try again"])
def test_agreeing(text: str) -> None:
    assert gestures.agrees(text)


@pytest.mark.parametrize("text", ["yesterday", "no", "okra", "I'd like to stop over in Boston", "cancelled flights?"])
def test_neither_agreeing_nor_stopping(text: str) -> None:
    assert not gestures.agrees(text)
    assert not gestures.stops(text)
