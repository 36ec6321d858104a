"""SessionState: what one browser tab remembers between two runs of the script."""

import re
import time
from collections.abc import Iterable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Literal

import streamlit as st

from agent.client import new_chat_id
from agent.errors import ChatError, ServerUnavailable
from agent.messages import Json
from agent.page.outbox import EXPIRY, OutgoingMessage
from agent.page.watcher import ChatState

PAGE = 40
"""How many blocks of the transcript are drawn at first."""

CHAT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,199}")


Panel = Literal["", "rename", "waterfall", "score", "export", "import", "share", "delete"]


@dataclass
class SessionState:
    """`decided` (when, by proposal): decisions that were just sent, until the chat shows them.

    sending: what was clicked and is on its way. outage_at: when the server did not answer, if that is the problem.
    draft: the id of the chat that the first message on the first screen begins. beginning: its goal, until it is there.
    edited (arguments, by proposal): values kept on a card of several, until it is decided. unfit: the field of an edit
    form whose value cannot be used, and why. partial: the reply that grows. revision: of what the browser sent last.
    dropped: how many ignored inputs need no mention any more. panel: what is open over the page.
    ending: the page asks whether to end the chat. reading: it shows a chat that was shared to be read. rewriting: the seq of the message that is edited, to be sent again.
    tour: when the tour began, in seconds since the epoch; 0 = it is not taken.
    next_chat: what is shown once the chat of this id has begun. copied: how much was copied so far, and the last of it.
    """

    chat_id: str = ""
    problem: str = ""
    outage_at: float | None = None
    sending: "Future[None] | None" = None
    draft: str = field(default_factory=new_chat_id)
    beginning: str = ""
    decided: dict[str, float] = field(default_factory=dict)
    revision: str = ""
    editing: set[str] = field(default_factory=set)
    edited: dict[str, dict[str, Json]] = field(default_factory=dict)
    unfit: tuple[str, str] | None = None
    partial: tuple[object, str] | None = None
    shown: int = PAGE
    ending: bool = False
    dropped: int | None = None
    panel: Panel = ""
    rewriting: int = 0
    reading: bool = False
    next_chat: str = ""
    copied: tuple[int, str] = (0, "")
    tour: float = 0.0

    def open(self, chat_id: str) -> None:
        """Show another chat."""
        self.chat_id, self.problem, self.beginning = chat_id, "", ""
        self.decided, self.editing, self.edited, self.unfit = {}, set(), {}, None
        self.shown, self.dropped, self.panel, self.ending = PAGE, None, "", False
        self.rewriting, self.next_chat = 0, ""

    def begin(self, goal: str) -> None:
        """Show the chat that begins with what was just said on the first screen."""
        self.open(self.draft)
        self.draft, self.beginning = new_chat_id(), goal

    def submitted(self, revision: str) -> None:
        """The browser has sent something new: what was said about earlier input is out of date."""
        if revision != self.revision:
            self.revision, self.problem, self.dropped = revision, "", None

    def decision_sent(self, proposal_id: str) -> None:
        """The server has the decision; the chat will show it."""
        self.decided[proposal_id] = time.monotonic()
        self.editing.discard(proposal_id)
        self.edited.pop(proposal_id, None)

    def partial_reply(self, state: ChatState, drawn: object) -> str:
        """What there is of a reply. A call that is over leaves its words until the chat shows them, when `drawn` changes."""
        if state.busy and state.attempt is not None:
            self.partial = (drawn, state.attempt.partial)
        since, text = self.partial or (None, "")
        return text if state.busy and since == drawn else ""

    @property
    def has_settled(self) -> bool:
        """Whether what was clicked has arrived, or failed."""
        return self.sending is not None and self.sending.done()

    def settle(self) -> bool:
        """Whether it has since the last time; what failed can be clicked again."""
        if self.sending is None or not self.sending.done():
            return False
        error, self.sending = self.sending.exception(), None
        if error is not None:
            self.decided, self.next_chat = {}, ""
        if isinstance(error, ServerUnavailable):
            self.problem, self.outage_at = f"Not sent: {error}", time.monotonic()
        elif isinstance(error, ChatError):
            self.problem = str(error)
        elif error is not None:
            raise error
        return True

    def arrived(self) -> str:
        """The chat to go to, which has begun by now; "" if there is none."""
        chat_id = "" if self.sending else self.next_chat
        self.next_chat = "" if chat_id else self.next_chat
        return chat_id

    def is_outage_over(self, state: ChatState) -> bool:
        """Whether the server has answered since, so that the problem needs no mention any more."""
        return self.outage_at is not None and state.answered_at > self.outage_at

    def reconcile(self, state: ChatState, pending: Iterable[OutgoingMessage] = ()) -> None:
        """Forget decisions that the chat shows by now, and those that a chat that is idle has ignored."""
        if self.is_outage_over(state):
            self.problem, self.outage_at = "", None
        view = state.view
        if view is None:
            return
        for message in pending:
            for proposal_id in message.proposals if message.state != "failed" else ():
                self.decided.setdefault(proposal_id, time.monotonic())
        waiting = {proposal.id for proposal in view.deciding}
        idle = state.error is None and state.worker != "missing" and not state.busy
        since = time.monotonic() - EXPIRY if idle else 0.0
        self.decided = {key: at for key, at in self.decided.items() if key in waiting and at > since}
        if self.dropped is None:
            self.dropped = view.dropped.count


def current_session() -> SessionState:
    """The session whose script runs."""
    if "session" not in st.session_state:
        st.session_state.session = SessionState()
    session: SessionState = st.session_state.session
    return session


def show_address(**query: str) -> None:
    """One entry of the browser's history, and no rerun."""
    st.query_params.from_dict(query)


def requested_chat() -> str:
    """The chat id in the address, "" if there is none; what cannot be an id counts as unknown, not as none."""
    raw = str(st.query_params.get("chat", ""))
    return raw if not raw or CHAT_ID.fullmatch(raw) else "unknown"
