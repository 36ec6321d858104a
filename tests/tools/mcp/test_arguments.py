"""Every schema that the official SDKs may send is understood, or left to the server; none can hold us up."""

import time
from typing import Any

import pytest

from tools import InvalidArguments
from tools.mcp.arguments import check
from tools.mcp.translate import plain_schema


def schema(required: list[str] | None = None, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required or []}


@pytest.mark.parametrize(
    ("of_the_server", "given"),
    [
        (schema(["a"], a=True), {"a": {"any": "thing"}}),
        (schema(["a"], a=True), {"a": None}),
        (schema(a={"type": "array", "items": [{"type": "string"}, {"type": "integer"}]}), {"a": ["x", 1]}),
        (schema(["a"], a={"type": ["null", "array"]}), {"a": None}),
        (schema(["a"], a={"anyOf": [{"type": "string"}, {"type": "null"}]}), {"a": None}),
        (schema(["a"], a={"type": "string"}), {"a": ""}),
        (schema(["a"], a={"type": "string"}), {"a": "  "}),
        (schema(a={"type": "string", "pattern": r"^\p{Lu}[^]\u{61}(?<name>x)$"}), {"a": "anything"}),
        (schema(a={"$ref": "#/$defs/Nowhere"}), {"a": 1}),
        (schema(a={"$ref": "https://example.com/schema.json"}), {"a": 1}),
        (schema(a={"$ref": "#/properties/a"}), {"a": 1}),
        (schema(a={"type": "object", "properties": {"a": {"$ref": "#/properties/a"}}}), {"a": {"a": {"a": {}}}}),
        ({"patternProperties": {"[": {}}, "additionalProperties": False}, {"a": 1}),
        ({"properties": [], "required": "a"}, {"a": 1}),
        (schema(a={"type": "string", "enum": ["a", "A"]}), {"a": "A"}),
        (schema(a={"anyOf": [{"type": "number"}, {"type": "string"}]}), {"a": "1,000"}),
        ({"$schema": "http://json-schema.org/draft-07/schema#", **schema(a={"type": "integer"})}, {"a": 1}),
    ],
)
def test_legal_arguments_pass_as_they_are(of_the_server: dict[str, Any], given: dict[str, Any]) -> None:
    assert check("t", of_the_server, given) == given


@pytest.mark.parametrize(
    ("of_the_server", "given", "missing", "wrong"),
    [
        (schema(["a"], a={"type": "string"}), {}, ["a"], {}),
        (schema(["a"], a={"type": "string"}), {"a": None}, ["a"], {}),
        (schema(["a"], a={"$ref": "#/$defs/Nowhere"}), {}, ["a"], {}),
        (schema(a={"type": "integer"}, b={"$ref": "#/x"}), {"a": "x"}, [], {"a": "a: 'x' is not of type 'integer'"}),
        (schema(a={"type": "string", "minLength": 1}), {"a": ""}, [], {"a": "a: '' should be non-empty"}),
        (
            schema(a={"type": "array", "items": [{"type": "string"}, {"type": "integer"}]}),
            {"a": ["x", "y"]},
            [],
            {"a": "a.1: 'y' is not of type 'integer'"},
        ),
        ([], "text", [], {"": "its arguments must be one JSON object"}),
    ],
)
def test_wrong_arguments_are_told(of_the_server: Any, given: Any, missing: list[str], wrong: dict[str, str]) -> None:
    with pytest.raises(InvalidArguments) as caught:
        check("t", of_the_server, given)
    assert (caught.value.missing, caught.value.wrong) == (missing, wrong)


def test_null_for_an_argument_that_may_be_left_out_leaves_it_out() -> None:
    assert check("t", schema(a={"type": "string"}), {"a": None}) == {}


@pytest.mark.parametrize(("typed", "read"), [("3", 3), ("yes", "yes"), ("TRUE", True), ("0.5", 0.5)])
def test_what_was_typed_as_text_is_read_as_its_type(typed: str, read: object) -> None:
    kind = {"3": "integer", "0.5": "number", "TRUE": "boolean"}.get(typed, "string")
    assert check("t", schema(a={"type": kind}), {"a": typed}) == {"a": read}


BAD = r"^(\w+\s?)*$"


@pytest.mark.parametrize(
    "of_the_server",
    [
        schema(a={"type": "string", "pattern": BAD}),
        schema(a={"$schema": "http://json-schema.org/draft-07/schema#", "type": "string", "pattern": BAD}),
        {**schema(a={"$ref": "#/x"}), "x": {"$schema": "http://json-schema.org/draft-06/schema#", "pattern": BAD}},
        {"patternProperties": {BAD: {}}, "additionalProperties": False},
        {"propertyNames": {"pattern": BAD}},
        {"properties": {"a": {"$ref": "#/$defs/0"}}, "$defs": {str(n): {"allOf": [{"$ref": f"#/$defs/{n + 1}"}] * 2} for n in range(100)} | {"100": {}}},
    ],
)  # fmt: skip
def test_schema_made_to_take_for_ever_is_left_to_the_server(of_the_server: dict[str, Any]) -> None:
    given = {"a": "a" * 60 + "!", "a" * 60 + "!": 1}
    began = time.process_time()
    assert check("t", of_the_server, given) == given
    assert time.process_time() - began < 30, "a pattern like this one takes years"


def test_schema_too_long_to_be_kept_with_every_call_is_not_shown() -> None:
    assert plain_schema(schema(a={"description": "x" * 60_000})) == {"type": "object", "properties": {}}


def test_models_are_shown_a_schema_without_what_providers_refuse() -> None:
    shown = plain_schema(
        {
            "$schema": "http://json-schema.org/draft-07/schema#",
            "type": "object",
            "required": ["a"],
            "additionalProperties": False,
            "properties": {
                "a": True,
                "b": {"type": "array", "items": [{"type": "string"}]},
                "c": {"$ref": "#/$defs/City", "description": "where"},
                "d": {"$ref": "https://example.com/x", "description": "remote"},
                "e": {"$ref": "#/$defs/Tree"},
                "f": {"anyOf": [{"$ref": "#/$defs/City"}, {"type": "null"}]},
                "pattern": {"type": "string", "pattern": "a"},
            },
            "$defs": {
                "City": {"type": "string"},
                "Tree": {
                    "type": "object",
                    "properties": {"inside": {"type": "array", "items": {"$ref": "#/$defs/Tree"}}},
                },
            },
        }
    )
    assert shown == {
        "type": "object",
        "required": ["a"],
        "additionalProperties": False,
        "properties": {
            "a": {},
            "b": {"type": "array", "items": {}},
            "c": {"type": "string", "description": "where"},
            "d": {"description": "remote"},
            "e": {"type": "object", "properties": {"inside": {"type": "array", "items": {}}}},
            "f": {"anyOf": [{"type": "string"}, {"type": "null"}]},
            "pattern": {"type": "string", "pattern": "a"},
        },
    }
