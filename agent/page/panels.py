"""What opens over the page: a new title, how long each step took, the score, files to keep, the question whether to delete."""

from collections.abc import Callable

import streamlit as st

from agent.errors import ChatError
from agent.messages import TITLE_LIMIT
from agent.page import actions, export_panel, format, score, share, waterfall
from agent.page.app import PageApp
from agent.page.session import Panel, SessionState
from agent.page.watcher import ChatState

_TITLE_KEY, _FILE_KEY = "chat-title", "chat-file"


def _render_delete(app: PageApp, session: SessionState) -> None:
    st.markdown(
        "Everything that the Temporal server keeps of it is deleted: its messages, decisions, results and the histories of "
        "all its runs. What its tools have done stays done, and so do backups and archives of the server. "
        "This cannot be undone; *Export* keeps a copy."
    )
    st.button("Delete", key="delete-now", type="primary", on_click=actions.delete_chat, args=(app, session))


def _render_rename(app: PageApp, session: SessionState) -> None:
    view = app.watcher(session.chat_id).state.view
    with st.form("rename", border=False):
        shown = next((row.title for row in app.chats(fetch=False) if row.chat_id == session.chat_id), "")
        st.text_input("Title", (view.title if view else "") or shown, key=_TITLE_KEY, max_chars=TITLE_LIMIT)
        args = (app, session, _TITLE_KEY)
        st.form_submit_button("Rename", type="primary", key="rename-now", on_click=actions.rename, args=args)


def _render_import(app: PageApp, session: SessionState) -> None:
    st.markdown("A chat that was exported as JSON. It can be read here, and you can go on from it in a new chat.")
    st.file_uploader("Exported chat", type="json", key=_FILE_KEY, max_upload_size=4)
    if session.problem:
        st.warning(format.escape(session.problem), icon=":material/warning:")
    chosen = st.session_state.get(_FILE_KEY) is not None
    args = (app, session, _FILE_KEY)
    label = "Import"
    st.button(label, key="import-now", type="primary", disabled=not chosen, on_click=actions.import_chat, args=args)


_PANELS: dict[Panel, tuple[str, str, str, Callable[[PageApp, SessionState], None]]] = {
    "rename": ("Rename", ":material/edit:", "Rename this chat", _render_rename),
    "waterfall": (
        "Where the time went",
        ":material/waterfall_chart:",
        "Where the time went",
        waterfall.render_waterfall,
    ),
    "score": ("Score", ":material/scoreboard:", "Score", score.render_score),
    "export": ("Export", ":material/download:", "Export", export_panel.render_export),
    "share": ("Share", ":material/share:", "Share this chat", share.render_share),
    "import": ("Import", ":material/upload:", "Import a chat", _render_import),
    "delete": ("Delete", ":material/delete:", "Delete this chat?", _render_delete),
}
"""The label and the icon of each button, the title of what it opens, and what draws that."""


def render_buttons(session: SessionState, state: ChatState) -> None:
    """The buttons beside a chat; without one, a file can be imported all the same."""
    open_ones: set[Panel] = {"rename"}
    with st.container(key="panels", gap="xxsmall"):
        for name, (label, icon, _, _) in _PANELS.items():
            if name != "import" and (not session.chat_id or (state.ended and name in open_ones)):
                continue
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
