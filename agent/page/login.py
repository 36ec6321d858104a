"""Logging in, where secrets.toml asks for it, and out."""

import streamlit as st

from agent.page import format, theme, visitors
from agent.visitor import Visitor

_INCOMPLETE = (
    "The login is not configured completely. `[auth]` in secrets.toml needs `redirect_uri`, `cookie_secret`, `client_id`, "
    "`client_secret` and `server_metadata_url`."
)
_WITHOUT_SUBJECT = "The login did not say who you are: its token has no issuer and subject. Log in another way."


def render_login() -> None:
    """Instead of the page, for somebody who is not logged in."""
    theme.render_title("Steadfast")
    found = visitors.providers()
    if not found:
        st.error(_INCOMPLETE, icon=":material/error:")
        return
    if st.user.get("is_logged_in"):
        st.error(_WITHOUT_SUBJECT, icon=":material/error:")
    st.markdown("Log in to see your chats, and to start new ones.")
    for name, label in found.items():
        icon = ":material/login:"
        st.button(label, key=f"login-{name}", type="primary", icon=icon, on_click=st.login, args=(name,))


def render_logout(visitor: Visitor) -> None:
    """Who is logged in; nothing without a login."""
    if visitor.is_owner or not visitors.has_login():
        return
    with st.container(key="login", gap="xxsmall"):
        st.caption(f":material/account_circle: {format.escape(visitor.label)}")
        st.button("Log out", key="logout", type="tertiary", icon=":material/logout:", on_click=st.logout)
