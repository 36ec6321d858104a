"""Who the visitor is whose browser runs the script: the owner, a login, or a browser that keeps a cookie of ours.

No header and no address decides anything: of what a browser says, only signed or unguessable cookies count.
"""

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from agent.page.access import Owner
from agent.visitor import NOBODY, OWNER, Visitor, of_browser, of_login

_TAB_KEY = "tab-secret"
_NEEDED = ("client_id", "client_secret", "server_metadata_url")
_SHARED = ("redirect_uri", "cookie_secret")


@dataclass(frozen=True)
class BrowserCookie:
    """A random secret, signed, that a browser keeps, so that whoever opens it again finds their chats."""

    key: str

    @property
    def name(self) -> str:
        """Tells two installations on one host apart."""
        return f"steadfast_visitor_{hashlib.sha256(self.key.encode()).hexdigest()[:8]}"

    def new_value(self) -> str:
        """The cookie of a browser that has none."""
        secret = secrets.token_urlsafe(24)
        return f"{secret}.{self._sign(secret)}"

    def secret(self, cookies: Mapping[str, str]) -> str:
        """What the browser keeps; "" without a cookie that we signed."""
        secret, _, signature = str(cookies.get(self.name, "")).partition(".")
        return secret if hmac.compare_digest(signature.encode(), self._sign(secret).encode()) else ""

    def _sign(self, secret: str) -> str:
        return hmac.new(self.key.encode(), f"visitor {secret}".encode(), hashlib.sha256).hexdigest()


def current_visitor(owner: Owner, cookie: BrowserCookie) -> Visitor:
    """Who runs the script; NOBODY where a login is needed first."""
    cookies = st.context.cookies
    if owner.recognizes(cookies):
        return OWNER
    if has_login():
        return _login()
    secret = cookie.secret(cookies)
    if not secret:  # a browser that keeps no cookies: its chats are this tab's
        secret = str(st.session_state.setdefault(_TAB_KEY, secrets.token_urlsafe(24)))
    return of_browser(secret)


def has_login() -> bool:
    """Whether secrets.toml has an [auth] section, complete or not: then nobody is let in without a login."""
    return bool(st.secrets.load_if_toml_exists()) and "auth" in st.secrets


def providers() -> dict[str, str]:
    """Those that one can log in with: the name for st.login and the button's label; none where a line is missing."""
    auth: Mapping[str, Any] = st.secrets["auth"]
    if not all(auth.get(name) for name in _SHARED):
        return {}
    found = {"default": "Log in"} if all(auth.get(name) for name in _NEEDED) else {}
    for name, section in auth.items():
        if isinstance(section, Mapping) and all(section.get(needed) for needed in _NEEDED):
            found[name] = f"Log in with {name.title()}"
    return found


def _login() -> Visitor:
    user = st.user
    if not user.get("is_logged_in"):
        return NOBODY
    claims = {name: str(user.get(name) or "") for name in ("iss", "sub", "name", "preferred_username", "email")}
    return of_login(claims["iss"], claims["sub"], claims["name"] or claims["preferred_username"], claims["email"])
