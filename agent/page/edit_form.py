"""The fields of an edit form, from the JSON schema of a tool's arguments. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

from agent.page import format
from agent.rules import CURRENCY
from tools.kit.schema import resolve

DEPTH = 4
"""How many objects inside each other are taken apart into fields."""


class UnfitValue(ValueError):
    """What was entered into a field cannot be used; the message says why."""

    def __init__(self, field: "Field", sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


Kind = Literal["text", "choice", "whole", "number", "decimal", "flag", "day", "moment", "lines"]


@dataclass(frozen=True)
class Field:
    """One editable value. path leads to it through nested objects; value is what was proposed, None if nothing was."""

    path: tuple[str, ...]
    kind: Kind
    value: Any = None
    required: bool = False
    help: str = ""
    choices: tuple[Any, ...] = ()
    item: Kind = "text"
    currency: str = ""

    @property
    def label(self) -> str:
        unit = f" ({self.currency})" if self.currency else ""
        return " · ".join(format.humanize(part) for part in self.path) + unit

    @property
    def key(self) -> str:
        return "-".join(self.path)


def fields(schema: Mapping[str, Any], arguments: Mapping[str, Any]) -> list[Field]:
    """Every value that a person can edit; lists of objects are left as they are. Without a schema, by the values."""
    if not isinstance(schema.get("properties"), Mapping) or not schema["properties"]:
        schema = {"properties": {name: _guess(value) for name, value in arguments.items()}}
    return list(_walk(schema, arguments, (), schema))


def edited(original: Mapping[str, Any], entered: Iterable[tuple[Field, Any]]) -> dict[str, Any] | None:
    """The arguments with what was entered, or None if nothing differs. Raises UnfitValue with a sentence."""
    result = deepcopy(dict(original))
    for field, raw in entered:
        value = parse(field, raw)
        if value == field.value or (value is None and field.value is None):
            continue
        place = result
        for part in field.path[:-1]:
            place = place.setdefault(part, {})
        if value is None:
            place.pop(field.path[-1], None)
        else:
            place[field.path[-1]] = value
    return result if result != original else None


def parse(field: Field, raw: Any) -> Any:
    """What a widget holds, as the JSON value of the argument; None = left empty."""
    if isinstance(raw, str):
        raw = raw.strip()
    if raw is None or raw == "":
        if field.required and field.value not in (None, ""):
            raise UnfitValue(field, f"{field.label} is required. Enter a value.")
        return None
    if field.kind == "lines":
        return [_scalar(field, field.item, line.strip()) for line in str(raw).splitlines() if line.strip()]
    return _scalar(field, field.kind, raw)


def _scalar(field: Field, kind: Kind, raw: Any) -> Any:
    try:
        if kind == "decimal":
            amount = Decimal(str(raw).replace(",", ""))
            if not amount.is_finite():
                raise ValueError
            same = field.value is not None and amount == Decimal(str(field.value))
            return field.value if same else str(amount)
        if kind == "whole":
            return int(raw)
        if kind == "number":
            number = float(raw)
            return int(number) if number == int(number) and isinstance(field.value, int) else number
        if kind == "moment":
            same = isinstance(raw, str)
            return (datetime.fromisoformat(raw) if same else raw).isoformat()
    except (ValueError, InvalidOperation):
        form = "a date and time such as 2030-05-01T18:30" if kind == "moment" else "a number"
        raise UnfitValue(field, f"{field.label} must be {form}.") from None
    return raw.isoformat() if isinstance(raw, date) else raw


def _walk(
    schema: Mapping[str, Any], arguments: Mapping[str, Any], path: tuple[str, ...], root: Mapping[str, Any]
) -> Iterator[Field]:
    required = schema.get("required") or ()
    for name, raw in schema["properties"].items():
        spec = resolve(raw, root)
        value = arguments.get(name, spec.get("default"))
        if isinstance(spec.get("properties"), Mapping):
            if len(path) < DEPTH:  # a schema may contain itself
                yield from _walk(spec, value if isinstance(value, Mapping) else {}, (*path, name), root)
            continue
        kind = _kind(spec)
        item = _kind(resolve(spec.get("items"), root)) if kind == "lines" else "text"
        if kind is None or item is None or item == "lines":
            continue
        yield Field(
            path=(*path, name),
            kind=kind,
            value=value,
            required=name in required,
            help=str(spec.get("description", "")),
            choices=tuple(spec.get("enum", ())),
            item=item,
            currency=_currency(spec, schema),
        )


def _currency(spec: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """The currency of an amount that has always the same one."""
    said = spec.get(CURRENCY)
    return said if isinstance(said, str) and said not in schema["properties"] else ""


def _kind(spec: Mapping[str, Any]) -> Kind | None:
    if spec.get("enum"):
        return "choice"
    of_type: dict[str, Kind] = {
        "integer": "whole",
        "number": "number",
        "boolean": "flag",
        "array": "lines",
        "decimal": "decimal",
        "string": "text",
    }
    formats: dict[str, Kind] = {"date": "day", "date-time": "moment", "decimal": "decimal"}
    kind = spec.get("type", "string")
    if kind == "string" and spec.get("format") in formats:
        return formats[spec["format"]]
    return of_type.get(kind) if isinstance(kind, str) else None


def _guess(value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"type": "boolean"}
    if isinstance(value, int | float):
        return {"type": "number"}
    if isinstance(value, Mapping):
        return {"properties": {name: _guess(inner) for name, inner in value.items()}}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return {"type": "array", "items": _guess(value[0]) if value else {}}
    return {"type": "string"}
