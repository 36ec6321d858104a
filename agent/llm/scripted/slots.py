"""What a tool needs, one slot for an argument: from its schema and the goal's hints."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any


@dataclass(frozen=True)
class Slot:
    """One argument to be filled; see the goal's hints. nth: how many of the same kind come before it in its tool."""

    tool: str
    name: str
    kind: str
    ask: str
    type: str = "string"
    required: bool = True
    cues: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    source: str = ""
    prefer: str = ""
    nth: int = 0

    @property
    def of(self) -> str:
        """The tool that the value comes from."""
        return self.source.split(".")[0]

    @property
    def listed(self) -> str:
        """`Tool.field` of the list that the value's item is picked from."""
        return ".".join(self.source.split(".")[:2])

    @cached_property
    def asked_in(self) -> re.Pattern[str]:
        """Finds the question in a sentence of ours."""
        return re.compile(re.sub(r"\\\{\w+\\\}", ".+?", re.escape(self.ask)))

    def typed(self, value: Any) -> Any:
        """The value as the schema wants it."""
        try:
            return {"integer": int, "number": float}[self.type](value) if isinstance(value, str) else value
        except (KeyError, ValueError):
            return value


def slots_of(tool: str, function: Mapping[str, Any], hints: Mapping[str, Mapping[str, Any]]) -> tuple[Slot, ...]:
    """The arguments to fill, those with a hint first; others only where the schema requires them."""
    parameters = function.get("parameters") or {}
    properties, required = parameters.get("properties") or {}, parameters.get("required") or []
    slots: list[Slot] = []
    for name in [*(name for name in hints if name in properties), *(name for name in required if name not in hints)]:
        hint, schema = hints.get(name, {}), _resolved(properties.get(name) or {}, parameters)
        values = tuple(str(value) for value in schema.get("enum") or hint.get("examples") or [])
        kind = hint.get("kind") or _kind(schema)
        slots.append(
            Slot(
                tool=tool,
                name=name,
                kind=kind,
                ask=hint.get("ask") or _question(name, schema, values if schema.get("enum") else ()),
                type=str(schema.get("type", "string")),
                required=name in required,
                cues=tuple(hint.get("cues") or ()),
                values=values,
                source=hint.get("from") or "",
                prefer=hint.get("prefer") or "",
                nth=sum(1 for slot in slots if slot.kind == kind and not slot.source),
            )
        )
    return tuple(slots)


def _resolved(schema: Mapping[str, Any], parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema behind a $ref, or the first of several that is not null."""
    for part in [*schema.get("anyOf", []), *schema.get("allOf", [])]:
        if part.get("type") != "null":
            return {**schema, **_resolved(part, parameters)}
    if reference := schema.get("$ref"):
        return {**schema, **(parameters.get("$defs") or {}).get(reference.rsplit("/", 1)[-1], {})}
    return schema


def _kind(schema: Mapping[str, Any]) -> str:
    if schema.get("enum"):
        return "choice"
    if schema.get("format") == "date":
        return "date"
    return "number" if schema.get("type") in ("number", "integer") or schema.get("format") == "decimal" else "text"


def _question(name: str, schema: Mapping[str, Any], values: Sequence[str]) -> str:
    about = str(schema.get("description") or "").rstrip(".")
    told = f" ({about})" if about else f" ({', '.join(values)})" if values else ""
    return f"What is the {name.replace('_', ' ')}{told}?"
