"""The message box: a component that keeps what is typed in the browser until it is durable.

Why not st.chat_input: it hands over one value for each run of the script, so of two messages that are sent while a run
or a callback is busy one is overwritten, and a reload loses both. This box keeps every message that was sent in
localStorage, and its *state* is the list of all that are not acknowledged: whichever run comes next, and whichever
process runs it, gets all of them in order. Python puts them into the chat's Outbox without waiting, and names those
that are durable; only then the browser forgets them. An id that comes twice, from two tabs or after a restart, counts
once. The bubbles of messages on their way are drawn by the browser too, so that they are there at once even where
nobody answers; Python draws the same ones for a tab that did not send them.
"""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from agent.errors import KeyMissing
from agent.messages import MESSAGE_LIMIT, Proposal
from agent.page import intent
from agent.page.app import PageApp
from agent.page.outbox import OutgoingMessage
from agent.page.session import CHAT_ID, SessionState, show_address
from agent.page.watcher import ChatState

KEY = "message-box"
_ID = re.compile(r"[0-9a-f]{8,64}")
_FILES = Path(__file__).parent
_HTML = """
<div class="message-box">
  <textarea rows="1" aria-label="Message" aria-describedby="message-box-hint" enterkeyhint="send"></textarea>
  <button type="button" aria-label="Send message" title="Send message">
    <svg viewBox="0 0 24 24" width="20" height="20" aria-hidden="true"><path d="M4 12 20 4 16 20 11.5 13.5Z"/></svg>
  </button>
</div>
<div class="message-box-hint" id="message-box-hint" role="status"></div>
"""
_component = st.components.v2.component(
    "steadfast_message_box",
    html=_HTML,
    css=(_FILES / "message_box.css").read_text(encoding="utf-8"),
    js=(_FILES / "message_box.js").read_text(encoding="utf-8"),
    isolate_styles=False,
)


def is_hidden() -> bool:
    """Whether the browser says that nobody sees this tab."""
    told = st.session_state.get(KEY)
    return isinstance(told, Mapping) and told.get("hidden") is True


def render_pending() -> None:
    """The place at the end of the transcript where the browser draws the messages on their way."""
    st.html('<div class="pending-messages"></div>')


def render_message_box(
    app: PageApp,
    session: SessionState,
    state: ChatState,
    pending: tuple[OutgoingMessage, ...] = (),
    waiting: Sequence[Proposal] = (),
    *,
    goal: str = "",
    disabled: bool = False,
) -> None:
    """The box at the bottom; what the browser has sent since the last run goes to the outboxes.

    goal: of the chat that a message begins, as long as there is none.
    """
    data = {
        "chat": session.chat_id or session.draft,
        "first": not session.chat_id,
        "goal": goal,
        "disabled": state.ended or disabled or is_locked(state),
        "placeholder": _placeholder(state, waiting),
        "limit": MESSAGE_LIMIT,
        "proposal": " ".join(proposal.id for proposal in waiting),
        "messages": [
            {"id": message.id, "text": message.text, "state": message.state, "note": message.note}
            for message in pending
        ],
        "delivered": receive(app, session, st.session_state.get(KEY)),
        "revision": session.revision,
    }
    with st.bottom:
        # As bytes: of a mapping, Streamlit would ask pandas (90 MB) whether it holds data frames.
        value = _component(
            key=KEY,
            data=json.dumps(data).encode(),
            on_outbox_change=lambda: None,
            on_hidden_change=lambda: None,
        )
    receive(app, session, value)


def receive(app: PageApp, session: SessionState, value: Any) -> list[str]:
    """Take over what a browser says it has not seen acknowledged; returns the ids that it may forget.

    The value comes from outside: whatever has another shape is skipped.
    """
    sent = value.get("outbox") if isinstance(value, Mapping) else None
    if not isinstance(sent, Mapping):
        return []
    found: dict[str, list[OutgoingMessage]] = {}
    for raw in _list(sent.get("messages")):
        if isinstance(raw, Mapping) and CHAT_ID.fullmatch(str(raw.get("chat"))) and _ID.fullmatch(str(raw.get("id"))):
            text = str(raw.get("text", ""))
            proposals = tuple(str(raw.get("proposal") or "").split()) if intent.verdict(text) else ()
            message = OutgoingMessage(str(raw["id"]), text, proposals, goal=str(raw.get("goal") or "")[:200])
            found.setdefault(str(raw["chat"]), []).append(message)
    delivered: list[str] = []
    for chat_id, messages in found.items():
        outbox = app.outbox(chat_id)
        outbox.submit(messages)
        delivered += outbox.delivered(message.id for message in messages)
    if session.draft in found:
        session.begin(found[session.draft][0].goal)
        show_address(chat=session.chat_id)
    app.outbox(session.chat_id).discard({str(message_id) for message_id in _list(sent.get("discarded"))})
    session.submitted(str(sent.get("revision")))
    return delivered


def is_locked(state: ChatState) -> bool:
    """Whether nothing can be read of the chat, because a key is missing: what is written now could not be either."""
    return state.view is None and isinstance(state.error, KeyMissing)


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _placeholder(state: ChatState, waiting: Sequence[Proposal]) -> str:
    if state.ended:
        return "This chat has ended"
    if is_locked(state):
        return "This chat cannot be read here"
    if len(waiting) > 1:
        return "yes to all, no, or another message"
    return "yes, no, or another message" if waiting else "Your message"
