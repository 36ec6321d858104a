"""The chat as files to keep."""

import streamlit as st

from agent.export import Transcript, to_json, to_markdown
from agent.page.app import PageApp
from agent.page.session import SessionState


def render_export(app: PageApp, session: SessionState) -> None:
    """Two files; reading them asks a worker for every run of the chat."""
    chat_id = session.chat_id
    transcript: Transcript = app.call(lambda client: client.transcript(chat_id))
    st.caption(
        f"{len(transcript.messages)} messages, from the first one on."
        if transcript.complete
        else "The server no longer has the beginning of this chat; the files hold the rest."
    )
    name = f"chat-{chat_id[-8:]}"
    with st.container(horizontal=True):
        st.download_button(
            "Markdown",
            to_markdown(transcript),
            f"{name}.md",
            "text/markdown",
            key="export-markdown",
            icon=":material/download:",
            on_click="ignore",
        )
        st.download_button(
            "JSON",
            to_json(transcript),
            f"{name}.json",
            "application/json",
            key="export-json",
            icon=":material/download:",
            on_click="ignore",
        )
