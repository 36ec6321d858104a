"""What runs as long as the page's process does: it starts server and worker, and the terminal shows how far they are.

Only what the server needs to listen is imported at once. The rest takes a second, and is imported while the browser loads.
"""

import asyncio
import logging
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import streamlit as st
import streamlit.logger
from streamlit import cli_util, config
from streamlit.web.server import server_util

from agent.page.access import PARAMETER, TOKEN_FILE, Owner
from agent.page.codec_server import codec_token

if TYPE_CHECKING:
    from agent.page.app import PageApp
    from agent.page.visitors import BrowserCookie
    from agent.settings import Settings

_LOG = logging.getLogger(__name__)
_IMPORTING = threading.Lock()
LISTENING = 30.0
"""Seconds within which the page has to listen for the browser to be opened."""


@asynccontextmanager
async def lifespan(_app: Any) -> AsyncIterator[dict[str, Any]]:
    """Start before the first browser connects, and release at the end. Where it is not run, the first visit starts all."""
    opens_browser = not config.get_option("server.headless")
    config.set_option("server.headless", True)  # Streamlit would open the page without the owner's token
    starting = asyncio.create_task(_start(opens_browser))
    try:
        yield {}
    finally:
        starting.cancel()
        from agent import local

        local.release()


async def _start(opens_browser: bool) -> None:
    app, _ = await asyncio.to_thread(_load)
    await asyncio.to_thread(app.ensure_started)
    _log_as(app.settings)
    await asyncio.gather(report_start(app), _announce(app, opens_browser))


def _load() -> tuple["PageApp", Callable[["PageApp"], None]]:
    """The app of this process, and what draws it. One thread at a time imports them: two at once break temporalio's
    protocol buffers."""
    with _IMPORTING:
        from agent.page.app import page_app
        from agent.page.screen import draw

        return page_app(), draw  # two threads at once would make two of it


def page() -> "PageApp":
    """The app of this process."""
    return _load()[0]


def owner() -> Owner:
    """Recognizes the owner's browser."""
    return page().owner


def visitor_cookie() -> "BrowserCookie":
    """Recognizes the browsers of visitors."""
    return page().visitor_cookie


def draw_page() -> None:
    """One run of the script."""
    app, draw = _load()
    draw(app)


def draw_failure(error: Exception) -> bool:
    """Instead of a traceback, which is nothing for visitors: one sentence."""
    _LOG.error("The page failed", exc_info=error)
    st.error("This page failed because of an internal error; its log has the details. Reload it to try again.")
    return True


async def report_start(app: "PageApp") -> None:
    """Print each step of the start until server and worker run, or one sentence on why they do not."""
    from agent import local
    from agent.errors import StartFailed
    from agent.settings import settings_source

    _print(settings_source())
    if app.problem:
        _print(app.problem)
        return
    try:
        await local.wait_ready(app.settings, _print)
    except StartFailed as error:
        _print(str(error))


async def _announce(app: "PageApp", opens_browser: bool) -> None:
    """Print the owner's address once the page listens, and open a browser there unless it runs headless."""
    host = _host()
    deadline = time.monotonic() + LISTENING
    while time.monotonic() < deadline:
        if await _listens(host, config.get_option("server.port")):
            break
        await asyncio.sleep(0.05)
    base = server_util.get_url(f"[{host}]" if ":" in host else host).rstrip("/")
    address = f"{base}/?{PARAMETER}={app.owner.token}"
    from agent import logs

    if logs.are_json():  # a log collector is no place for a token
        _print(f"Open {base}. As the owner: add ?{PARAMETER}= and the token in {app.settings.home / TOKEN_FILE}.")
    else:
        _print(f"Open {address}\n  It shows you all chats; whoever opens {base} sees only the chats that they start.")
        if app.settings.payload_keys:
            endpoint = f"{base}/codec/{codec_token(app.owner.token)}"
            _print(f"Chats are encrypted. To read them in Temporal's Web UI, set its codec server to {endpoint}")
    if opens_browser:
        await asyncio.to_thread(cli_util.open_browser, address)


def _host() -> str:
    """The name under which a browser on this machine reaches the page."""
    address = config.get_option("browser.serverAddress") if config.is_manually_set("browser.serverAddress") else None
    address = str(address or config.get_option("server.address") or "")
    return "127.0.0.1" if address in ("", "0.0.0.0", "::") else address  # noqa: S104 - compared, not bound


async def _listens(host: str, port: int) -> bool:
    with suppress(OSError):
        _, writer = await asyncio.open_connection(host, port)
        writer.close()
        return True
    return False


def _log_as(settings: "Settings") -> None:
    """Log as the settings say. With LOG_FORMAT=json Streamlit's own lines go the same way."""
    from agent import logs

    logs.set_up(settings)
    if settings.log_format == "json":
        streamlit.logger.setup_formatter = lambda logger: setattr(logger, "propagate", True)


def _print(sentence: str) -> None:
    """One line for the terminal, at once."""
    from agent import logs

    if logs.are_json():
        _LOG.info("%s", sentence)
        return
    sys.stdout.write(f"  {sentence}\n")
    sys.stdout.flush()
