"""SessionState: what one browser tab remembers between two runs of the script."""

import re
import secrets
import time
from concurrent.futures import Future
from dataclasses import dataclass, field

import streamlit as st

from agent.messages import UserMessage
from agent.page.watcher import ChatState

MESSAGE_BOX = "message"
"""The key of the message box."""

PAGE = 40
"""How many blocks of the transcript are drawn at first."""

EXPIRY = 15.0
"""Seconds after which a message or a decision that the chat does not show is no longer drawn as sent."""

_CHAT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,199}")


@dataclass
class SessionState:
    """`sent` (id, text, when) and `decided` (when, by proposal): what was just sent, drawn until the chat shows it.

    opened: chats that this session has opened, newest first. dropped: ignored inputs that need no mention any more.
    """

    chat_id: str = ""
    problem: str = ""
    opening: "Future[str] | None" = None
    retry_at: float = 0.0
    sent: list[tuple[str, str, float]] = field(default_factory=list)
    decided: dict[str, float] = field(default_factory=dict)
    refused: tuple[str, str] = ("", "")
    editing: set[str] = field(default_factory=set)
    shown: int = PAGE
    dropped: int | None = None
    opened: list[str] = field(default_factory=list)

    def open(self, chat_id: str) -> None:
        """Show another chat; a draft in the message box stays."""
        self.chat_id, self.problem, self.opening = chat_id, "", None
        self.sent, self.decided, self.editing = [], {}, set()
        self.shown, self.dropped = PAGE, None
        if chat_id and chat_id not in self.opened:
            self.opened.insert(0, chat_id)

    def message_id(self, text: str) -> str:
        """An id for this text; the same when the same text is sent again after a failure, so that it counts once."""
        if self.refused[0] != text:
            self.refused = (text, secrets.token_hex(16))
        return self.refused[1]

    def message_sent(self, message_id: str, text: str) -> None:
        """The server has the message; the chat will show it."""
        self.sent.append((message_id, text, time.monotonic()))
        self.refused = ("", "")

    def decision_sent(self, proposal_id: str) -> None:
        """The server has the decision; the chat will show it."""
        self.decided[proposal_id] = time.monotonic()
        self.editing.discard(proposal_id)

    def reconcile(self, state: ChatState) -> None:
        """Forget what the chat shows by now, and what a chat that is idle has not taken up."""
        view = state.view
        if view is None:
            return
        messages = (*state.messages[-100:], *view.queued)
        shown = {message.id for message in messages if isinstance(message, UserMessage)}
        waiting = view.waiting.id if view.waiting else ""
        idle = state.error is None and state.worker != "missing" and not state.busy
        since = time.monotonic() - EXPIRY if idle else 0.0
        self.sent = [sent for sent in self.sent if sent[0] not in shown and sent[2] > since]
        self.decided = {key: at for key, at in self.decided.items() if key == waiting and at > since}
        if self.dropped is None:
            self.dropped = view.dropped.count


def current_session() -> SessionState:
    """The session whose script runs."""
    if "session" not in st.session_state:
        st.session_state.session = SessionState()
    session: SessionState = st.session_state.session
    return session


def requested_chat() -> str:
    """The chat id in the address, "" if there is none; what cannot be an id counts as unknown, not as none."""
    raw = str(st.query_params.get("chat", ""))
    return raw if not raw or _CHAT_ID.fullmatch(raw) else "unknown"
