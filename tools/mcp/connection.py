"""One session with one MCP server: opened at first use, kept, and opened again after it was lost."""

import asyncio
import contextlib
import importlib
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO
from urllib.parse import urlsplit

from tools.kit.goal import Server
from tools.kit.tool import ToolError, seconds

if TYPE_CHECKING:
    from mcp import Client

PAUSE = 3.0
"""How long a server that could not be reached is left alone, in seconds; those who ask meanwhile get the same answer."""

_GOODBYE = 5.0

_LISTENING = "2026-07-28"
"""The first version of the protocol in which changes are subscribed to."""

_LARGEST_EVENT = 32_000_000
"""In bytes. A result that is too large to keep is read all the same: the call has happened."""


class Connection:
    """client() gives the session; drop() ends it. Any number of callers at once.

    changes: how often the server has said that its list of tools changed.
    """

    def __init__(self, server: Server, environment: Mapping[str, str]) -> None:
        self.server = server
        self._environment = environment
        self._lock = asyncio.Lock()
        self._client: Client | None = None
        self._owner: asyncio.Task[None] | None = None
        self._stop = asyncio.Event()
        self._missing = ""
        self._ask_again = 0.0
        self.changes = 0

    async def client(self) -> "Client":
        """The open session; raises ToolError with the reason when there can be none now."""
        loop = asyncio.get_running_loop()
        async with self._lock:
            if self._client is not None and self._owner is not None and not self._owner.done():
                return self._client
            if loop.time() < self._ask_again:
                raise ToolError(self._missing)
            try:
                self._client = await self._open()
            except ToolError as error:
                self._missing, self._ask_again = str(error), loop.time() + PAUSE
                raise
            return self._client

    async def drop(self, client: "Client | None" = None) -> None:
        """End the session, or only the one given: another may have been opened since."""
        async with self._lock:
            if self._owner is None or (client is not None and client is not self._client):
                return
            owner, self._owner, self._client = self._owner, None, None
            self._stop.set()
            await asyncio.wait([owner], timeout=_GOODBYE)
            owner.cancel()
            await asyncio.wait([owner])

    async def _open(self) -> "Client":
        """A session lives in a task of its own, because it has to be left by the task that entered it."""
        where = await self._where()
        opened: asyncio.Future[Client] = asyncio.get_running_loop().create_future()
        self._stop = asyncio.Event()
        self._owner = asyncio.create_task(self._live(where, opened, self._stop))
        try:
            async with asyncio.timeout(self.server.timeout):
                return await asyncio.shield(opened)
        except TimeoutError:
            await self._give_up()
            raise ToolError(
                f"The MCP server {self.server.name} did not answer within {seconds(self.server.timeout)}. "
                f"Its tools are unavailable until it does."
            ) from None
        except Exception:
            raise ToolError(self._cannot_be_reached()) from None
        except asyncio.CancelledError:
            await self._give_up()
            raise

    async def _give_up(self) -> None:
        if self._owner is not None:
            self._owner.cancel()
            await asyncio.wait([self._owner])

    async def _live(self, where: dict[str, Any], opened: "asyncio.Future[Client]", stop: asyncio.Event) -> None:
        mcp = importlib.import_module("mcp")
        try:
            async with contextlib.AsyncExitStack() as stack:
                transport = await self._transport(where, stack)
                client = await stack.enter_async_context(mcp.Client(transport, message_handler=self._notice))
                # a call that was answered has happened: its result is no less one when it breaks the server's own schema
                setattr(client.session, "validate_tool_result", _accept)  # noqa: B010
                stack.push_async_callback(_cancel, asyncio.create_task(self._follow(client)))
                opened.set_result(client)
                await stop.wait()
        except Exception as error:
            if not opened.done():
                opened.set_exception(error)
        finally:
            if not opened.done():
                opened.set_exception(ConnectionError())
            opened.exception()  # seen, whether or not anybody still waits for it

    async def _notice(self, message: object) -> None:
        """A server of an earlier protocol says so in a notification."""
        if getattr(message, "method", "") == "notifications/tools/list_changed":
            self.changes += 1

    async def _follow(self, client: "Client") -> None:
        """A server of the newer protocol tells those who ask for it."""
        capability = client.server_capabilities.tools
        if capability is None or not capability.list_changed or client.protocol_version < _LISTENING:
            return
        with contextlib.suppress(Exception):
            async with client.listen(tools_list_changed=True) as events:
                async for _ in events:
                    self.changes += 1

    async def _where(self) -> dict[str, Any]:
        """How to reach the server, with the variables that it names filled in; the slow import is done aside."""
        await asyncio.to_thread(importlib.import_module, "mcp")
        server = self.server
        if server.url:
            return {"headers": {name: self._filled(value) for name, value in server.headers.items()}}
        if shutil.which(server.command[0], path=self._environment.get("PATH")) is None:
            raise ToolError(self._cannot_be_reached())
        command = [self._filled(word) for word in server.command]
        return {"command": command, "env": {name: self._filled(value) for name, value in server.env.items()}}

    async def _transport(self, where: dict[str, Any], stack: contextlib.AsyncExitStack) -> Any:
        if self.server.url:
            httpx2 = importlib.import_module("httpx2")
            streamable = importlib.import_module("mcp.client.streamable_http").streamable_http_client
            from tools.mcp.http import StatusClient

            http = StatusClient(headers=where["headers"], timeout=httpx2.Timeout(30, read=300))
            client = await stack.enter_async_context(http)
            return streamable(self.server.url, http_client=client, max_sse_event_size=_LARGEST_EVENT)
        stdio = importlib.import_module("mcp.client.stdio")
        command, *rest = where["command"]
        silence: TextIO = stack.enter_context(Path(os.devnull).open("w"))  # noqa: ASYNC230, SIM115 its log may hold keys
        return stdio.stdio_client(stdio.StdioServerParameters(command=command, args=rest, env=where["env"]), silence)

    def _filled(self, text: str) -> str:
        def value(match: re.Match[str]) -> str:
            if not (found := self._environment.get(match[1])):
                raise ToolError(
                    f"The MCP server {self.server.name} needs the variable {match[1]}. Put it in .env and restart the worker."
                )
            return found

        return re.sub(r"\$\{(\w+)\}", value, text)

    def _cannot_be_reached(self) -> str:
        if self.server.url:
            address = urlsplit(self.server.url)
            reached = f"cannot be reached at {address.scheme}://{address.hostname}:{address.port or address.scheme}"
        else:
            reached = f"cannot be started with the program {self.server.command[0]}"
        return f"The MCP server {self.server.name} {reached}. Its tools are unavailable until it can."


async def _accept(name: str, result: object) -> None:
    """Any result."""


async def _cancel(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.wait([task])
