"""Draws what was said: the person's words as they are, the agent's as harmless Markdown, and the notices between."""

from datetime import tzinfo
from zoneinfo import ZoneInfo

import streamlit as st

from agent.messages import AgentMessage, ModelUse, Notice, UserMessage
from agent.page import words
from agent.settings import SCRIPTED

AGENT = ":material/robot_2:"
_ICONS = {"info": ":material/info:", "warning": ":material/warning:", "error": ":material/error:"}


def reader_zone() -> tzinfo | None:
    """The time zone of the reader's browser; None = that of this machine."""
    try:
        return ZoneInfo(st.context.timezone) if st.context.timezone else None
    except (KeyError, ValueError):
        return None


def person(message: UserMessage) -> None:
    """The person's words, letter by letter: never Markdown."""
    said(str(message.seq), message.text, words.clock(message.at, reader_zone()))


def said(key: str, text: str, note: str) -> None:
    """A bubble on the right."""
    with st.container(key=f"said-{key}", horizontal_alignment="right", gap="xxsmall"):
        with st.chat_message("user", avatar=None, width="content"):
            st.text(text)
        st.caption(note, width="content")


def agent(message: AgentMessage) -> None:
    """The agent's words, with the model and its price below."""
    with st.chat_message("assistant", avatar=AGENT):
        st.markdown(words.prose(message.text))
        st.caption(byline(message.by, words.clock(message.at, reader_zone())))


def growing(text: str) -> None:
    """A reply that is still being written."""
    with st.chat_message("assistant", avatar=AGENT):
        st.markdown(words.prose(text) + " ▍")


def notice(message: Notice) -> None:
    """A sentence of ours between the bubbles."""
    text = words.prose(message.text)
    if message.level == "error":
        st.error(text, icon=_ICONS["error"])
    elif message.level == "warning":
        st.warning(text, icon=_ICONS["warning"])
    else:
        st.caption(f"{_ICONS['info']} {text}")


def byline(use: ModelUse | None, time: str) -> str:
    """When, by which model, what it took; a price nobody knows is called unknown."""
    if use is None or scripted(use):
        return time
    pieces = [time, words.literal(use.model)]
    tokens = (use.prompt_tokens or 0) + (use.completion_tokens or 0)
    if tokens:
        pieces.append(f"{tokens:,} tokens")
        pieces.append("price unknown" if use.cost_usd is None else words.literal(words.dollars(use.cost_usd)))
    line = " · ".join(pieces)
    return f"{line}  \n{words.literal(use.note)}" if use.note else line


def scripted(use: ModelUse) -> bool:
    """Whether the built-in model answered: it has no price and nothing to tell it from."""
    return use.model.startswith(SCRIPTED)
