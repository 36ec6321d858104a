"""A tool that returned has happened, whatever it returned: its result is kept, or a sentence says why it was not."""

import itertools
import sys
import time
import tracemalloc
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum, StrEnum
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from pydantic import BaseModel, Field, RootModel, computed_field

from tests.tools.kit.test_tool import run
from tools import ToolContext, ToolError, TryAgain
from tools.kit import tool as kit_tool
from tools.kit.results import LIMIT


class Size(Enum):
    SMALL = 1


class Colour(StrEnum):
    RED = "red"


class Price(BaseModel):
    amount: Decimal
    hidden: str = Field(default="x", exclude=True)
    unit: str = Field(default="USD", alias="currency")

    @computed_field
    def text(self) -> str:
        return f"{self.amount} {self.unit}"


class Numbers(BaseModel):
    numbers: Iterable[int]


@dataclass
class Point:
    x: int
    at: date


def generated() -> Iterator[Price]:
    yield Price(amount=Decimal("1.10"))


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (None, None),
        (3, 3),
        (True, True),
        (0.1, 0.1),
        ("é\n", "é\n"),
        (b"text", "text"),
        (Decimal("1.10"), "1.10"),
        (date(2027, 3, 1), "2027-03-01"),
        (datetime(2027, 3, 1, 9), "2027-03-01T09:00:00"),
        (timedelta(hours=1), "PT1H"),
        (Path("a/b"), "a/b"),
        (UUID(int=0), "00000000-0000-0000-0000-000000000000"),
        (Size.SMALL, 1),
        (Colour.RED, "red"),
        ((1, {2}, frozenset([3]), deque([4])), [1, [2], [3], [4]]),
        ({1: "a", date(2027, 3, 1): "b"}, {"1": "a", "2027-03-01": "b"}),
        (OrderedDict(a=1), {"a": 1}),
        (Point(1, date(2027, 3, 1)), {"x": 1, "at": "2027-03-01"}),
        (RootModel[list[int]]([1]), [1]),
        (Numbers(numbers=(n for n in (1, 2))), {"numbers": [1, 2]}),
        (generated(), [{"amount": "1.10", "currency": "USD", "text": "1.10 USD"}]),
    ],
)
async def test_result_is_kept_as_plain_json(value: object, kept: object) -> None:
    result = (await run(lambda: value)).result
    assert result == kept
    assert type(result) is type(kept)


async def test_the_same_value_twice_is_no_circle() -> None:
    row = {"a": 1}
    assert (await run(lambda: [row, row])).result == [row, row]


def circle() -> list[Any]:
    around: list[Any] = []
    around.append({"again": around})
    return around


def nested(depth: int) -> Any:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


class Loop(BaseModel):
    inside: Any = None


def looped() -> Loop:
    loop = Loop()
    loop.inside = loop
    return loop


LARGE = "it is larger than 200 kB; ask for less"
NOT_JSON = "it is not JSON-serializable"


@pytest.mark.parametrize(
    ("returned", "reason"),
    [
        (lambda: "x" * 3_000_000, LARGE),
        (lambda: ["x" * 1000] * 3000, LARGE),
        (lambda: b"x" * 3_000_000, LARGE),
        (itertools.count, LARGE),
        (lambda: Numbers(numbers=itertools.count()), LARGE),
        (lambda: itertools.repeat([]), LARGE),
        (circle, "it contains itself"),
        (looped, "it contains itself"),
        (lambda: nested(60), "it is nested more than 50 deep"),
        (lambda: nested(100_000), "it is nested more than 50 deep"),
        (object, f"{NOT_JSON} (a value of type object)"),
        (lambda: sys, f"{NOT_JSON} (a value of type module)"),
        (lambda: Price, f"{NOT_JSON} (a class)"),
        (lambda: {"rows": [{"price": float("nan")}]}, f"{NOT_JSON} (rows.0.price is the number nan)"),
        (lambda: b"\xff", f"{NOT_JSON} (bytes that are not text)"),
        (lambda: ["\ud83d"], f"{NOT_JSON} (0 is text that is not Unicode)"),
        (lambda: {"\ud83d": 1}, f"{NOT_JSON} (text that is not Unicode)"),
        (lambda: 10 ** (10**6), f"{NOT_JSON} (too large a number)"),
        (lambda: {"a": {1: lambda: 1}}, f"{NOT_JSON} (a.1 is a value of type function)"),
    ],
)
async def test_what_cannot_be_kept_has_happened_and_is_told_in_a_sentence(
    returned: Callable[[], object], reason: str
) -> None:
    assert (await run(returned)).result == f"Act ran, but its result was not kept: {reason}."


async def test_source_is_said_even_where_the_result_was_not_kept() -> None:
    from tools import Returned

    assert (await run(lambda: Returned(object(), "live"))).source == "live"


async def test_what_is_too_large_is_measured_before_it_is_built() -> None:
    tracemalloc.start()
    try:
        await run(lambda: itertools.repeat("x" * 1000))
        assert tracemalloc.get_traced_memory()[1] < 50 * LIMIT
    finally:
        tracemalloc.stop()


async def test_reading_a_result_that_never_comes_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kit_tool, "READING", 0.2)

    def slowly() -> Iterator[int]:
        while True:
            time.sleep(0.05)
            yield 1

    def never() -> Iterator[int]:
        time.sleep(2)
        yield 1

    for generator in (slowly, never):
        returned = await run(generator, timeout=0.1)
        assert returned.result == "Act ran, but its result was not kept: reading it took too long."


@pytest.mark.parametrize("error", [ToolError("No."), TryAgain("Not now.")])
async def test_error_of_a_generator_is_the_tools(error: Exception) -> None:
    def failing() -> Iterator[int]:
        yield 1
        raise error

    with pytest.raises(type(error), match=str(error)):
        await run(failing)


async def test_no_key_leaves_in_a_result() -> None:
    key = "abc/def +g\\h="
    context = ToolContext("chat/1", {"SMTP_PASS": key, "CITY": "Austin"})
    result = (
        await run(
            lambda: [{f"Austin {key}": f"{key} at https://x?k=abc%2Fdef%20%2Bg%5Ch%3D&long={'x' * 600}"}], context
        )
    ).result
    assert result == [{"Austin [hidden]": f"[hidden] at https://x?k=[hidden]&long={'x' * 600}"}]


async def test_what_only_looks_like_a_key_stays_in_a_result() -> None:
    assert (await run(lambda: "pk_customers_name")).result == "pk_customers_name"
