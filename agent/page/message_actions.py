"""What can be done with the newest reply, and the question before a chat is ended."""

import streamlit as st

from agent.messages import AgentMessage, Notice, UserMessage
from agent.page import actions
from agent.page.app import PageApp
from agent.page.session import SessionState
from agent.page.watcher import ChatState


def render_actions(app: PageApp, session: SessionState, state: ChatState) -> None:
    """Below the transcript; nothing where there is nothing to stop or to write again."""
    view = state.view
    if view is None or state.ended:
        return
    if view.status == "thinking":
        st.button(
            "Stop",
            key="stop",
            type="tertiary",
            icon=":material/stop_circle:",
            help="Stop this reply; what is written stays.",
            on_click=actions.stop,
            args=(app, session),
        )
    elif view.status == "waiting" and (seq := _newest_reply(state)):
        st.button(
            "Regenerate",
            key="regenerate",
            type="tertiary",
            icon=":material/refresh:",
            help="Have this reply written again.",
            on_click=actions.regenerate,
            args=(app, session, seq),
        )


def render_end(app: PageApp, session: SessionState, state: ChatState) -> None:
    """The question whether to end the chat, once *End* was clicked."""
    if not session.ending or state.ended:
        return
    with st.container(key="end-question", horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown("End this chat? What was said stays readable.", width="content")
        st.button("End it", key="end-now", type="primary", on_click=actions.end_chat, args=(app, session))
        st.button("Keep it open", key="end-not", on_click=actions.ask_to_end, args=(session,))


def _newest_reply(state: ChatState) -> int:
    """The seq of the reply, or of the message that was left without one; 0 while the agent only greeted."""
    if not any(isinstance(message, UserMessage) for message in state.messages):
        return 0
    newest = next((message for message in reversed(state.messages) if not isinstance(message, Notice)), None)
    return newest.seq if isinstance(newest, AgentMessage | UserMessage) else 0
