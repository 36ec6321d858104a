"""The edit form: what can be changed, and what comes of it."""

from datetime import date
from typing import Any

import pytest

import tools
from agent.page.edit_form import Field, edited, fields, parse

FLIGHTS = tools.load().tools["SearchFlights"].parameters
INVOICE = tools.load().tools["CreateInvoice"].parameters
PROPOSED = {"amount": "208.73", "currency": "USD", "description": "Flight"}


def change(schema: dict[str, Any], arguments: dict[str, Any], **entered: Any) -> dict[str, Any] | None:
    form = fields(schema, arguments)
    return edited(arguments, [(field, entered.get(field.key, field.value)) for field in form])


def test_each_argument_has_a_field_of_its_kind() -> None:
    kinds = {field.key: field.kind for field in fields(FLIGHTS, {})}
    assert kinds == {"origin": "text", "destination": "text", "date_depart": "day", "date_return": "day"}
    assert {field.key: field.kind for field in fields(INVOICE, {})}["amount"] == "decimal"


def test_untouched_form_changes_nothing() -> None:
    assert change(INVOICE, PROPOSED) is None
    assert change(INVOICE, PROPOSED, amount="208.730") is None


def test_edited_value_is_the_only_difference() -> None:
    assert change(INVOICE, PROPOSED, amount="1,200.5") == {**PROPOSED, "amount": "1200.5"}


def test_day_comes_back_as_the_schema_wants_it() -> None:
    days = {"origin": "A", "destination": "B", "date_depart": "2027-03-05", "date_return": "2027-03-07"}
    changed = change(FLIGHTS, days, date_return=date(2027, 3, 9))
    assert changed == {**days, "date_return": "2027-03-09"}


def test_emptied_needed_field_is_refused_in_a_sentence() -> None:
    with pytest.raises(ValueError, match="Currency is required"):
        change(INVOICE, PROPOSED, currency=" ")


def test_words_for_a_number_are_refused_in_a_sentence() -> None:
    with pytest.raises(ValueError, match="Amount must be a number"):
        change(INVOICE, PROPOSED, amount="much")


def test_choices_optionals_lists_and_nested_objects() -> None:
    schema = {
        "$defs": {"Seat": {"enum": ["aisle", "window"], "type": "string"}},
        "properties": {
            "seat": {"$ref": "#/$defs/Seat"},
            "bags": {"anyOf": [{"type": "integer"}, {"type": "null"}], "default": None},
            "guests": {"type": "array", "items": {"type": "string"}},
            "payer": {"type": "object", "properties": {"name": {"type": "string"}, "vip": {"type": "boolean"}}},
            "legs": {"type": "array", "items": {"type": "object", "properties": {"to": {"type": "string"}}}},
        },
    }
    arguments = {"seat": "aisle", "guests": ["Ann"], "payer": {"name": "Ann"}, "legs": [{"to": "SFO"}]}
    kinds = {field.key: field.kind for field in fields(schema, arguments)}
    assert kinds == {"seat": "choice", "bags": "whole", "guests": "lines", "payer-name": "text", "payer-vip": "flag"}
    entered = {"seat": "window", "bags": 2, "guests": "Ann\n Bob \n", "payer-name": "Bob"}
    assert change(schema, arguments, **entered) == {
        "seat": "window",
        "bags": 2,
        "guests": ["Ann", "Bob"],
        "payer": {"name": "Bob"},
        "legs": [{"to": "SFO"}],
    }
    assert arguments["payer"] == {"name": "Ann"}


def test_schema_that_contains_itself_and_one_that_leads_nowhere_have_a_form() -> None:
    node = {"properties": {"name": {"type": "string"}, "child": {"$ref": "#/$defs/Node"}}}
    schema = {"$defs": {"Node": node}, "properties": {"tree": {"$ref": "#/$defs/Node"}, "lost": {"$ref": "#/$defs/No"}}}
    keys = [field.key for field in fields(schema, {"tree": {"name": "A", "child": {"name": "B"}}})]
    assert keys[:2] == ["tree-name", "tree-child-name"]
    assert "lost" in keys


def test_tool_without_a_schema_is_edited_by_its_values() -> None:
    kinds = {field.key: field.kind for field in fields({}, {"city": "Austin", "adults": 2, "direct": True})}
    assert kinds == {"city": "text", "adults": "number", "direct": "flag"}


def test_number_stays_whole_when_it_was() -> None:
    assert parse(Field(("adults",), "number", 2), 3.0) == 3
    assert isinstance(parse(Field(("adults",), "number", 2), 3.0), int)
