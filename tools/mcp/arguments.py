"""The arguments of an MCP server's tool, checked against the server's schema as far as that is safe and certain.

The server has the last word: it checks its arguments itself, in its own language. What we check before a person is asked
saves a useless question, so every doubt (an unknown draft, a reference into nowhere, a schema that takes too long) is
settled in favour of the call. Patterns are left to the server altogether: they are written for another language's regular
expressions, and trying a bad one can hold up the whole worker.
"""

import importlib
import json
import time
from collections.abc import Mapping
from contextvars import ContextVar
from functools import cache
from typing import Any

from tools.kit.arguments import prepare
from tools.kit.schema import resolve
from tools.kit.tool import InvalidArguments

CHECKING = 0.5
"""How long a check may take, in seconds; the schema is not ours, and may have been made to take for ever."""

_ends: ContextVar[float] = ContextVar("ends")


def check(name: str, schema: Mapping[str, Any], arguments: object) -> dict[str, Any]:
    """The arguments if they fit the server's schema; raises InvalidArguments with what is missing and what is wrong."""
    if not isinstance(arguments, dict):
        raise InvalidArguments(name, wrong={"": "its arguments must be one JSON object"})
    properties = schema.get("properties")
    properties = properties if isinstance(properties, Mapping) else {}
    required = schema.get("required")
    required = [each for each in required if isinstance(each, str)] if isinstance(required, list) else []
    given: dict[str, Any] = {}
    for argument, value in arguments.items():
        part = properties.get(argument, True)
        if value is not None:
            given[argument] = _typed(value, resolve(part, schema))
        elif not _violations(schema, part, None):
            given[argument] = None
    missing = [argument for argument in required if argument not in given]
    wrong: dict[str, str] = {}
    for error in _violations(schema, schema, given):
        if error.validator != "required" or error.path:
            path = ".".join(str(part) for part in error.path)
            wrong.setdefault(str(error.path[0]) if error.path else "", f"{path or 'it'}: {error.message[:200]}")
    if missing or wrong:
        raise InvalidArguments(name, missing, wrong)
    return given


def _typed(value: Any, schema: Mapping[str, Any]) -> Any:
    """What a model typed as text, as the number, the yes, the list or the choice that it means."""
    value = prepare(value, {key: schema[key] for key in ("type", "enum") if key in schema})
    if not isinstance(value, str) or schema.get("type") not in ("integer", "number", "boolean"):
        return value
    try:
        read = json.loads(value.strip().lower())
    except ValueError:
        return value
    return read if isinstance(read, int | float) else value


def _violations(root: Mapping[str, Any], schema: object, value: Any) -> list[Any]:
    """jsonschema's errors; none where the schema cannot be applied, or not in time."""
    referencing = importlib.import_module("referencing")
    _ends.set(time.monotonic() + CHECKING)
    try:
        # an empty registry: a schema that points to an address makes us fetch nothing
        validator = _validator(_is_old(root))(root, registry=referencing.Registry())
        return list(validator.evolve(schema=schema).iter_errors(value))
    except Exception:
        return []


@cache
def _validator(old: bool) -> Any:
    """A validator without patterns, that stops in time, and that no `$schema` inside of a schema replaces by another."""
    jsonschema = importlib.import_module("jsonschema")
    base = jsonschema.Draft7Validator if old else jsonschema.Draft202012Validator
    forbid, follow = base.VALIDATORS["additionalProperties"], base.VALIDATORS["$ref"]

    def ignore(validator: Any, keyword: Any, value: Any, schema: Any) -> None:
        """The server decides."""

    def additional(validator: Any, allowed: Any, value: Any, schema: Any) -> Any:
        return () if "patternProperties" in schema else forbid(validator, allowed, value, schema)

    def reference(validator: Any, target: Any, value: Any, schema: Any) -> list[Any]:
        try:
            return list(follow(validator, target, value, schema))
        except TimeoutError:
            raise
        except Exception:  # into nowhere, to another document, or back to itself
            return []

    left_out = dict.fromkeys(("pattern", "patternProperties", "unevaluatedProperties"), ignore)
    kind = jsonschema.validators.extend(base, {**left_out, "additionalProperties": additional, "$ref": reference})

    def evolve(validator: Any, **changes: Any) -> Any:
        if time.monotonic() > _ends.get():
            raise TimeoutError
        kept = {field.alias: getattr(validator, field.name) for field in kind.__attrs_attrs__ if field.init}
        return kind(**{**kept, **changes})

    kind.evolve = evolve
    return kind


def _is_old(node: object) -> bool:
    """Whether a schema lists the items of an array as drafts before 2020-12 do."""
    if isinstance(node, Mapping):
        return isinstance(node.get("items"), list) or any(map(_is_old, node.values()))
    return isinstance(node, list) and any(map(_is_old, node))
