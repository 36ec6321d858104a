"""A tool's result as something to read: sections of fields, tables and links, chosen by the shape of the data. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from agent.page import words

ROWS = 50
_BEST = ("price", "fare", "total", "total_price", "cost", "amount")
_HIDDEN = {"currency", "source", "cheapest"}


@dataclass(frozen=True)
class Fields:
    """Names and values, one a line."""

    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Link:
    """A page of the web that the result points to."""

    label: str
    url: str


@dataclass(frozen=True)
class Table:
    """Rows under headings; `best` is the index of the cheapest row, or None. left_out counts rows not shown."""

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    best: int | None = None
    left_out: int = 0


@dataclass(frozen=True)
class Text:
    """A sentence."""

    text: str


Part = Fields | Link | Table | Text


def parts(result: Any, name: str = "") -> list[Part]:
    """What to draw for a result, in the order it came."""
    if result in (None, "", [], {}):
        return [Text("Nothing was found.")]
    if isinstance(result, Mapping):
        return _of_mapping(result)
    if isinstance(result, Sequence) and not isinstance(result, str):
        return [_of_list(name, result, "")]
    url = words.link(result)
    return [Link("Open", url)] if url else [Text(words.value(name, result))]


def _of_mapping(result: Mapping[str, Any], inherited: str = "") -> list[Part]:
    currency = str(result.get("currency") or inherited)
    drawn: list[Part] = []
    pairs: list[tuple[str, str]] = []
    for key, item in result.items():
        url = words.link(item)
        if key in _HIDDEN or item in (None, ""):
            continue
        if url:
            drawn.append(Link(_link_label(key), url))
        elif isinstance(item, list) and item and all(isinstance(row, Mapping) for row in item):
            drawn.append(_of_list(key, item, currency))
        elif isinstance(item, list) and not item:
            drawn.append(Text(f"{words.spoken(key)}: none."))
        elif isinstance(item, Mapping) and any(isinstance(inner, list | Mapping) for inner in item.values()):
            drawn.extend(_of_mapping(item, currency))
        elif key in ("note", "message", "summary") and isinstance(item, str):
            drawn.append(Text(item))
        else:
            pairs.append((words.spoken(key), words.value(key, item, currency)))
    return [Fields(tuple(pairs)), *drawn] if pairs else drawn


def _link_label(key: str) -> str:
    noun = " ".join(word for word in words.spoken(key).lower().split() if word not in ("url", "link", "href", "uri"))
    return f"Open the {noun}" if noun else "Open the link"


def _of_list(name: str, items: Sequence[Any], currency: str) -> Part:
    if not all(isinstance(item, Mapping) for item in items):
        return Text(words.value(name, list(items), currency))
    rows = [_flat(item) for item in items]
    keys = [key for key in dict.fromkeys(key for row in rows for key in row) if key not in _HIDDEN]
    keys = [key for key in keys if any(row.get(key) not in (None, "") for row in rows)]
    return Table(
        title=words.spoken(name),
        headings=tuple(words.spoken(key) for key in keys),
        rows=tuple(
            tuple(words.value(key, row.get(key), str(row.get("currency") or currency)) for key in keys)
            for row in rows[:ROWS]
        ),
        best=_cheapest(rows),
        left_out=max(0, len(rows) - ROWS),
    )


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """Nested objects become columns of their own, so that a cell holds one thing."""
    flat: dict[str, Any] = {}
    for key, item in row.items():
        if isinstance(item, Mapping):
            flat.update({f"{key}_{inner}" if inner in row else str(inner): value for inner, value in item.items()})
        else:
            flat[str(key)] = item
    return flat


def _cheapest(rows: Sequence[Mapping[str, Any]]) -> int | None:
    marked = [index for index, row in enumerate(rows) if row.get("cheapest") is True]
    if marked:
        return marked[0]
    for key in _BEST:
        if len(rows) > 1 and all(words.is_money(key, row.get(key)) for row in rows):
            prices = [Decimal(str(row[key])) for row in rows]
            return prices.index(min(prices)) if len(set(prices)) > 1 and key in ("price", "fare") else None
    return None
