"""What the page looks like beyond the theme in .streamlit/config.toml. Constants only: nothing said ever gets here."""

import streamlit as st

from agent.page import words

_CSS = """
<style>
.stMainBlockContainer { max-width: 50rem; padding-top: 2.2rem; padding-bottom: 1rem; }
[class*="st-key-user-"] .stChatMessage, [class*="st-key-sent-"] .stChatMessage, [class*="st-key-queued-"] .stChatMessage
  { max-width: 85%; padding: .55rem .9rem; border-radius: 1rem 1rem .25rem 1rem; }
</style>
"""


def dress() -> None:
    """Title, icon, width and style of the page."""
    st.set_page_config(page_title="Steadfast", page_icon=":material/anchor:", layout="centered")
    st.html(_CSS)


def title(text: str) -> None:
    """The heading of the page."""
    st.markdown(f"#### {words.literal(text)}", width="stretch")
