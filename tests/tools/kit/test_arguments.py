from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from tools import InvalidArguments, ToolContext
from tools.kit.arguments import Arguments


class Size(Enum):
    SMALL = "small"
    LARGE = "large"


class Guest(BaseModel):
    """Somebody who comes along."""

    title: str
    age: int | None = None


class Folder(BaseModel):
    name: str
    inside: list["Folder"] = []


def every_type(
    text: str,
    count: int,
    share: float,
    sure: bool,
    amount: Decimal,
    day: date,
    moment: datetime,
    level: Literal["Low", "High"],
    size: Size,
    guests: list[Guest],
    copy: Annotated[str, "whom to copy"] = "",
    schema: int | None = None,
) -> None:
    """Take one of everything.

    More of the description.

    Args:
        text: any text,
            on two lines
        level (str): how high

    Returns:
        nothing
    """


def arguments(function: Callable[..., Any] = every_type) -> Arguments:
    return Arguments("EveryType", function)


GIVEN: dict[str, Any] = {
    "text": " a ",
    "count": "3",
    "share": 0.5,
    "sure": "yes",
    "amount": 19.99,
    "day": "2027-03-15",
    "moment": "2027-03-15T09:30:00",
    "level": "high",
    "size": "LARGE",
    "guests": [{"title": "Dr"}],
}


def test_description_is_the_docstring_before_its_sections() -> None:
    assert arguments().description == "Take one of everything. More of the description."


def test_schema_is_compact() -> None:
    schema = arguments().parameters
    assert schema["properties"] == {
        "text": {"type": "string", "description": "any text, on two lines"},
        "count": {"type": "integer"},
        "share": {"type": "number"},
        "sure": {"type": "boolean"},
        "amount": {"type": "string", "format": "decimal"},
        "day": {"type": "string", "format": "date"},
        "moment": {"type": "string", "format": "date-time"},
        "level": {"type": "string", "enum": ["Low", "High"], "description": "how high"},
        "size": {"type": "string", "enum": ["small", "large"]},
        "guests": {
            "type": "array",
            "items": {
                "type": "object",
                "description": "Somebody who comes along.",
                "properties": {"title": {"type": "string"}, "age": {"type": "integer"}},
                "required": ["title"],
            },
        },
        "copy": {"type": "string", "description": "whom to copy", "default": ""},
        "schema": {"type": "integer"},
    }
    assert schema["required"] == list(schema["properties"])[:10]


def test_annotations_of_an_argument_reach_its_schema() -> None:
    def act(
        email: Annotated[
            Annotated[str, Field(min_length=3)],
            Field(title="Which email address?", examples=["a@example.com"], json_schema_extra={"x-cues": ["my email"]}),
        ],
        city: Annotated[str | None, Field(description="from the annotation", title="Where to?")] = None,
        size: Annotated[Size, Field(title="How big?")] = Size.SMALL,
    ) -> None:
        """Act.

        Args:
            email: from the docstring
            city: not this one
        """

    schema = arguments(act).parameters
    assert schema["properties"] == {
        "email": {
            "type": "string",
            "minLength": 3,
            "title": "Which email address?",
            "description": "from the docstring",
            "examples": ["a@example.com"],
            "x-cues": ["my email"],
        },
        "city": {"type": "string", "title": "Where to?", "description": "from the annotation"},
        "size": {"type": "string", "enum": ["small", "large"], "title": "How big?", "default": "small"},
    }
    assert schema["required"] == ["email"]


def test_type_that_contains_itself_keeps_its_definitions() -> None:
    def tree(top: Folder) -> None:
        """Show a tree."""

    schema = arguments(tree).parameters
    assert schema["$defs"]["Folder"]["properties"]["inside"]["items"] == {"$ref": "#/$defs/Folder"}


def test_check_coerces_to_plain_json() -> None:
    assert arguments().check(GIVEN) == {
        "text": "a",
        "count": 3,
        "share": 0.5,
        "sure": True,
        "amount": "19.99",
        "day": "2027-03-15",
        "moment": "2027-03-15T09:30:00",
        "level": "High",
        "size": "large",
        "guests": [{"title": "Dr"}],
        "copy": "",
    }


def test_values_are_the_functions_own_types() -> None:
    values = arguments().values(GIVEN)
    assert values["amount"] == Decimal("19.99")
    assert values["day"] == date(2027, 3, 15)
    assert values["size"] is Size.LARGE
    assert values["guests"] == [Guest(title="Dr")]
    assert values["schema"] is None


