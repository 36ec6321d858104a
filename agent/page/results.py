"""A tool's result as something to read: sections of fields, tables and links, chosen by the shape of the data. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agent.page import words

ROWS = 50
_SPANS = (("start", "end"), ("date_from", "date_to"), ("start_date", "end_date"), ("first_day", "last_day"))
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
    """Rows under headings. numbers: which columns are amounts; best: the row that the tool calls cheapest; left_out: rows not shown."""

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: tuple[bool, ...] = ()
    best: int | None = None
    left_out: int = 0


@dataclass(frozen=True)
class Text:
    """A sentence; `aside`: it goes with what stands above it."""

    text: str
    aside: bool = False


Part = Fields | Link | Table | Text


def parts(result: Any, name: str = "") -> list[Part]:
    """What to draw for a result, in the order it came."""
    if result in (None, "", [], {}):
        return [Text("Nothing was found.")]
    if isinstance(result, Mapping):
        return _of_mapping(result, about=words.spoken(name).lower().rpartition(" ")[2])
    if isinstance(result, Sequence) and not isinstance(result, str):
        return [_of_list(name, result, "")]
    url = words.link(result)
    return [Link("Open", url)] if url else [Text(words.value(name, result))]


def _of_mapping(result: Mapping[str, Any], inherited: str = "", about: str = "") -> list[Part]:
    currency = str(result.get("currency") or inherited)
    drawn: list[Part] = []
    pairs: list[tuple[str, str]] = []
    for key, item in result.items():
        url = words.link(item)
        if key in _HIDDEN or item in (None, ""):
            continue
        if url:
            drawn.append(Link(_link_label(key, about), url))
        elif isinstance(item, list) and item and all(isinstance(row, Mapping) for row in item):
            drawn.append(_of_list(key, item, currency))
        elif isinstance(item, list) and not item:
            drawn.append(Text(f"{words.spoken(key)}: none."))
        elif isinstance(item, Mapping) and any(isinstance(inner, list | Mapping) for inner in item.values()):
            drawn.extend(_of_mapping(item, currency))
        elif key in ("note", "message", "summary") and isinstance(item, str):
            drawn.append(Text(item, aside=True))
        else:
            pairs.append((words.spoken(key), words.value(key, item, currency)))
    return [Fields(tuple(pairs)), *drawn] if pairs else drawn


def _link_label(key: str, about: str) -> str:
    noun = " ".join(word for word in words.spoken(key).lower().split() if word not in ("url", "link", "href", "uri"))
    return f"Open the {noun or about or 'link'}"


def _of_list(name: str, items: Sequence[Any], currency: str) -> Part:
    if not all(isinstance(item, Mapping) for item in items):
        return Text(words.value(name, list(items), currency))
    rows = [_joined(_flat(item)) for item in items]
    keys = [key for key in dict.fromkeys(key for row in rows for key in row) if key not in _HIDDEN]
    keys = [key for key in keys if any(row.get(key) not in (None, "") for row in rows)]
    shared = [key for key in keys if len(rows) > 1 and len(keys) > 2 and _same(key, rows)]
    keys = [key for key in keys if key not in shared]
    amounts = [key for key in keys[1:] if all(words.is_money(key, row.get(key)) for row in rows)]
    # What it costs comes right after what it is: on a phone the other columns are a swipe away.
    keys = [*keys[:1], *amounts, *(key for key in keys[1:] if key not in amounts)]
    return Table(
        title=" · ".join([words.spoken(name), *(words.value(key, rows[0][key]) for key in shared)]),
        headings=tuple(words.spoken(key) for key in keys),
        rows=tuple(
            tuple(words.value(key, row.get(key), str(row.get("currency") or currency)) for key in keys)
            for row in rows[:ROWS]
        ),
        numbers=tuple(key in amounts for key in keys),
        best=next((index for index, row in enumerate(rows) if row.get("cheapest") is True), None),
        left_out=max(0, len(rows) - ROWS),
    )


def _same(key: str, rows: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a short text is the same in every row: it is said once, above the table."""
    first = rows[0].get(key)
    return isinstance(first, str) and len(first) < 40 and all(row.get(key) == first for row in rows)


def _joined(row: dict[str, Any]) -> dict[str, Any]:
    """Two days that belong together become one column."""
    for start, end in _SPANS:
        joined = words.span(str(row.get(start)), str(row.get(end)))
        if joined:
            renamed = {("when" if key == start else key): item for key, item in row.items() if key != end}
            return renamed | {"when": joined}
    return row


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """Nested objects become columns of their own, so that a cell holds one thing."""
    flat: dict[str, Any] = {}
    for key, item in row.items():
        if isinstance(item, Mapping):
            flat.update({f"{key}_{inner}" if inner in row else str(inner): value for inner, value in item.items()})
        else:
            flat[str(key)] = item
    return flat
