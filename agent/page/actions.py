"""What clicks and the message box do. Only callbacks: they see every click, however fast two follow each other."""

from collections.abc import Callable, Coroutine
from typing import Any, Literal

import streamlit as st

from agent.client import ChatClient
from agent.errors import ChatError, ServerUnavailable
from agent.messages import Proposal
from agent.page import fields, replies
from agent.page.desk import Desk
from agent.page.tab import SAY, Tab

Verdict = Literal["confirm", "decline"]


def say(desk: Desk, tab: Tab, waiting: Proposal | None) -> None:
    """Send what was typed; a plain yes or no under a card decides the card. What is refused goes back into the box."""
    text = str(st.session_state.get(SAY) or "")
    if waiting is not None and (verdict := replies.verdict(text)):
        decide(desk, tab, waiting.id, verdict)
    else:
        chat_id, message_id = tab.chat_id, tab.message_id(text)
        if _done(desk, tab, lambda client: client.send(chat_id, text, message_id)):
            tab.say(message_id, text)
    if tab.problem:
        st.session_state[SAY] = text


def insist(desk: Desk, tab: Tab, text: str) -> None:
    """Say again, and have answered, what was taken for something that does not fit the goal."""
    chat_id, message_id = tab.chat_id, tab.message_id(text)
    if _done(desk, tab, lambda client: client.send(chat_id, text, message_id, insist=True)):
        tab.say(message_id, text)


def decide(desk: Desk, tab: Tab, proposal_id: str, verdict: Verdict, reason_key: str = "") -> None:
    """Confirm as proposed, or decline with the reason that was typed, if any."""
    chat_id = tab.chat_id
    reason = str(st.session_state.get(reason_key, "")) if reason_key else ""
    if verdict == "confirm":
        done = _done(desk, tab, lambda client: client.confirm(chat_id, proposal_id))
    else:
        done = _done(desk, tab, lambda client: client.decline(chat_id, proposal_id, reason))
    if done:
        tab.decide(proposal_id)


def confirm_edited(desk: Desk, tab: Tab, proposal: Proposal, form: list[fields.Field]) -> None:
    """Confirm with the arguments as they stand in the edit form."""
    entered = [(field, st.session_state.get(argument_key(proposal, field))) for field in form]
    try:
        arguments = fields.edited(proposal.arguments, entered)
    except ValueError as error:
        tab.problem = str(error)
        return
    chat_id = tab.chat_id
    if _done(desk, tab, lambda client: client.confirm(chat_id, proposal.id, arguments)):
        tab.decide(proposal.id)


def argument_key(proposal: Proposal, field: fields.Field) -> str:
    """The key of the widget that edits this argument."""
    return f"edit-{proposal.id}-{field.key}"


def edit(tab: Tab, proposal_id: str) -> None:
    """Open the edit form, or close it."""
    tab.editing ^= {proposal_id}


def new_chat(desk: Desk, tab: Tab, goal: str) -> None:
    """Begin another chat; one in which nothing was said yet is ended, so that it does not lie about."""
    left = tab.chat_id
    state = desk.live(left).state if left else None
    if state is not None and state.untouched and not state.ended and not tab.sent:
        _done(desk, tab, lambda client: client.end(left))
    tab.open("")
    st.query_params.clear()
    if goal:
        st.query_params["goal"] = goal
    desk.list_again()


def open_chat(tab: Tab, chat_id: str) -> None:
    """Turn to a chat of the list."""
    tab.open(chat_id)
    st.query_params.clear()
    st.query_params["chat"] = chat_id


def end_chat(desk: Desk, tab: Tab) -> None:
    """End this chat."""
    chat_id = tab.chat_id
    _done(desk, tab, lambda client: client.end(chat_id))
    desk.list_again()


def pick_model(desk: Desk, tab: Tab, key: str) -> None:
    """Let the chosen model answer from now on."""
    chat_id, model = tab.chat_id, str(st.session_state.get(key) or "")
    _done(desk, tab, lambda client: client.set_model(chat_id, model))


def show_earlier(desk: Desk, tab: Tab, loaded: bool) -> None:
    """Draw more of what is loaded, or load the run before."""
    tab.shown += 40
    if not loaded:
        try:
            desk.live(tab.chat_id).load_earlier()
        except ChatError as error:
            tab.problem = str(error)


def _done(desk: Desk, tab: Tab, call: Callable[[ChatClient], Coroutine[Any, Any, None]]) -> bool:
    """Whether it worked; if not, the tab shows why."""
    tab.problem = ""
    live = desk.live(tab.chat_id)
    if live.state.view is not None:
        tab.dropped = live.state.view.dropped.count
    try:
        desk.do(call)
    except ServerUnavailable as error:
        tab.problem = f"Not sent: {error}"
    except ChatError as error:
        tab.problem = str(error)
    live.poke()
    return not tab.problem