def test_what_was_checked_can_be_checked_again() -> None:
    once = arguments().check(GIVEN)
    assert arguments().check(once) == once


@pytest.mark.parametrize("nothing", [None, "", "  "])
def test_nothing_counts_as_missing(nothing: object) -> None:
    with pytest.raises(InvalidArguments) as caught:
        arguments().check(GIVEN | {"text": nothing})
    assert caught.value.missing == ["text"]
    assert str(caught.value) == "EveryType cannot run: text is missing."


def test_null_and_blank_text_are_values_where_the_type_says_so() -> None:
    class Leg(BaseModel):
        stop: str | None

    def act(
        until: Annotated[date | None, Field(title="Until when?")],
        note: Annotated[str, Field(min_length=0)],
        mode: Literal["", "fast"],
        legs: list[Leg],
        more: str | None = None,
    ) -> None:
        """Act."""

    made = arguments(act)
    assert made.parameters["properties"]["until"] == {
        "anyOf": [{"type": "string", "format": "date"}, {"type": "null"}],
        "title": "Until when?",
    }
    given = {"until": None, "note": "", "mode": "", "legs": [{"stop": None}], "more": None}
    checked = made.check(given)
    assert checked == {"until": None, "note": "", "mode": "", "legs": [{"stop": None}]}
    assert made.check(checked) == checked
    assert made.values(checked)["until"] is None
    assert made.check(given | {"until": "2027-03-15"})["until"] == "2027-03-15"
    with pytest.raises(InvalidArguments) as caught:
        made.check({"legs": [], "mode": None})
    assert caught.value.missing == ["until", "note", "mode"]


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("count", "three", "count must be a whole number"),
        ("count", 3.5, "count must be a whole number"),
        ("share", "nan", "share must be a number such as 19.99"),
        ("sure", "perhaps", "sure must be yes or no"),
        ("amount", "lots", "amount must be a number such as 19.99"),
        ("amount", "19,99", "amount must be a number such as 19.99"),
        ("amount", "Infinity", "amount must be a number such as 19.99"),
        ("day", "next week", "day must be a date such as 2027-03-15"),
        ("day", "2027-02-30", "day must be a date such as 2027-03-15"),
        ("day", 86400, "day must be a date such as 2027-03-15"),
        ("day", "20270315", "day must be a date such as 2027-03-15"),
        ("level", "medium", "level must be one of: Low, High"),
        ("size", 7, "size must be one of: small, large"),
        ("guests", [{"age": 3}], "guests.0.title is missing"),
    ],
)
def test_wrong_value_is_told_in_a_sentence(name: str, value: object, sentence: str) -> None:
    with pytest.raises(InvalidArguments) as caught:
        arguments().check(GIVEN | {name: value})
    assert caught.value.wrong == {name: sentence}


@pytest.mark.parametrize("wrong", [None, [], "text", 3])
def test_arguments_that_are_no_object_are_refused(wrong: object) -> None:
    with pytest.raises(InvalidArguments, match="must be one JSON object"):
        arguments().check(wrong)


@pytest.mark.parametrize(("typed", "amount"), [("$1,234.50", "1234.50"), ("1,234,567", "1234567"), (3, "3")])
def test_amounts_are_read_as_people_write_them(typed: object, amount: str) -> None:
    assert arguments().check(GIVEN | {"amount": typed})["amount"] == amount


def test_list_is_read_from_text_and_unknown_arguments_are_left_out() -> None:
    def pack(things: list[str]) -> None:
        """Pack."""

    assert arguments(pack).check({"things": "hat, shoes", "haste": 1}) == {"things": ["hat", "shoes"]}
    assert arguments(pack).check({"things": '["hat, red"]'}) == {"things": ["hat, red"]}


def test_context_is_no_argument_of_the_model() -> None:
    def look(where: str, context: ToolContext) -> None:
        """Look."""

    assert list(arguments(look).parameters["properties"]) == ["where"]
    assert arguments(look).context_name == "context"


def test_function_that_no_schema_can_be_made_of_is_refused() -> None:
    def untyped(a) -> None:  # type: ignore[no-untyped-def]
        """Do."""

    def many(*a: str) -> None:
        """Do."""

    def undocumented(a: str) -> None: ...

    for function, message in ((untyped, "needs a type"), (many, "has a name"), (undocumented, "docstring")):
        with pytest.raises(TypeError, match=message):
            arguments(function)
