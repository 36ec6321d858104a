"""Results as plain text for a terminal: records as a table, the rest line by line."""

from collections.abc import Sequence
from typing import Any

_WIDEST = 44


def as_text(result: Any) -> str:
    """A tool's result, drawn by its shape."""
    if isinstance(result, dict):
        return "\n".join(_field(name, value) for name, value in result.items())
    if isinstance(result, list):
        return (
            table(result) if result and all(isinstance(row, dict) for row in result) else "\n".join(map(_cell, result))
        )
    return _cell(result)


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Aligned columns, one for each name that any row has."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = [names, *([_cell(row.get(name)) for name in names] for row in rows)]
    widths = [min(_WIDEST, max(len(line[at]) for line in lines)) for at in range(len(names))]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join(
        "  ".join(_cut(cell, width).ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _field(name: str, value: Any) -> str:
    if isinstance(value, list) and value and all(isinstance(row, dict) for row in value):
        return f"{name}:\n{table(value)}"
    return f"{name}: {_cell(value)}"


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(_cell, value))
    if isinstance(value, dict):
        return ", ".join(f"{name} {_cell(part)}" for name, part in value.items())
    return " ".join(str(value).split())


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
