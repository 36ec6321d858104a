"""What runs as long as the page's process does: it starts server and worker, and the terminal shows how far they are."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from streamlit import cli_util, config
from streamlit.web.server import server_util

from agent import local
from agent.errors import StartFailed
from agent.page.access import PARAMETER
from agent.page.app import PageApp, page_app
from agent.settings import settings_source

LISTENING = 30.0
"""Seconds within which the page has to listen for the browser to be opened."""


@asynccontextmanager
async def lifespan(_app: Any) -> AsyncIterator[dict[str, Any]]:
    """Start before the first browser connects, and release at the end. Where it is not run, the first visit starts all."""
    opens_browser = not config.get_option("server.headless")
    config.set_option("server.headless", True)  # Streamlit would open the page without the owner's token
    app = page_app()
    tasks = [asyncio.create_task(report_start(app)), asyncio.create_task(_announce(app, opens_browser))]
    try:
        yield {}
    finally:
        for task in tasks:
            task.cancel()
        local.release()


async def report_start(app: PageApp) -> None:
    """Print each step of the start until server and worker run, or one sentence on why they do not."""
    _print(settings_source())
    await asyncio.to_thread(app.ensure_started)
    if app.problem:
        _print(app.problem)
        return
    try:
        await local.wait_ready(app.settings, _print)
    except StartFailed as error:
        _print(str(error))


async def _announce(app: PageApp, opens_browser: bool) -> None:
    """Print the owner's address once the page listens, and open a browser there unless it runs headless."""
    host = _host()
    deadline = time.monotonic() + LISTENING
    while time.monotonic() < deadline:
        if await _listens(host, config.get_option("server.port")):
            break
        await asyncio.sleep(0.05)
    await asyncio.to_thread(app.ensure_started)
    base = server_util.get_url(f"[{host}]" if ":" in host else host).rstrip("/")
    address = f"{base}/?{PARAMETER}={app.owner.token}"
    _print(f"Open {address}\n  It shows you all chats; whoever opens {base} sees only the chats that they start.")
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


def _print(sentence: str) -> None:
    """One line for the terminal, at once."""
    sys.stdout.write(f"  {sentence}\n")
    sys.stdout.flush()
