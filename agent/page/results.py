"""A tool's result, drawn by the shape of its data: fields, tables, links, sentences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from agent import rules
from agent.messages import ToolResult
from agent.page import format

ROWS = 50
_RANGES = (("start", "end"), ("date_from", "date_to"), ("start_date", "end_date"), ("first_day", "last_day"))
_UNITS = {"currency"}
"""Fields that say what another field's number means; they show in its value."""

_SOURCES = {
    "mock": ":orange-badge[:material/science: mock data]",
    "test": ":blue-badge[:material/labs: test mode]",
    "live": ":green-badge[:material/bolt: live]",
}


@dataclass(frozen=True)
class Fields:
    """Names and values, one a line."""

    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Link:
    """A web page that the result points to."""

    label: str
    url: str


@dataclass(frozen=True)
class Table:
    """Rows under headings.

    numeric: which columns are amounts. badges: what is true of one row alone, by its index. left_out: rows not shown.
    """

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: tuple[bool, ...] = ()
    badges: Mapping[int, str] = field(default_factory=dict)
    left_out: int = 0


@dataclass(frozen=True)
class Text:
    """A sentence; `aside`: it comments on what stands above it."""

    text: str
    aside: bool = False


Part = Fields | Link | Table | Text


def render_result(message: ToolResult) -> None:
    """What came back, or why nothing did."""
    if message.outcome == "failed":
        st.error(f"It did not work. {format.safe_markdown(message.error)}", icon=":material/error:")
        return
    if message.outcome == "unknown":
        st.warning(format.safe_markdown(message.error), icon=":material/help:")
        return
    for position, part in enumerate(parts(message.result, message.tool)):
        _render_part(part, f"{message.seq}-{position}")
    if message.source:
        st.markdown(_SOURCES.get(message.source, f":gray-badge[{format.escape(message.source)}]"))


def render_pairs(pairs: tuple[tuple[str, str], ...]) -> None:
    """Names and values, one a line."""
    st.markdown("  \n".join(f":gray[{format.escape(name)}]\u2002 {format.escape(value)}" for name, value in pairs))


def named_values(values: Mapping[str, Any], schema: Mapping[str, Any] | None = None) -> tuple[tuple[str, str], ...]:
    """A JSON object as names and values for people. schema: of a call's arguments; it may name an amount's currency."""
    default = str(values.get("currency") or "")
    currencies = rules.currencies(schema or {}, values)
    return tuple(
        (format.humanize(name), format.value(name, value, currencies.get(name, default)))
        for name, value in values.items()
        if not (name == "currency" and default and any(format.is_money(*pair) for pair in values.items()))
    )


def parts(result: Any, name: str = "") -> list[Part]:
    """What to draw for a result of the tool of this name, in the order of its fields."""
    if result in (None, "", [], {}):
        return [Text("No results.")]
    if isinstance(result, Mapping):
        return _parts_of_object(result, noun=format.humanize(name).lower().rpartition(" ")[2])
    if isinstance(result, Sequence) and not isinstance(result, str):
        return [_part_of_list(name, result, "")]
    url = format.web_url(result)
    return [Link("Open", url)] if url else [Text(format.value(name, result))]


def _parts_of_object(result: Mapping[str, Any], inherited_currency: str = "", noun: str = "") -> list[Part]:
    currency = str(result.get("currency") or inherited_currency)
    found: list[Part] = []
    pairs: list[tuple[str, str]] = []
    for key, item in result.items():
        url = format.web_url(item)
        if key in _UNITS or item in (None, ""):
            continue
        if url:
            found.append(Link(_link_label(key, noun), url))
        elif isinstance(item, list) and item and all(isinstance(row, Mapping) for row in item):
            found.append(_part_of_list(key, item, currency))
        elif isinstance(item, list) and not item:
            found.append(Text(f"{format.humanize(key)}: none."))
        elif isinstance(item, Mapping) and any(isinstance(inner, list | Mapping) for inner in item.values()):
            found.extend(_parts_of_object(item, currency))
        elif key in ("note", "message", "summary") and isinstance(item, str):
            found.append(Text(item, aside=True))
        else:
            pairs.append((format.humanize(key), format.value(key, item, currency)))
    return [Fields(tuple(pairs)), *found] if pairs else found


