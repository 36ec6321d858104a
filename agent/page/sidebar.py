"""Draws the sidebar: goals to begin with, the chats there are, the model, and the way to Temporal's Web UI."""

from collections.abc import Mapping
from urllib.parse import quote, urlsplit

import streamlit as st

from agent.client import ChatRow
from agent.page import actions, words
from agent.page.desk import Desk
from agent.page.live import State
from agent.page.tab import Tab
from agent.settings import SCRIPTED

_MODEL_KEY = "model"
_MARKS = {"running": ":material/chat_bubble:", "completed": ":material/check:"}


def sidebar(desk: Desk, tab: Tab, state: State) -> None:
    """Everything beside the chat."""
    with st.sidebar:
        st.markdown("### :primary[:material/anchor:] Steadfast")
        _goals(desk, tab)
        _chats(desk, tab)
        _model(desk, tab, state)
        _web_ui(desk, tab)
        for problem in desk.tools.problems:
            st.caption(f":material/build: {words.literal(problem)}")


def _goals(desk: Desk, tab: Tab) -> None:
    with st.container(key="goals", gap="xxsmall"):
        st.caption("Start a chat")
        for name, goal in desk.tools.goals.items():
            label = words.literal(goal.title or words.spoken(name))
            args = (desk, tab, name)
            st.button(
                label, key=f"goal-{name}", type="tertiary", icon=":material/add:", on_click=actions.new_chat, args=args
            )


def _chats(desk: Desk, tab: Tab) -> None:
    everybody = at_home(st.context.ip_address, st.context.headers)
    rows = [row for row in desk.chats() if everybody or row.chat_id in tab.mine]
    if not rows:
        return
    with st.container(key="chats", gap="xxsmall"):
        st.caption("Chats")
        for row in rows:
            _row(tab, row)


def _row(tab: Tab, row: ChatRow) -> None:
    label = words.literal(row.title or words.spoken(row.goal) or row.chat_id)
    when = f"{row.started.astimezone():%d %b, %H:%M}"
    st.button(
        f"{label} :small[:gray[{words.literal(when)}]]",
        key=f"chat-{row.chat_id}",
        type="tertiary",
        icon=_MARKS.get(row.status, ":material/error:"),
        disabled=row.chat_id == tab.chat_id,
        on_click=actions.open_chat,
        args=(tab, row.chat_id),
    )


def at_home(ip: str | None, headers: Mapping[str, str]) -> bool:
    """Whether a page is read on the machine that serves it, without a proxy between (Streamlit's ip is None there).

    A chat's id is what opens it: nobody else gets the list of them. What the browser itself says of its address is not
    asked: it may say anything.
    """
    forwarded = any(name.lower().startswith(("x-forwarded", "forwarded", "x-real-ip", "via")) for name in headers)
    host = urlsplit(f"//{headers.get('Host', '')}").hostname
    return ip is None and not forwarded and host in ("localhost", "127.0.0.1", "::1")


def _model(desk: Desk, tab: Tab, state: State) -> None:
    view, settings = state.view, desk.settings
    if view is None:
        return
    models = list(dict.fromkeys((settings.llm_model, *settings.llm_models, *([view.model] if view.model else []))))
    with st.container(key="about", gap="xxsmall"):
        if settings.llm_models and not state.ended:
            current = models.index(view.model) if view.model else 0
            args = (desk, tab, _MODEL_KEY)
            st.selectbox("Model", models, index=current, key=_MODEL_KEY, on_change=actions.pick_model, args=args)
        if view.tokens and any(model != SCRIPTED for model in models):
            cost = "price unknown" if view.cost_usd is None else words.literal(words.dollars(view.cost_usd))
            st.caption(f"This chat so far: {view.tokens:,} tokens, {cost}")


def _web_ui(desk: Desk, tab: Tab) -> None:
    url = desk.local().ui_url
    if url and tab.chat_id:
        address = f"{url.rstrip('/')}/namespaces/{_namespace(desk)}/workflows/{quote(tab.chat_id, safe='')}"
        st.link_button("This chat in Temporal", address, type="tertiary", icon=":material/open_in_new:", key="web-ui")


def _namespace(desk: Desk) -> str:
    return quote(desk.settings.environment.get("TEMPORAL_NAMESPACE") or "default", safe="")
