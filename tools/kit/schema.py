"""JSON schemas of types, as compact as models read them best."""

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import core_schema


class _Compact(GenerateJsonSchema):
    """Schemas as models read them best: an optional argument is one that is not required, an amount is decimal text."""

    def decimal_schema(self, schema: core_schema.DecimalSchema) -> dict[str, Any]:
        return {"type": "string", "format": "decimal"}

    def nullable_schema(self, schema: core_schema.NullableSchema) -> dict[str, Any]:
        return self.generate_inner(schema["schema"])

    def field_title_should_be_set(self, schema: object) -> bool:
        return False


def compact_schema(model: type[BaseModel]) -> dict[str, Any]:
    """A model's JSON schema without titles, null defaults and, unless a type contains itself, without references."""
    schema = model.model_json_schema(by_alias=True, schema_generator=_Compact)
    definitions = schema.pop("$defs", {})
    schema.pop("description", None)
    try:
        compact = _inline(schema, definitions, ())
    except RecursionError:
        compact = _inline(schema, {}, ()) | {"$defs": _inline(definitions, {}, ())}
    compact.setdefault("properties", {})
    return compact  # type: ignore[no-any-return]


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
        key: _inline(value, definitions, inside)
        for key, value in node.items()
        if not (key == "title" and isinstance(value, str)) and not (key == "default" and value is None)
    }
