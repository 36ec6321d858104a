"""/healthz and /readyz: whether this process lives, and whether it can do its work now.

The answers are for load balancers, probes and whoever else can reach the port: they hold no names and no addresses.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from agent.errors import ChatError, SettingsError

FRESH = 1.0
"""Seconds for which the last answer of the server is told again: nobody can reach it more often through us."""

PATIENCE = 3.0
"""Seconds that the server has for an answer; probes wait hardly longer."""

LIVES = (200, "alive\n")
_REASONS = {200: "OK", 404: "Not Found", 503: "Service Unavailable"}


class Readiness:
    """Ready while `check` raises no ChatError and no SettingsError, and not `stopping`."""

    def __init__(self, check: Callable[[], Awaitable[None]], stopping: Callable[[], bool] = lambda: False) -> None:
        self._check, self._stopping = check, stopping
        self._checked, self._problem = -FRESH, ""
        self._one_at_a_time = asyncio.Lock()

    async def answer(self) -> tuple[int, str]:
        """Status and text of /readyz."""
        if self._stopping():
            return 503, "stopping: finishing what is under way\n"
        async with self._one_at_a_time:
            if time.monotonic() - self._checked >= FRESH:
                self._problem = await self._ask()
                self._checked = time.monotonic()
        return (503, f"not ready: {self._problem}\n") if self._problem else (200, "ready\n")

    async def _ask(self) -> str:
        try:
            async with asyncio.timeout(PATIENCE):
                await self._check()
        except SettingsError:
            return "its settings cannot be used, and its log says why"
        except (ChatError, TimeoutError):
            return "the Temporal server cannot be reached"
        return ""


@asynccontextmanager
async def served(address: str, readiness: Readiness) -> AsyncIterator[None]:
    """Answer at host:port while the body runs; "": nowhere. Raises SettingsError when the port is taken."""
    if not address:
        yield
        return
    host, _, port = address.rpartition(":")

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, ValueError, TimeoutError):
            async with asyncio.timeout(2 * PATIENCE):
                path = (await reader.readline()).split(b" ")[1:2]
                while (await reader.readline()).strip():
                    pass
                status, text = 404, "only /healthz and /readyz\n"
                if path == [b"/healthz"]:
                    status, text = LIVES
                elif path == [b"/readyz"]:
                    status, text = await readiness.answer()
                head = (
                    f"HTTP/1.1 {status} {_REASONS[status]}\r\nContent-Type: text/plain\r\nContent-Length: {len(text)}"
                )
                writer.write(f"{head}\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n{text}".encode())
                await writer.drain()
        writer.close()

    try:
        server = await asyncio.start_server(answer, host.strip("[]"), int(port))
    except OSError:
        raise SettingsError(
            f"HEALTH_ADDRESS {address} cannot be listened on. Name a free port of this machine."
        ) from None
    async with server:
        yield
