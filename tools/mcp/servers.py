"""The MCP servers that goals name: their tools, listed, filtered and run like ours."""

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from tools.kit.discovery import Toolset
from tools.kit.goal import Server
from tools.kit.tool import Effect, Tool, ToolContext, ToolError, TryAgain
from tools.mcp.connection import Connection
from tools.mcp.translate import check, effect_of, result_of, tool_name

if TYPE_CHECKING:
    from mcp import Client

FRESH = 60.0
"""How long a server's list of tools is taken for true, in seconds."""

MOST = 200
"""The most tools that one server may offer."""


class Servers:
    """tools_of() is what the agent asks; close() ends every session. One for each worker, in one event loop."""

    def __init__(self, toolset: Toolset, environment: Mapping[str, str]) -> None:
        self._toolset = toolset
        self._environment = environment
        self._connections: dict[str, Connection] = {}
        self._listed: dict[str, tuple[float, dict[str, Tool]]] = {}

    async def tools_of(self, goal_name: str) -> dict[str, Tool]:
        """Every tool of a goal by name. Raises ToolError naming the server that is missing."""
        goal = self._toolset.goals[goal_name]
        found = {name: self._toolset.tools[name] for name in goal.tools}
        for listed in await asyncio.gather(*(self._tools(server) for server in goal.servers)):
            found = listed | found
        return found

    async def tool(self, name: str) -> Tool | None:
        """The tool of any goal's server by the name that we gave it; only the servers that it may be of are asked."""
        for goal in self._toolset.goals.values():
            for server in goal.servers:
                if name.startswith(tool_name(server.name, "")) and name in (tools := await self._tools(server)):
                    return tools[name]
        return None

    async def close(self) -> None:
        """End every session, and with it the servers that we started."""
        await asyncio.gather(*(connection.drop() for connection in self._connections.values()))

    async def _tools(self, server: Server) -> dict[str, Tool]:
        key = server.model_dump_json()
        connection = self._connections.setdefault(key, Connection(server, self._environment))
        now = asyncio.get_running_loop().time()
        listed_at, tools = self._listed.get(key, (-FRESH, {}))
        if now - listed_at >= FRESH:
            tools = await self._list(connection)
            self._listed[key] = now, tools
        return tools

    async def _list(self, connection: Connection) -> dict[str, Tool]:
        """Ask for the list; a session that died unnoticed is opened again, once."""
        server = connection.server
        for _ in range(2):
            client = await connection.client()
            try:
                async with asyncio.timeout(server.timeout):
                    return await _listing(connection, client)
            except Exception:
                await connection.drop(client)
        raise ToolError(f"The MCP server {server.name} did not list its tools; they are unavailable until it does.")


async def _listing(connection: Connection, client: "Client") -> dict[str, Tool]:
    server = connection.server
    tools: dict[str, Tool] = {}
    cursor: str | None = None
    while len(tools) < MOST:
        page = await client.list_tools(cursor=cursor, cache_mode="bypass")
        for theirs in page.tools:
            if server.tools and theirs.name not in server.tools:
                continue
            name, effect = tool_name(server.name, theirs.name), effect_of(server, theirs)
            schema = {"properties": {}, **theirs.input_schema}
            tools[name] = Tool(
                name=name,
                description=" ".join((theirs.description or theirs.title or theirs.name).split())[:1000],
                parameters=schema,
                effect=effect,
                timeout=server.timeout,
                check=partial(check, name, schema),
                call=partial(_call, connection, theirs.name, effect),
            )
        cursor = page.next_cursor
        if not cursor:
            break
    return tools


async def _call(
    connection: Connection, tool: str, effect: Effect, arguments: dict[str, Any], context: ToolContext
) -> object:
    """One call. Lost before it was sent: certainly not done. Lost after: tried again, or, for `once`, unknown."""
    from mcp import MCPError
    from mcp.types import CONNECTION_CLOSED, REQUEST_TIMEOUT

    server = connection.server.name

    async def report(progress: float, total: float | None, message: str | None) -> None:
        context.progress(message or f"{progress:g}", progress / total if total else None)

    client = await _alive(connection, effect)
    try:
        answer = await client.call_tool(tool, arguments, progress_callback=report)
    except MCPError as error:
        if error.code == REQUEST_TIMEOUT:
            raise TryAgain(f"The MCP server {server} did not answer in time.") from None
        if error.code == CONNECTION_CLOSED:
            await connection.drop(client)
            raise TryAgain(f"The MCP server {server} closed the connection before it answered.") from None
        raise ToolError(f"The MCP server {server} refused the call: {error.message[:300].rstrip('.')}.") from None
    except Exception:
        await connection.drop(client)
        raise TryAgain(f"The MCP server {server} closed the connection before it answered.") from None
    return result_of(server, answer)


async def _alive(connection: Connection, effect: Effect) -> "Client":
    """The session. Before a call that must not be made twice it is tried out, so that a dead one is known in time."""
    try:
        client = await connection.client()
        if effect != "once":
            return client
        try:
            async with asyncio.timeout(connection.server.timeout / 2):
                await client.list_tools(cache_mode="bypass")
        except Exception:
            await connection.drop(client)
            client = await connection.client()
        return client
    except ToolError as error:
        if effect == "once":
            raise ToolError(f"{error} Nothing was done.") from None
        raise TryAgain(str(error)) from None
