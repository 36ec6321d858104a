"""JSON schemas: made of types, as compact as models read them best, and read, whoever made them."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import core_schema

_VALUES = ("default", "enum", "const", "examples")
"""Keywords that hold values, not schemas."""

_STEPS = 200
"""A schema that takes more to resolve was made to be slow."""


def resolve(schema: object, root: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of a value without the detours: local references followed, `allOf` merged, null taken out of a choice.

    Of several types the first counts; a choice of constants becomes an `enum`, number or text becomes a decimal. What
    stands beside a reference wins. What cannot be followed (remote, dangling, recursive) says nothing, and raises nothing.
    """
    return _resolve(schema, root, (), [_STEPS])


def _resolve(schema: object, root: Mapping[str, Any], inside: tuple[str, ...], steps: list[int]) -> dict[str, Any]:
    steps[0] -= 1
    if not isinstance(schema, Mapping) or steps[0] < 0:
        return {}
    beside = {key: value for key, value in schema.items() if key not in ("$ref", "allOf", "anyOf", "oneOf")}
    found: dict[str, Any] = {}
    reference = schema.get("$ref")
    if isinstance(reference, str) and reference not in inside:
        found = _resolve(target(reference, root), root, (*inside, reference), steps)
    for part in _list(schema.get("allOf")):
        found = _merged(found, _resolve(part, root, inside, steps))
    for keyword in ("anyOf", "oneOf"):
        options = [_resolve(option, root, inside, steps) for option in _list(schema.get(keyword))]
        found = _merged(found, _chosen([option for option in options if option.get("type") != "null"]))
    whole = _merged(found, beside)
    if isinstance(whole.get("type"), list):
        kinds = [kind for kind in whole["type"] if kind != "null"]
        whole["type"] = kinds[0] if kinds else "null"
    if "const" in whole and "enum" not in whole and whole["const"] is not None:
        whole["enum"] = [whole["const"]]
    return whole


def target(reference: str, root: Mapping[str, Any]) -> object:
    """What a JSON pointer such as #/$defs/Guest points to; None for nothing, or for another document."""
    if not re.match(r"#(/|$)", reference):
        return None
    node: object = root
    for part in reference.split("/")[1:]:
        name = unquote(part).replace("~1", "/").replace("~0", "~")
        if isinstance(node, Mapping):
            node = node.get(name)
        elif isinstance(node, list):
            node = node[int(name)] if name.isdecimal() and int(name) < len(node) else None
        else:
            return None
    return node


def _chosen(options: list[dict[str, Any]]) -> dict[str, Any]:
    if not options:
        return {}
    if len(options) > 1 and all("const" in option for option in options):
        return {"enum": [option["const"] for option in options]}
    if {option.get("type") for option in options} == {"number", "string"}:
        return {"type": "string", "format": "decimal"}
    return options[0]


def _merged(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    merged = {**first, **second}
    if isinstance(first.get("properties"), Mapping) and isinstance(second.get("properties"), Mapping):
        merged["properties"] = {**first["properties"], **second["properties"]}
    if required := [*_list(first.get("required")), *_list(second.get("required"))]:
        merged["required"] = list(dict.fromkeys(name for name in required if isinstance(name, str)))
    return merged


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


class _Compact(GenerateJsonSchema):
    """Schemas as models read them best: an optional argument is one that is not required, an amount is decimal text."""

    def decimal_schema(self, schema: core_schema.DecimalSchema) -> dict[str, Any]:
        return {"type": "string", "format": "decimal"}

    def nullable_schema(self, schema: core_schema.NullableSchema) -> dict[str, Any]:
        return self.generate_inner(schema["schema"])

    def field_title_should_be_set(self, schema: object) -> bool:
        return False


def compact_schema(model: type[BaseModel]) -> dict[str, Any]:
    """A model's JSON schema without null defaults, titles that only repeat a class's name, and, unless a type contains
    itself, references. The titles, descriptions and examples that somebody wrote stay."""
    schema = model.model_json_schema(by_alias=True, schema_generator=_Compact)
    definitions = {name: _untitled(name, found) for name, found in schema.pop("$defs", {}).items()}
    schema = _untitled(str(schema.get("title", "")), schema)
    schema.pop("description", None)
    try:
        compact = _inline(schema, definitions, ())
    except RecursionError:
        compact = _inline(schema, {}, ()) | {"$defs": _inline(definitions, {}, ())}
    compact.setdefault("properties", {})
    return compact  # type: ignore[no-any-return]


def _untitled(name: str, definition: dict[str, Any]) -> dict[str, Any]:
    """A definition without the title that pydantic made of its class; a name may have the module before it."""
    title = re.sub(r"\W", "_", str(definition.get("title", "")))
    written = title and not (name == title or name.endswith(f"__{title}"))
    return definition if written else {key: value for key, value in definition.items() if key != "title"}


def _inline(node: Any, definitions: dict[str, Any], inside: tuple[str, ...]) -> Any:
    if isinstance(node, list):
        return [_inline(part, definitions, inside) for part in node]
    if not isinstance(node, dict):
        return node
    target = str(node.get("$ref", "")).removeprefix("#/$defs/")
    if target in inside:
        raise RecursionError(target)
    if target in definitions:
        rest = {key: value for key, value in node.items() if key != "$ref"}
        return _inline(definitions[target] | rest, definitions, (*inside, target))
    return {
        key: value if key in _VALUES else _inline(value, definitions, inside)
        for key, value in node.items()
        if not (key == "default" and value is None)
    }
