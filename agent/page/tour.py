"""The tour: a minute in which a person sees a chat survive. What it says next follows from facts, not from clicks."""

import time
from typing import Literal

import streamlit as st

from agent import local
from agent.faults import Faults
from agent.messages import ToolResult
from agent.page import actions, format
from agent.page.app import PageApp
from agent.page.session import SessionState
from agent.page.watcher import ChatState
from tools import Goal

Step = Literal["say", "wait", "confirm", "kill", "dead", "done", "late"]

_SEEN = (
    "Open *confirmed by you* for the receipt of that step, and *Score* or *Where the time went* in the sidebar. Close this "
    "tab and come back: the chat is still here."
)
_TEXTS: dict[Step, str] = {
    "say": "**1 of 4.** Say what you want; for now, by a click.",
    "wait": "**2 of 4.** The agent decides what to do.",
    "confirm": "**2 of 4.** The agent does nothing without you. **Press Confirm** on its card.",
    "kill": "**3 of 4.** It writes its answer, slowly for once. **Now kill the worker**, which does all the work of this chat.",
    "dead": "**4 of 4.** Worker {pid} is dead. Do nothing: another one takes over, and the sentence goes on.",
    "done": "**That was it.** The marked line says what happened, from the server's history. " + _SEEN,
    "late": "**That was it.** The answer was complete when worker {pid} died, so nothing was lost. " + _SEEN,
}


def is_offered(app: PageApp) -> bool:
    """Whether this visitor can take it: it breaks what runs on this machine."""
    now = app.local_status()
    return app.settings.break_it and now.worker != "off" and app.owner.recognizes(st.context.cookies)


def render_offer(app: PageApp, session: SessionState) -> None:
    """The button on the first screen."""
    if session.tour or not is_offered(app):
        return
    icon = ":material/explore:"
    st.button("Take the one-minute tour", key="take-tour", icon=icon, type="tertiary", on_click=_begin, args=(session,))


def render_tour(app: PageApp, session: SessionState, state: ChatState, goal: tuple[str, Goal] | None = None) -> None:
    """What to do next, above the message box. goal: of the first screen, which has an example to begin with."""
    if not session.tour or not is_offered(app):
        return
    now = app.local_status()
    current = step(session.chat_id, state, now, session.tour)
    if current in ("say", "confirm"):
        Faults(app.settings.home).slow_model()
    with st.bottom, st.container(key=f"tour-{current}", horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(_TEXTS[current].format(pid=now.worker_died[0]), width="stretch")
        if current == "say" and goal and goal[1].examples:
            text, args = goal[1].examples[0], (app, session, goal[0], goal[1].examples[0])
            st.button(format.escape(text), key="tour-example", type="primary", on_click=actions.begin_chat, args=args)
        elif current == "kill":
            kill = (app.settings, "worker")
            st.button("Kill the worker", key="tour-kill-now", type="primary", on_click=local.kill, args=kill)
        label = "Close" if current in ("done", "late") else "Leave the tour"
        st.button(label, key="leave-tour", type="tertiary", on_click=_leave, args=(app, session))


def step(chat_id: str, state: ChatState, now: local.LocalStatus, since: float) -> Step:
    """Where the tour is; since: when it began, in seconds since the epoch."""
    if not chat_id:
        return "say"
    if not any(isinstance(message, ToolResult) for message in state.messages):
        return "confirm" if state.view is not None and state.view.status == "deciding" else "wait"
    if now.worker_died[1] < since:
        return "kill"
    if now.worker != "running" or now.phase != "ready" or state.busy:
        return "dead"
    return "done" if any(message.interruptions for message in state.messages) else "late"


def _begin(session: SessionState) -> None:
    session.tour = time.time()


def _leave(app: PageApp, session: SessionState) -> None:
    session.tour = 0.0
    Faults(app.settings.home).slow_model(ended=True)
