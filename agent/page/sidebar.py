"""The sidebar: the model, what can be opened beside the chat, the list of chats, and what runs on this machine."""

from urllib.parse import quote, urlsplit

import streamlit as st

from agent.page import actions, break_it, chat_list, format, login, panels, rules_list
from agent.page.app import PageApp
from agent.page.session import SessionState
from agent.page.watcher import ChatState
from agent.settings import SCRIPTED

_MODEL_KEY = "model"


def render_sidebar(app: PageApp, session: SessionState, state: ChatState) -> None:
    """Everything beside the chat. Other people's chats and the installation's own troubles are for its owner alone."""
    visitor = app.visitor()
    with st.sidebar:
        st.markdown("### :primary[:material/anchor:] Steadfast")
        _model(app, session, state)
        if visitor.is_owner:
            _web_ui(app, session)
        panels.render_buttons(session, state)
        rules_list.render_rules(app, session, state)
        if visitor.is_owner:
            break_it.render_break_it(app)
        chat_list.render_chats(app, session, state)
        login.render_logout(visitor)
        if visitor.is_owner:
            for problem in (app.local_status().problem, *app.tools.problems):
                if problem:
                    st.caption(f":material/build: {format.escape(problem)}")


def _model(app: PageApp, session: SessionState, state: ChatState) -> None:
    view, settings = state.view, app.settings
    if view is None:
        return
    models = list(dict.fromkeys((settings.llm_model, *settings.llm_models, *([view.model] if view.model else []))))
    with st.container(key="about", gap="xxsmall"):
        if settings.llm_models and not state.ended:
            current = models.index(view.model) if view.model else 0
            args = (app, session, _MODEL_KEY)
            st.selectbox("Model", models, index=current, key=_MODEL_KEY, on_change=actions.pick_model, args=args)
        if view.tokens and any(model != SCRIPTED for model in models):
            cost = "price unknown" if view.cost_usd is None else format.escape(format.cost(view.cost_usd))
            st.caption(f"This chat so far: {view.tokens:,} tokens, {cost}")


def _web_ui(app: PageApp, session: SessionState) -> None:
    url = _web_ui_url(app)
    if url and session.chat_id:
        address = f"{url.rstrip('/')}/namespaces/{_namespace(app)}/workflows/{quote(session.chat_id, safe='')}"
        st.link_button("This chat in Temporal", address, type="tertiary", icon=":material/open_in_new:", key="web-ui")


def _web_ui_url(app: PageApp) -> str:
    """What the settings say; else the embedded one, to a browser that reached this page on its own machine."""
    host = urlsplit(st.context.url or "").hostname or ""
    is_here = host in ("localhost", "127.0.0.1", "::1")
    return app.settings.temporal_ui_url or (app.local_status().ui_url if is_here else "")


def _namespace(app: PageApp) -> str:
    return quote(app.settings.environment.get("TEMPORAL_NAMESPACE") or "default", safe="")
