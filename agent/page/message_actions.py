"""What can be done with a message, with the newest reply, and with what waits; and the question before a chat is ended."""

import re
from collections.abc import Callable

import streamlit as st

from agent.messages import MESSAGE_LIMIT, AgentMessage, ChatView, Notice, UserMessage
from agent.page import actions, format
from agent.page.app import PageApp
from agent.page.session import SessionState
from agent.page.watcher import ChatState

SUGGESTED, LONGEST = 8, 60
"""Suggested answers at most, and characters of each."""

REWRITTEN = "rewritten"
"""The key of the text of a message that is edited."""


def render_menu(app: PageApp, session: SessionState, seq: int, text: str, *, own: bool = False) -> None:
    """The menu of a message. text: its words, to be copied; own: it is the person's. Nothing for a mere reader."""
    if session.reading:
        return
    options = ["Copy"] * bool(text) + ["Edit and send again"] * own + ["Fork from here"]
    key = f"menu-{seq}"
    st.menu_button(
        "Message actions",
        options,
        key=key,
        type="tertiary",
        icon=":material/more_horiz:",
        on_click=actions.choose,
        args=(app, session, key, seq, text),
    )


def render_rewriting(app: PageApp, session: SessionState, message: UserMessage) -> None:
    """The message as a form; what is sent begins another chat."""
    with st.form("rewrite", border=True):
        st.text_area("Your message", message.text, key=REWRITTEN, max_chars=MESSAGE_LIMIT)
        st.caption("The answer comes in a new chat, which begins with what was said before. This one stays as it is.")
        with st.container(horizontal=True):
            args = (app, session, REWRITTEN)
            send = actions.send_rewritten
            st.form_submit_button("Send in a new chat", key="rewrite-send", type="primary", on_click=send, args=args)
            st.form_submit_button("Cancel", key="rewrite-cancel", on_click=actions.stop_rewriting, args=(session,))


def suggested(text: str) -> list[str]:
    """The answers that a question offers to be picked: what stands in backticks, as the prompt asks models to mark them."""
    plain = re.sub(r"```.*?(```|$)", "", text, flags=re.DOTALL)
    found = (text.strip() for text in re.findall(r"`([^`\n]*)`", plain))
    return list(dict.fromkeys(text for text in found if 0 < len(text) <= LONGEST))[:SUGGESTED] if "?" in plain else []


def render_suggested(app: PageApp, session: SessionState, state: ChatState) -> None:
    """The answers that the newest question offers; a click sends one."""
    newest = state.messages[-1] if state.messages else None
    if state.ended or not isinstance(newest, AgentMessage) or not (found := suggested(newest.text)):
        return
    if state.view is None or state.view.status != "waiting":
        return
    with st.container(key="answers", horizontal=True, gap="small"):
        for number, text in enumerate(found):
            args = (app, session, text)
            st.button(format.escape(text), key=f"answer-{newest.seq}-{number}", on_click=actions.say, args=args)


def render_actions(app: PageApp, session: SessionState, state: ChatState) -> None:
    """Below the transcript; nothing where there is nothing to stop or to write again."""
    view = state.view
    if view is not None and state.ended and state.messages:
        st.button(
            "Go on in a new chat",
            key="go-on",
            icon=":material/fork_right:",
            help="A new chat that begins with everything that was said in this one.",
            on_click=actions.fork,
            args=(app, session, state.messages[-1].seq),
        )
    if view is None or state.ended:
        return
    with st.container(key="reply-actions", horizontal=True, gap="small"):
        _render_open(app, session, state, view)


def _render_open(app: PageApp, session: SessionState, state: ChatState, view: ChatView) -> None:
    if state.retries:
        about = "Do not wait for the next attempt."
        _button("Try now", "retry-now", ":material/bolt:", about, actions.retry_now, app, session)
    if view.status == "thinking":
        about = "Stop this reply; what is written stays."
        _button("Stop", "stop", ":material/stop_circle:", about, actions.stop, app, session)
    elif view.status == "waiting" and (seq := _newest_reply(state)):
        about = "Have this reply written again."
        _button("Regenerate", "regenerate", ":material/refresh:", about, actions.regenerate, app, session, seq)


def _button(label: str, key: str, icon: str, about: str, action: Callable[..., None], *args: object) -> None:
    st.button(label, key=key, type="tertiary", icon=icon, help=about, on_click=action, args=args)


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
