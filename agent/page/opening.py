"""Draws the page before there is a chat: how far the server is, the chat being opened, an address without a chat."""

import time

import streamlit as st

from agent.errors import ChatError, ChatNotFound
from agent.page import actions, look, words
from agent.page.desk import Desk
from agent.page.tab import Tab

AGAIN = 1.0
"""Seconds after a failed opening until the next."""


def opened(desk: Desk, tab: Tab) -> bool:
    """A visit without a chat begins one: True once there is one. Meanwhile the page names the step."""
    status_now = desk.local()
    look.title("Steadfast")
    if status_now.phase == "failed":
        st.error(words.literal(status_now.problem or status_now.step), icon=":material/error:")
    elif status_now.phase == "starting":
        st.fragment(run_every=0.5)(_starting)(desk)
    else:
        st.fragment(run_every=0.2)(_open)(desk, tab)
    return False


def _starting(desk: Desk) -> None:
    status_now = desk.local()
    if status_now.phase != "starting":
        st.rerun()
    seconds = f" ({status_now.age:.0f} s)" if status_now.age >= 2 else ""
    st.markdown(f":shimmer[{words.literal(status_now.step)} …]{seconds}")


def _open(desk: Desk, tab: Tab) -> None:
    """Begin the chat. The call goes on when this run is cut short, and the next run finds it: one visit, one chat."""
    if tab.opening is None and time.monotonic() > tab.try_at:
        goal = desk.goal(str(st.query_params.get("goal", "")))

        async def start() -> str:
            return await (await desk.client()).start(goal)

        tab.opening = desk.bridge.spawn(start())
    if tab.opening is None or not tab.opening.done():
        _waiting(tab)
        return
    try:
        chat_id = tab.opening.result()
    except ChatError as error:
        tab.opening, tab.problem, tab.try_at = None, str(error), time.monotonic() + AGAIN
        _waiting(tab)
        return
    tab.open(chat_id)
    st.query_params.clear()
    st.query_params["chat"] = chat_id
    desk.list_again()
    st.rerun()


def _waiting(tab: Tab) -> None:
    if tab.problem:
        st.warning(words.literal(tab.problem), icon=":material/warning:")
    else:
        st.markdown(":shimmer[Opening a chat …]")


def not_found(desk: Desk, tab: Tab, trouble: ChatNotFound) -> None:
    """An address without a chat behind it."""
    look.title("Steadfast")
    st.warning(words.literal(trouble), icon=":material/search_off:")
    st.button("New chat", key="new-chat", type="primary", on_click=actions.new_chat, args=(desk, tab, ""))
