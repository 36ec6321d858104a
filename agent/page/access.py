"""Cookies of the page: the owner's, who holds the token that the terminal prints, and visitors', see visitors.py.

Nothing is guessed from addresses or headers: behind a proxy everybody looks local, and a browser says what it likes.
The token is made once and kept in the home directory. Opening the page with it sets a cookie, and leads to the same
page without it, so that it stays in no address bar, history or screenshot.
"""

import hashlib
import hmac
import logging
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import Protocol
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import config

_LOG = logging.getLogger(__name__)
PARAMETER = "owner"
TOKEN_FILE = "owner-token"  # noqa: S105 - its name
YEAR = 365 * 24 * 3600


@dataclass(frozen=True)
class Owner:
    """Recognizes the owner's browser. The cookie holds a hash of the token; its name tells two installations apart."""

    token: str

    @classmethod
    def of_home(cls, home: Path) -> "Owner":
        """With the token in the home directory, made if there is none; where none can be kept, one for this process."""
        path = home / TOKEN_FILE
        try:
            home.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                path.touch(mode=0o600, exist_ok=False)
                path.write_text(secrets.token_urlsafe(24), encoding="ascii")
            except FileExistsError:
                path.chmod(0o600)
            token = _read(path)
        except (OSError, ValueError) as error:
            _LOG.warning("The owner's token cannot be kept in %s (%s); it changes with every start.", path, error)
            token = ""
        return cls(token if len(token) >= 16 else secrets.token_urlsafe(24))

    @property
    def cookie(self) -> tuple[str, str]:
        """Name and value."""
        name = hashlib.sha256(self.token.encode()).hexdigest()[:8]
        value = hmac.new(self.token.encode(), b"the owner's cookie", hashlib.sha256).hexdigest()
        return f"steadfast_owner_{name}", value

    def is_token(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), self.token.encode())

    def recognizes(self, cookies: Mapping[str, str]) -> bool:
        """Whether a browser with these cookies is the owner's."""
        name, value = self.cookie
        return hmac.compare_digest(str(cookies.get(name, "")).encode(), value.encode())


def _read(path: Path) -> str:
    """The token; another process may be about to write it."""
    for _ in range(20):
        token = path.read_text(encoding="ascii").strip()
        if token:
            return token
        time.sleep(0.05)
    return ""


class Signed(Protocol):
    """What a visitor's browser keeps: visitors.BrowserCookie."""

    @property
    def name(self) -> str: ...

    def new_value(self) -> str: ...

    def secret(self, cookies: Mapping[str, str]) -> str: ...


class CookieMiddleware:
    """Takes the owner's token out of the address into a cookie, gives a browser that opens the page a cookie of its own,
    and refuses websockets that another web page opens."""

    def __init__(self, app: ASGIApp, owner: Callable[[], Owner], visitor: Callable[[], Signed]) -> None:
        """owner, visitor: called at each request, because the home is known only once the settings are."""
        self.app, self.owner, self.visitor = app, owner, visitor

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket" and not _is_same_origin(scope):
            _LOG.warning("Refused a websocket of another origin.")
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        elif scope["type"] == "http" and scope["method"] == "GET" and f"{PARAMETER}=".encode() in scope["query_string"]:
            await self._redirect(scope, send)
        elif scope["type"] == "http" and scope["method"] == "GET" and "text/html" in _headers(scope).get("accept", ""):
            await self.app(scope, receive, await self._with_cookie(scope, send))
        else:
            await self.app(scope, receive, send)

    async def _with_cookie(self, scope: Scope, send: Send) -> Send:
        """Answer a browser that opens the page with a cookie of its own, unless it has one."""
        cookie = await run_in_threadpool(self.visitor)  # the first to ask waits until the app is imported
        if cookie.secret(_cookies(scope)):
            return send
        header = _set_cookie(cookie.name, cookie.new_value(), "Lax", secure=scope["scheme"] == "https")

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), (b"set-cookie", header)]}
            await send(message)

        return answer

    async def _redirect(self, scope: Scope, send: Send) -> None:
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        rest = urlencode([(name, value) for name, value in query if name != PARAMETER])
        # Relative, so that a path which a proxy cut off stays; never to another host.
        headers = [(b"location", f"?{rest}".encode() if rest else b"."), (b"cache-control", b"no-store")]
        owner = self.owner()
        if any(name == PARAMETER and owner.is_token(value) for name, value in query):
            headers.append((b"set-cookie", _set_cookie(*owner.cookie, "Strict", secure=scope["scheme"] == "https")))
        await send({"type": "http.response.start", "status": 303, "headers": headers})
        await send({"type": "http.response.body", "body": b""})


def _set_cookie(name: str, value: str, same_site: str, *, secure: bool) -> bytes:
    """Strict: not even sent with a link from elsewhere. A visitor's is, else such a link would replace it."""
    parts = [
        f"{name}={value}",
        "HttpOnly",
        f"SameSite={same_site}",
        "Path=/",
        f"Max-Age={YEAR}",
        *(["Secure"] if secure else []),
    ]
    return "; ".join(parts).encode()


def _headers(scope: Scope) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}


def _cookies(scope: Scope) -> dict[str, str]:
    try:
        found = SimpleCookie(_headers(scope).get("cookie", ""))
    except CookieError:
        return {}
    return {name: morsel.value for name, morsel in found.items()}


def _is_same_origin(scope: Scope) -> bool:
    """Streamlit takes any web page of localhost for its own; here the origin has to be that of the page itself.

    Programs that are no browser send no origin, and no cookies of anybody either.
    """
    headers = _headers(scope)
    origin = headers.get("origin")
    if origin is None or not config.get_option("server.enableCORS"):
        return True
    allowed = {str(other).rstrip("/").lower() for other in config.get_option("server.corsAllowedOrigins")}
    return urlsplit(origin).netloc.lower() == headers.get("host", "").lower() or origin.lower() in allowed
