"""What keyboards and screen readers need beyond Streamlit, in a component without a face.

Keys: Esc goes from the empty message box to the card, closes an edit form, and goes back to the box; y, n and e decide or
edit only while the card has the focus, so nothing is confirmed by a key that was meant for words. After a click the focus
returns to the message box. New messages and the status line are read out politely, the words of a growing reply only once
they are whole. "Show earlier messages" keeps what was read where it was. What is copied goes to the clipboard.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from agent.messages import AgentMessage, Message, Notice, ProposalMessage, ToolResult
from agent.page import format

_FILES = Path(__file__).parent
_LONGEST = 1_000
"""Characters that are read out of one message."""

_HTML = """
<div class="assist">
  <div class="announced-words" role="log" aria-live="polite"></div>
  <div class="announced-status" role="status"></div>
</div>
"""
_component = st.components.v2.component(
    "steadfast_assist",
    html=_HTML,
    js=(_FILES / "assist.js").read_text(encoding="utf-8"),
    isolate_styles=False,
)


def render_assist(chat_id: str, messages: Sequence[Message], copied: tuple[int, str] = (0, "")) -> None:
    """Once a run; copied: the last text that was to be copied, and its number. At the bottom, where its place never changes: in another place it would be another component."""
    data: dict[str, Any] = {"chat": chat_id, "seq": messages[-1].seq if messages else 0, "text": announcement(messages)}
    data["copied"] = {"number": copied[0], "text": copied[1]}
    with st.bottom, st.container(key="assist"):
        _component(key="assist-component", data=json.dumps(data).encode())


def announcement(messages: Sequence[Message]) -> str:
    """What is read out of the newest message, "" for the person's own words and decisions."""
    newest = messages[-1] if messages else None
    match newest:
        case AgentMessage() | Notice():
            text = newest.text
        case ProposalMessage(proposal=proposal):
            text = f"{proposal.text} Waiting for your decision."
        case ToolResult(outcome="ok"):
            text = f"{format.humanize(newest.tool)}: done."
        case ToolResult():
            text = newest.error
        case _:
            text = ""
    return text[:_LONGEST]
