"""Draws the parts of a tool's result."""

from typing import Any

import streamlit as st

from agent.messages import ToolResult
from agent.page import results, words

_SOURCES = {
    "mock": ":orange-badge[:material/science: mock data]",
    "test": ":blue-badge[:material/labs: test mode]",
    "live": ":green-badge[:material/bolt: live]",
}


def result(message: ToolResult) -> None:
    """What came back, or why nothing did."""
    if message.outcome == "failed":
        st.error(f"It did not work. {words.prose(message.error)}", icon=":material/error:")
        return
    if message.outcome == "unknown":
        st.warning(words.prose(message.error), icon=":material/help:")
        return
    for position, part in enumerate(results.parts(message.result, message.tool)):
        _draw(part, message.seq, position)
    if message.source:
        st.markdown(_SOURCES.get(message.source, f":gray-badge[{words.literal(message.source)}]"))


def pairs(shown: tuple[tuple[str, str], ...]) -> None:
    """Names and values, one a line."""
    st.markdown("  \n".join(f":gray[{words.literal(name)}]\u2002 {words.literal(value)}" for name, value in shown))


def _draw(part: results.Part, seq: int, position: int) -> None:
    match part:
        case results.Text(text, aside):
            (st.caption if aside else st.markdown)(words.prose(text))
        case results.Fields(shown):
            pairs(shown)
        case results.Link(label, url):
            st.link_button(words.literal(label), url, icon=":material/open_in_new:", key=f"link-{seq}-{position}")
        case results.Table():
            _table(part, seq, position)


def _table(table: results.Table, seq: int, position: int) -> None:
    if table.title:
        st.markdown(f"**{words.literal(table.title)}**")
    lines = [["", *map(words.literal, table.headings)]]
    lines.append(["---:", *("---:" if number else "---" for number in table.numbers)])
    for index, row in enumerate(table.rows):
        best = index == table.best
        cells = [_cell(cell) for cell in row]
        lines.append([f":gray[{index + 1}]", *(f"**{cell}**" if best else cell for cell in cells)])
        if best:
            lines[-1][1] += " :green-badge[cheapest]"
    with st.container(key=f"table-{seq}-{position}"):
        st.markdown("\n".join(f"| {' | '.join(line)} |" for line in lines))
    if table.left_out:
        st.caption(f"… and {table.left_out} more.")


def _cell(content: Any) -> str:
    url = words.link(content)
    return f"[open]({url})" if url else words.literal(content)
