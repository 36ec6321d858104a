"""The page before there is a chat: how far the start is, the chat being opened, an address without a chat."""

import time

import streamlit as st

from agent.errors import ChatError, ChatNotFound
from agent.page import actions, format, theme
from agent.page.app import PageApp
from agent.page.session import SessionState

RETRY = 1.0
"""Seconds after a failed start of a chat until the next try."""


def render_opening(app: PageApp, session: SessionState) -> None:
    """A visit without a chat starts one. Until there is one, the page names the step."""
    now = app.local_status()
    theme.render_title("Steadfast")
    if now.phase == "failed":
        st.error(for_owner(app, now.problem or now.step), icon=":material/error:")
    elif now.phase == "starting":
        st.fragment(run_every=0.5)(_starting)(app)
    else:
        st.fragment(run_every=0.2)(_open)(app, session)


def for_owner(app: PageApp, problem: str) -> str:
    """The problem as Markdown, for the owner; paths and variables are nothing for visitors."""
    if app.owner.recognizes(st.context.cookies):
        return format.escape(problem)
    return "This page is not ready. The terminal in which it was started says why, and to its owner this page does too."


def _starting(app: PageApp) -> None:
    now = app.local_status()
    if now.phase != "starting":
        st.rerun()
    seconds = f" ({now.age:.0f} s)" if now.age >= 2 else ""
    st.markdown(f":shimmer[{format.escape(now.step)} …]{seconds}")


def _open(app: PageApp, session: SessionState) -> None:
    """Start the chat. The request goes on when this run is cut short, and the next run finds it: one visit, one chat."""
    if session.opening is None and time.monotonic() > session.retry_at:
        goal = app.goal(str(st.query_params.get("goal", "")))

        async def start() -> str:
            return await (await app.client()).start(goal)

        session.opening = app.loop.spawn(start())
    if session.opening is None or not session.opening.done():
        _waiting(session)
        return
    try:
        chat_id = session.opening.result()
    except ChatError as error:
        session.opening, session.problem, session.retry_at = None, str(error), time.monotonic() + RETRY
        _waiting(session)
        return
    session.open(chat_id)
    st.query_params.clear()
    st.query_params["chat"] = chat_id
    app.refresh_chats()
    st.rerun()


def _waiting(session: SessionState) -> None:
    if session.problem:
        st.warning(format.escape(session.problem), icon=":material/warning:")
    else:
        st.markdown(":shimmer[Opening a chat …]")


def render_not_found(app: PageApp, session: SessionState, error: ChatNotFound) -> None:
    """An address without a chat behind it."""
    theme.render_title("Steadfast")
    st.warning(format.escape(error), icon=":material/search_off:")
    st.button("New chat", key="new-chat", type="primary", on_click=actions.new_chat, args=(app, session, ""))
