"""What clicks do. Only callbacks: they see every click, however fast two follow each other."""

import secrets
import time
from collections.abc import Callable, Coroutine
from typing import Any, Literal

import streamlit as st

from agent.client import ChatClient
from agent.errors import ChatError, ServerUnavailable
from agent.messages import Proposal
from agent.page import edit_form
from agent.page.app import PageApp
from agent.page.outbox import OutgoingMessage
from agent.page.session import SessionState

Verdict = Literal["confirm", "decline"]


def send_anyway(app: PageApp, session: SessionState, text: str) -> None:
    """Send again, to be answered although it was said not to fit the goal."""
    app.outbox(session.chat_id).submit([OutgoingMessage(secrets.token_hex(16), text, insist=True)])


def decide(app: PageApp, session: SessionState, proposal_id: str, verdict: Verdict, reason_key: str = "") -> None:
    """Confirm as proposed, or decline with the reason that was typed, if any."""
    chat_id = session.chat_id
    reason = str(st.session_state.get(reason_key, "")) if reason_key else ""
    if verdict == "confirm":
        done = _try(app, session, lambda client: client.confirm(chat_id, proposal_id))
    else:
        done = _try(app, session, lambda client: client.decline(chat_id, proposal_id, reason))
    if done:
        session.decision_sent(proposal_id)


def confirm_edited(app: PageApp, session: SessionState, proposal: Proposal, form: list[edit_form.Field]) -> None:
    """Confirm with the arguments from the edit form."""
    entered = [(field, st.session_state.get(argument_key(proposal, field))) for field in form]
    try:
        arguments = edit_form.edited(proposal.arguments, entered)
    except ValueError as error:
        session.problem = str(error)
        return
    chat_id = session.chat_id
    if _try(app, session, lambda client: client.confirm(chat_id, proposal.id, arguments)):
        session.decision_sent(proposal.id)


def argument_key(proposal: Proposal, field: edit_form.Field) -> str:
    """The key of the widget that edits this argument."""
    return f"edit-{proposal.id}-{field.key}"


def edit(session: SessionState, proposal_id: str) -> None:
    """Open the edit form, or close it."""
    session.editing ^= {proposal_id}


def new_chat(app: PageApp, session: SessionState, goal: str) -> None:
    """Start another chat. A chat in which the person said nothing is ended, so that the list stays short."""
    left = session.chat_id
    state = app.watcher(left).state if left else None
    if state is not None and state.untouched and not state.ended and not app.outbox(left).messages:
        _try(app, session, lambda client: client.end(left))
    session.open("")
    st.query_params.clear()
    if goal:
        st.query_params["goal"] = goal
    app.refresh_chats()


def open_chat(session: SessionState, chat_id: str) -> None:
    """Show a chat of the list."""
    session.open(chat_id)
    st.query_params.clear()
    st.query_params["chat"] = chat_id


def end_chat(app: PageApp, session: SessionState) -> None:
    """End this chat."""
    chat_id = session.chat_id
    _try(app, session, lambda client: client.end(chat_id))
    app.refresh_chats()


def repair(app: PageApp, session: SessionState) -> None:
    """Bring a wedged chat back to where its history holds."""
    chat_id = session.chat_id
    _try(app, session, lambda client: client.repair(chat_id))


def pick_model(app: PageApp, session: SessionState, key: str) -> None:
    """Answer with the selected model from now on."""
    chat_id, model = session.chat_id, str(st.session_state.get(key) or "")
    _try(app, session, lambda client: client.set_model(chat_id, model))


def show_earlier(app: PageApp, session: SessionState, loaded: bool) -> None:
    """Draw more of what is loaded, or load the previous run."""
    session.shown += 40
    if not loaded:
        try:
            app.watcher(session.chat_id).load_earlier()
        except ChatError as error:
            session.problem = str(error)


def _try(app: PageApp, session: SessionState, request: Callable[[ChatClient], Coroutine[Any, Any, object]]) -> bool:
    """Whether it was received; if not, the page says why."""
    session.problem, session.outage_at = "", None
    watcher = app.watcher(session.chat_id)
    if watcher.state.view is not None:
        session.dropped = watcher.state.view.dropped.count
    try:
        app.call(request)
    except ServerUnavailable as error:
        session.problem, session.outage_at = f"Not sent: {error}", time.monotonic()
    except ChatError as error:
        session.problem = str(error)
    watcher.refresh()
    return not session.problem
