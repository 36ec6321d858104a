"""The score: what this chat and all chats that the reader may see went through, counted from their histories."""

from collections.abc import Sequence
from datetime import datetime, tzinfo

import streamlit as st

from agent.page import format
from agent.page.app import PageApp
from agent.page.session import SessionState
from agent.timeline import Score

COUNTED = 500
"""Open chats, and ended ones, that are counted at most: the newest."""


def render_score(app: PageApp, session: SessionState) -> None:
    """A table of counts, and the same as a file."""
    with st.spinner("Counting …"):
        seen = {row.chat_id: row.status != "running" for row in app.call(lambda client: client.chats(COUNTED))}
        seen.setdefault(session.chat_id, False)
        mine = app.call(lambda client: app.histories.score(client, session.chat_id))
        everything = app.call(lambda client: app.histories.total(client, seen))
    zone = format.reader_zone(st.context.timezone)
    counted = rows(mine, everything)
    with st.container(key="table-score"):
        st.markdown(_markdown(counted, heading_of(everything)))
    st.caption(explanation(everything, zone))
    st.download_button(
        "Save proof",
        proof(session.chat_id, mine, everything, datetime.now(zone), zone),
        file_name=f"proof-{session.chat_id[-8:]}.md",
        mime="text/markdown",
        icon=":material/download:",
        key="proof",
        on_click="ignore",
    )


def heading_of(everything: Score) -> str:
    return "1 chat" if everything.chats == 1 else f"{everything.chats} chats"


def rows(mine: Score, everything: Score) -> list[tuple[str, str, str]]:
    """What is counted, of this chat, of all."""
    return [(name, one, other) for (name, one), (_, other) in zip(_counts(mine), _counts(everything), strict=True)]


def _counts(each: Score) -> list[tuple[str, str]]:
    return [
        ("Messages sent / taken up", f"{len(each.sent)} / {len(each.taken_up)}"),
        ("Tools confirmed / done", f"{each.confirmed} / {each.done}"),
        ("Done twice", str(each.doubled)),
        ("Workers that died at work", str(len(each.dead))),
        ("Steps tried again", str(each.repeated)),
        ("Slowest recovery", f"{each.slowest:.1f} s" if each.slowest else "—"),
    ]


def explanation(everything: Score, zone: tzinfo | None) -> str:
    """What is in the numbers, and what is not."""
    since = f", the oldest of {_moment(everything.since, zone)}" if everything.since else ""
    return (
        f"Counted in Temporal's histories of {heading_of(everything)} that you can see here{since}. A message that was "
        "sent and not taken up waits for its turn, or its chat has ended."
    )


def proof(chat_id: str, mine: Score, everything: Score, now: datetime, zone: tzinfo | None) -> str:
    """The counts as a Markdown file."""
    lines = [
        f"# Proof of {format.day(now)}, {now:%H:%M}".replace("\u00a0", " "),
        "",
        f"Chat …{chat_id[-8:]}, and {heading_of(everything)} together.",
        "",
        _markdown(rows(mine, everything), heading_of(everything)),
        "",
        explanation(everything, zone),
        "",
        "To check it, compare with `temporal workflow show` of the chat, whose id is in the page's address.",
        "",
    ]
    return "\n".join(lines)


def _markdown(counted: Sequence[tuple[str, str, str]], heading: str) -> str:
    head = [f"| | This chat | {heading} |", "| --- | ---: | ---: |"]
    return "\n".join([*head, *(f"| {name} | {one} | {other} |" for name, one, other in counted)])


def _moment(moment: datetime, zone: tzinfo | None) -> str:
    return f"{format.day(moment.astimezone(zone))}, {format.time_of_day(moment, zone)}"
