"""What opens over the page: how long each step took, the score, files to keep, and the question whether to delete."""

import streamlit as st

from agent.errors import ChatError
from agent.page import actions, export_panel, format, score, waterfall
from agent.page.app import PageApp
from agent.page.session import Panel, SessionState


def render_buttons(session: SessionState) -> None:
    """The buttons beside a chat."""
    if not session.chat_id:
        return
    with st.container(key="panels", gap="xxsmall"):
        st.button(
            "Where the time went",
            key="open-waterfall",
            type="tertiary",
            icon=":material/waterfall_chart:",
            on_click=_show,
            args=(session, "waterfall"),
        )
        st.button(
            "Score",
            key="open-score",
            type="tertiary",
            icon=":material/scoreboard:",
            on_click=_show,
            args=(session, "score"),
        )
        st.button(
            "Export",
            key="open-export",
            type="tertiary",
            icon=":material/download:",
            on_click=_show,
            args=(session, "export"),
        )
        st.button(
            "Delete",
            key="open-delete",
            type="tertiary",
            icon=":material/delete:",
            on_click=_show,
            args=(session, "delete"),
        )


def _render_delete(app: PageApp, session: SessionState) -> None:
    st.markdown(
        "Everything that the Temporal server keeps of it is deleted: its messages, decisions, results and the histories of "
        "all its runs. What its tools have done stays done, and so do backups and archives of the server. "
        "This cannot be undone; *Export* keeps a copy."
    )
    st.button("Delete", key="delete-now", type="primary", on_click=actions.delete_chat, args=(app, session))


def render_panel(app: PageApp, session: SessionState) -> None:
    """The panel that is open, if any."""
    if not session.panel:
        return
    title, draw = {
        "waterfall": ("Where the time went", waterfall.render_waterfall),
        "score": ("Score", score.render_score),
        "export": ("Export", export_panel.render_export),
        "delete": ("Delete this chat?", _render_delete),
    }[session.panel]

    def body() -> None:
        try:
            draw(app, session)
        except ChatError as error:
            st.warning(format.escape(str(error)), icon=":material/warning:")

    st.dialog(title, width="medium", on_dismiss=lambda: _show(session, ""))(body)()


def _show(session: SessionState, panel: Panel) -> None:
    session.panel = panel
