"""What opens over the page: how long each step took, the score, files to keep, and the question whether to delete."""

from collections.abc import Callable

import streamlit as st

from agent.errors import ChatError
from agent.page import actions, export_panel, format, score, share, waterfall
from agent.page.app import PageApp
from agent.page.session import Panel, SessionState


def _render_delete(app: PageApp, session: SessionState) -> None:
    st.markdown(
        "Everything that the Temporal server keeps of it is deleted: its messages, decisions, results and the histories of "
        "all its runs. What its tools have done stays done, and so do backups and archives of the server. "
        "This cannot be undone; *Export* keeps a copy."
    )
    st.button("Delete", key="delete-now", type="primary", on_click=actions.delete_chat, args=(app, session))


_PANELS: dict[Panel, tuple[str, str, str, Callable[[PageApp, SessionState], None]]] = {
    "waterfall": (
        "Where the time went",
        ":material/waterfall_chart:",
        "Where the time went",
        waterfall.render_waterfall,
    ),
    "score": ("Score", ":material/scoreboard:", "Score", score.render_score),
    "export": ("Export", ":material/download:", "Export", export_panel.render_export),
    "share": ("Share", ":material/share:", "Share this chat", share.render_share),
    "delete": ("Delete", ":material/delete:", "Delete this chat?", _render_delete),
}
"""The label and the icon of each button, the title of what it opens, and what draws that."""


def render_buttons(session: SessionState) -> None:
    """The buttons beside a chat."""
    if not session.chat_id:
        return
    with st.container(key="panels", gap="xxsmall"):
        for name, (label, icon, _, _) in _PANELS.items():
            args = (session, name)
            st.button(label, key=f"open-{name}", type="tertiary", icon=icon, on_click=_show, args=args)


def render_panel(app: PageApp, session: SessionState) -> None:
    """The panel that is open, if any."""
    if not session.panel:
        return
    _, _, title, draw = _PANELS[session.panel]

    def body() -> None:
        try:
            draw(app, session)
        except ChatError as error:
            st.warning(format.escape(str(error)), icon=":material/warning:")

    st.dialog(title, width="medium", on_dismiss=lambda: _show(session, ""))(body)()


def _show(session: SessionState, panel: Panel) -> None:
    session.panel = panel
