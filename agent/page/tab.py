"""What one browser tab remembers between two runs of the script: which chat, and what the server has not shown yet."""

import re
import secrets
import time
from concurrent.futures import Future
from dataclasses import dataclass, field

import streamlit as st

from agent.messages import UserMessage
from agent.page.live import State

SAY = "say"
"""The key of the message box."""

PAGE = 40
FORGOTTEN = 15.0
"""Seconds after which a message or a decision that the chat does not show was not taken up by it."""

_CHAT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,199}")


@dataclass
class Tab:
    """`sent` (id, text, when) and `decided` (when, by proposal): what was just done, drawn until the chat shows it."""

    chat_id: str = ""
    problem: str = ""
    opening: "Future[str] | None" = None
    try_at: float = 0.0
    sent: list[tuple[str, str, float]] = field(default_factory=list)
    decided: dict[str, float] = field(default_factory=dict)
    refused: tuple[str, str] = ("", "")
    editing: set[str] = field(default_factory=set)
    shown: int = PAGE
    dropped: int | None = None
    mine: list[str] = field(default_factory=list)

    def open(self, chat_id: str) -> None:
        """Turn to another chat; a draft in the message box stays."""
        self.chat_id, self.problem, self.opening = chat_id, "", None
        self.sent, self.decided, self.editing = [], {}, set()
        self.shown, self.dropped = PAGE, None
        if chat_id and chat_id not in self.mine:
            self.mine.insert(0, chat_id)

    def message_id(self, text: str) -> str:
        """An id for this text; the same when the same text is sent again after a failure, so that it is said once."""
        if self.refused[0] != text:
            self.refused = (text, secrets.token_hex(16))
        return self.refused[1]

    def say(self, message_id: str, text: str) -> None:
        """The server has it; the chat will show it."""
        self.sent.append((message_id, text, time.monotonic()))
        self.refused = ("", "")

    def decide(self, proposal_id: str) -> None:
        """The server has the decision; the chat will show it."""
        self.decided[proposal_id] = time.monotonic()
        self.editing.discard(proposal_id)

    def catch_up(self, state: State) -> None:
        """Forget what the chat shows by now, and what a chat that listens has not taken up."""
        view = state.view
        if view is None:
            return
        said = (*state.messages[-100:], *view.queued)
        heard = {message.id for message in said if isinstance(message, UserMessage)}
        waiting = view.waiting.id if view.waiting else ""
        listens = state.trouble is None and state.worker != "missing" and not state.busy
        since = time.monotonic() - FORGOTTEN if listens else 0.0
        self.sent = [sent for sent in self.sent if sent[0] not in heard and sent[2] > since]
        self.decided = {key: at for key, at in self.decided.items() if key == waiting and at > since}
        if self.dropped is None:
            self.dropped = view.dropped.count


def this_tab() -> Tab:
    """The tab whose script runs."""
    if "tab" not in st.session_state:
        st.session_state.tab = Tab()
    tab: Tab = st.session_state.tab
    return tab


def asked_chat() -> str:
    """The chat id in the address, "" if there is none; what cannot be an id counts as unknown, not as none."""
    raw = str(st.query_params.get("chat", ""))
    return raw if not raw or _CHAT_ID.fullmatch(raw) else "unknown"