def _link_label(key: str, noun: str) -> str:
    words = [word for word in format.humanize(key).lower().split() if word not in ("url", "link", "href", "uri")]
    return f"Open the {' '.join(words) or noun or 'link'}"


def _part_of_list(name: str, items: Sequence[Any], currency: str) -> Part:
    if not all(isinstance(item, Mapping) for item in items):
        return Text(format.value(name, list(items), currency))
    rows = [_with_day_range(_flat(item)) for item in items]
    keys = [key for key in dict.fromkeys(key for row in rows for key in row) if key not in _UNITS]
    keys = [key for key in keys if any(row.get(key) not in (None, "") for row in rows)]
    marks = {key: index for key in keys[1:] if (index := _only_true(key, rows)) is not None}
    shared = [key for key in keys if len(rows) > 1 and len(keys) > 2 and _is_shared(key, rows)]
    keys = [key for key in keys if key not in shared and key not in marks]
    amounts = [key for key in keys[1:] if all(format.is_money(key, row.get(key)) for row in rows)]
    # What it costs comes right after what it is: on a phone the other columns are a swipe away.
    keys = [*keys[:1], *amounts, *(key for key in keys[1:] if key not in amounts)]
    return Table(
        title=" · ".join([format.humanize(name), *(format.value(key, rows[0][key]) for key in shared)]),
        headings=tuple(format.humanize(key) for key in keys),
        rows=tuple(
            tuple(format.value(key, row.get(key), str(row.get("currency") or currency)) for key in keys)
            for row in rows[:ROWS]
        ),
        numeric=tuple(key in amounts for key in keys),
        badges={index: format.humanize(key).lower() for key, index in marks.items()},
        left_out=max(0, len(rows) - ROWS),
    )


def _only_true(key: str, rows: Sequence[Mapping[str, Any]]) -> int | None:
    """The one row of which this yes-or-no field is true: a badge on it says more than a column of "no"."""
    values = [row.get(key) for row in rows]
    if len(rows) > 1 and all(isinstance(value, bool) for value in values) and values.count(True) == 1:
        return values.index(True)
    return None


def _is_shared(key: str, rows: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a short text is the same in every row: it goes into the title, once."""
    first = rows[0].get(key)
    return isinstance(first, str) and len(first) < 40 and all(row.get(key) == first for row in rows)


def _with_day_range(row: dict[str, Any]) -> dict[str, Any]:
    """Two days that belong together become one column."""
    for start, end in _RANGES:
        days = format.day_range(str(row.get(start)), str(row.get(end)))
        if days:
            renamed = {("when" if key == start else key): item for key, item in row.items() if key != end}
            return renamed | {"when": days}
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


def _render_part(part: Part, key: str) -> None:
    match part:
        case Text(text, aside):
            (st.caption if aside else st.markdown)(format.safe_markdown(text))
        case Fields(pairs):
            render_pairs(pairs)
        case Link(label, url):
            st.link_button(format.escape(label), url, icon=":material/open_in_new:", key=f"link-{key}")
        case Table():
            _render_table(part, key)


def _render_table(table: Table, key: str) -> None:
    if table.title:
        st.markdown(f"**{format.escape(table.title)}**")
    lines = [["", *map(format.escape, table.headings)]]
    lines.append(["---:", *("---:" if numeric else "---" for numeric in table.numeric)])
    for index, row in enumerate(table.rows):
        badge = table.badges.get(index)
        cells = [_cell(cell) for cell in row]
        lines.append([f":gray[{index + 1}]", *(f"**{cell}**" if badge else cell for cell in cells)])
        if badge:
            lines[-1][1] += f" :green-badge[{format.escape(badge)}]"
    with st.container(key=f"table-{key}"):
        st.markdown("\n".join(f"| {' | '.join(line)} |" for line in lines))
    if table.left_out:
        st.caption(f"… and {table.left_out} more.")


def _cell(content: Any) -> str:
    url = format.web_url(content)
    return f"[open]({url})" if url else format.escape(content)
