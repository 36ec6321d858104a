from typing import Annotated, Any

import pytest
from pydantic import BaseModel, ConfigDict, Field

from tools.kit.schema import compact_schema, resolve


class Guest(BaseModel):
    title: str
    age: int | None = None


class Host(BaseModel):
    model_config = ConfigDict(title="The one who invites")

    name: str = Field(title="Full name", examples=["Ada"])


class Party(BaseModel):
    guest: Annotated[Guest, Field(title="Who comes", examples=[{"title": "Dr", "default": None}])]
    host: Host


def test_titles_that_somebody_wrote_stay_and_those_of_classes_go() -> None:
    assert compact_schema(Party)["properties"] == {
        "guest": {
            "type": "object",
            "title": "Who comes",
            "examples": [{"title": "Dr", "default": None}],
            "properties": {"title": {"type": "string"}, "age": {"type": "integer"}},
            "required": ["title"],
        },
        "host": {
            "type": "object",
            "title": "The one who invites",
            "properties": {"name": {"type": "string", "title": "Full name", "examples": ["Ada"]}},
            "required": ["name"],
        },
    }
    assert "title" not in compact_schema(Party)


ROOT: dict[str, Any] = {
    "$defs": {
        "City": {"type": "string", "description": "a city", "minLength": 1},
        "a/b~c d": {"type": "integer"},
        "Loop": {"$ref": "#/$defs/Loop", "description": "itself"},
        "Ping": {"allOf": [{"$ref": "#/$defs/Pong"}], "type": "string"},
        "Pong": {"anyOf": [{"$ref": "#/$defs/Ping"}], "title": "Pong"},
    },
    "definitions": {"Old": {"type": "boolean"}},
    "properties": {"first": {"type": "number"}},
    "prefixItems": [{"type": "string"}],
}


@pytest.mark.parametrize(
    ("schema", "resolved"),
    [
        ({"$ref": "#/$defs/City"}, {"type": "string", "description": "a city", "minLength": 1}),
        ({"$ref": "#/$defs/City", "description": "where"}, {"type": "string", "description": "where", "minLength": 1}),
        ({"$ref": "#/definitions/Old"}, {"type": "boolean"}),
        ({"$ref": "#/properties/first"}, {"type": "number"}),
        ({"$ref": "#/prefixItems/0"}, {"type": "string"}),
        ({"$ref": "#/$defs/a~1b~0c%20d"}, {"type": "integer"}),
        ({"anyOf": [{"type": "null"}, {"type": "integer"}], "default": None}, {"type": "integer", "default": None}),
        (
            {"oneOf": [{"$ref": "#/$defs/City"}, {"type": "null"}], "title": "T"},
            {"type": "string", "description": "a city", "minLength": 1, "title": "T"},
        ),
        ({"anyOf": [{"type": "number"}, {"type": "string"}]}, {"type": "string", "format": "decimal"}),
        ({"oneOf": [{"const": "a"}, {"const": "b", "title": "B"}]}, {"enum": ["a", "b"]}),
        ({"const": "a"}, {"const": "a", "enum": ["a"]}),
        ({"type": ["null", "array"], "items": {}}, {"type": "array", "items": {}}),
        (
            {
                "allOf": [
                    {"type": "object", "properties": {"a": {}}, "required": ["a"]},
                    {"properties": {"b": {}}, "required": ["b"]},
                ]
            },
            {"type": "object", "properties": {"a": {}, "b": {}}, "required": ["a", "b"]},
        ),
    ],
)
def test_resolved_schema_has_no_detours(schema: dict[str, Any], resolved: dict[str, Any]) -> None:
    assert resolve(schema, ROOT) == resolved


@pytest.mark.parametrize(
    ("schema", "resolved"),
    [
        (True, {}),
        (None, {}),
        ([], {}),
        ({"$ref": "#/$defs/Nowhere", "type": "string"}, {"type": "string"}),
        ({"$ref": "https://example.com/schema.json#/a"}, {}),
        ({"$ref": "City"}, {}),
        ({"$ref": 7, "anyOf": {"a": 1}, "allOf": "x"}, {}),
        ({"$ref": "#/prefixItems/7"}, {}),
        ({"$ref": "#/$defs/City/type/deeper"}, {}),
        ({"$ref": "#/$defs/Loop"}, {"description": "itself"}),
        ({"$ref": "#/$defs/Ping"}, {"type": "string", "title": "Pong"}),
        ({"anyOf": [True, False]}, {}),
        ({"type": ["null"]}, {"type": "null"}),
    ],
)
def test_what_cannot_be_followed_says_nothing(schema: object, resolved: dict[str, Any]) -> None:
    assert resolve(schema, ROOT) == resolved


def test_schema_that_doubles_at_every_step_is_given_up() -> None:
    levels = {f"L{n}": {"allOf": [{"$ref": f"#/$defs/L{n + 1}"}] * 2} for n in range(200)}
    assert resolve({"$ref": "#/$defs/L0", "type": "string"}, {"$defs": levels}) == {"type": "string"}
