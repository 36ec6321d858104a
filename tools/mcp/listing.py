"""What one MCP server offers: asked for when needed, and again when it may have changed."""

import asyncio
from typing import TYPE_CHECKING, Literal

from tools.kit.tool import ToolError
from tools.mcp.connection import Connection

if TYPE_CHECKING:
    from mcp import Client, types

Offered = dict[str, "types.Tool"]
"""A server's tools, by the names that it gives them."""

FRESH = 60.0
"""How long a list is taken for true, in seconds, when the server says nothing of changes."""

PATIENCE = 1.0
"""How long those who ask wait for a server that failed the last time, in seconds; it is asked on in the background."""

MOST = 200
"""The most tools that one server may offer."""


class Listing:
    """get() gives the tools of a server; any number of callers at once, one question to the server."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._offered: Offered | None = None
        self._asked_at = 0.0
        self._changes = 0
        self._problem = ""
        self._asking: asyncio.Task[Offered] | None = None

    async def get(self, age: Literal["known", "fresh", "new"] = "fresh") -> Offered:
        """The tools: known already, however old; fresh enough to be offered; or asked for now.

        Raises ToolError with the reason for none.
        """
        if self._offered is not None and (age == "known" or (age == "fresh" and self._is_fresh())):
            return self._offered
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask())
            self._asking.add_done_callback(lambda asking: asking.cancelled() or asking.exception())
        patience = PATIENCE if self._problem and age == "fresh" else 2 * self.connection.server.timeout + 10
        await asyncio.wait([self._asking], timeout=patience)
        if not self._asking.done():
            raise ToolError(self._problem or self._no_list())
        return self._asking.result()

    async def close(self) -> None:
        """Stop asking, and end the session."""
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.wait([self._asking])
        await self.connection.drop()

    def _is_fresh(self) -> bool:
        age = asyncio.get_running_loop().time() - self._asked_at
        return age < FRESH and self._changes == self.connection.changes

    async def _ask(self) -> Offered:
        """Ask for the list; a session that died unnoticed is opened again, once."""
        server = self.connection.server
        try:
            for _ in range(2):
                client = await self.connection.client()
                changes, now = self.connection.changes, asyncio.get_running_loop().time()
                try:
                    async with asyncio.timeout(server.timeout):
                        self._offered = await _offered(client)
                except Exception:
                    await self.connection.drop(client)
                else:
                    self._asked_at, self._changes, self._problem = now, changes, ""
                    return self._offered
            raise ToolError(f"The MCP server {server.name} did not list its tools; they are unavailable until it does.")
        except ToolError as error:
            self._problem = str(error)
            raise

    def _no_list(self) -> str:
        name = self.connection.server.name
        return f"The MCP server {name} did not list its tools; they are unavailable until it does."


async def _offered(client: "Client") -> Offered:
    offered: Offered = {}
    cursor: str | None = None
    while len(offered) < MOST:
        page = await client.list_tools(cursor=cursor, cache_mode="bypass")
        offered |= {tool.name: tool for tool in page.tools}
        cursor = page.next_cursor
        if not cursor:
            break
    return offered
