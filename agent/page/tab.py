"""What one browser tab remembers between two runs of the script: which chat, and what the server has not shown yet."""

import re
import secrets
from concurrent.futures import Future
from dataclasses import dataclass, field

import streamlit as st

from agent.messages import UserMessage
from agent.page.live import State

SAY = "say"
"""The key of the message box."""

PAGE = 40
_CHAT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,199}")


@dataclass
class Tab:
    """`sent` and `decided`: what was just done, drawn until the chat shows it itself."""

    chat_id: str = ""
    problem: str = ""
    opening: "Future[str] | None" = None
    try_at: float = 0.0
    sent: list[tuple[str, str]] = field(default_factory=list)
    decided: dict[str, str] = field(default_factory=dict)
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

    def catch_up(self, state: State) -> None:
        """Forget what the chat shows by now."""
        if state.view is None:
            return
        heard = {
            message.id for message in (*state.messages[-100:], *state.view.queued) if isinstance(message, UserMessage)
        }
        self.sent = [(message_id, text) for message_id, text in self.sent if message_id not in heard]
        waiting = state.view.waiting.id if state.view.waiting else ""
        self.decided = {proposal: verdict for proposal, verdict in self.decided.items() if proposal == waiting}
        if self.dropped is None:
            self.dropped = state.view.dropped.count


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
