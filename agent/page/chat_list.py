"""The list of chats: those that need the person first, then by day; the one that is shown is marked."""

from datetime import datetime, timedelta, tzinfo

import streamlit as st

from agent.client import ChatRow
from agent.page import actions, format
from agent.page.app import PageApp
from agent.page.session import SessionState
from agent.page.watcher import ChatState

SEARCHED = 8
"""Chats from which on the list can be searched."""

_SEARCH_KEY = "search-chats"
_VISITOR = "Your chats. The address printed in the terminal shows its owner all chats."
_MARKS = {"running": ":material/chat_bubble:", "completed": ":material/check:"}
_NEEDS_YOU = "Needs you"


def visible(app: PageApp, session: SessionState, state: ChatState) -> list[ChatRow]:
    """The visitor's chats, newest first; the chat that is shown is among them, however new it is."""
    rows = list(app.chats())
    if state.view is not None and state.messages and all(row.chat_id != session.chat_id for row in rows):
        started, status, title = state.messages[0].at, state.run_status, state.view.goal.title
        rows.insert(0, ChatRow(session.chat_id, title, state.view.goal.name, started, status))
    return rows


def groups(rows: list[ChatRow], now: datetime, zone: tzinfo | None = None) -> dict[str, list[ChatRow]]:
    """The rows under their headings, in order; zone: the reader's."""
    today = now.astimezone(zone).date()
    found: dict[str, list[ChatRow]] = {_NEEDS_YOU: [], "Today": [], "Yesterday": [], "Previous 7 days": [], "Older": []}
    for row in rows:
        day = row.started.astimezone(zone).date()
        if row.waiting:
            heading = _NEEDS_YOU
        elif day >= today:
            heading = "Today"
        elif day == today - timedelta(days=1):
            heading = "Yesterday"
        else:
            heading = "Previous 7 days" if day >= today - timedelta(days=7) else "Older"
        found[heading].append(row)
    return {heading: listed for heading, listed in found.items() if listed}


def render_chats(app: PageApp, session: SessionState, state: ChatState) -> None:
    """The list, with a search where it is long."""
    rows = visible(app, session, state)
    if not rows:
        return
    help_text = None if app.visitor().is_owner else _VISITOR
    zone = format.reader_zone(st.context.timezone)
    with st.container(key="chats", gap="xxsmall"):
        if len(rows) >= SEARCHED:
            text = st.text_input("Search chats", key=_SEARCH_KEY, placeholder="Search", label_visibility="collapsed")
            words = str(text or "").lower().split()
            rows = [row for row in rows if all(word in f"{row.title} {row.goal}".lower() for word in words)]
            if not rows:
                st.caption("No chat has these words in its title.")
        for number, (heading, listed) in enumerate(groups(rows, datetime.now().astimezone(), zone).items()):
            st.caption(heading, help=None if number else help_text)
            for row in listed:
                _row(session, row, heading, zone)


def _row(session: SessionState, row: ChatRow, heading: str, zone: tzinfo | None) -> None:
    label = format.escape(row.title or format.humanize(row.goal) or row.chat_id)
    shown = row.chat_id == session.chat_id
    started = row.started.astimezone(zone)
    recent = heading in ("Today", "Yesterday") or started.date() == datetime.now(zone).date()
    when = f"{started:%H:%M}" if recent else f"{started:%d %b, %H:%M}"
    st.button(
        f"{f'**{label}**' if shown else label} :small[:gray[{format.escape(when)}]]",
        key=f"chat-{row.chat_id}",
        type="tertiary",
        icon=":material/notifications:" if row.waiting else _MARKS.get(row.status, ":material/error:"),
        help="This chat" if shown else None,
        on_click=actions.open_chat,
        args=(session, row.chat_id),
    )
