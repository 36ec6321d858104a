"""One call of an MCP server's tool, and what has become of it when no answer came."""

import asyncio
from typing import TYPE_CHECKING, Any

from tools.kit.tool import Effect, ToolContext, ToolError, TryAgain
from tools.mcp.connection import Connection
from tools.mcp.translate import result_of

if TYPE_CHECKING:
    from mcp import Client, MCPError

_STATUS = -40_000
"""As in tools.mcp.http, which is imported for servers with an address only."""


async def call(
    connection: Connection, tool: str, effect: Effect, arguments: dict[str, Any], context: ToolContext
) -> object:
    """Lost before it was sent: certainly not done. Lost after: tried again, or, for `once`, unknown."""
    from mcp import MCPError

    server = connection.server.name

    async def report(progress: float, total: float | None, message: str | None) -> None:
        context.progress(message or f"{progress:g}", progress / total if total else None)

    for renewed in (False, True):
        client = await _alive(connection, effect)
        try:
            return result_of(server, await client.call_tool(tool, arguments, progress_callback=report))
        except ToolError:
            raise
        except MCPError as error:
            if error.code in (_STATUS, _STATUS - 404):  # not sent, or the server was restarted: certainly not done
                await connection.drop(client)
                if not renewed:
                    continue
            raise await _failure(connection, client, effect, error) from None
        except Exception:
            await connection.drop(client)
            raise TryAgain(f"The MCP server {server} closed the connection before it answered.") from None
    raise AssertionError("unreachable")


async def _failure(connection: Connection, client: "Client", effect: Effect, error: "MCPError") -> ToolError | TryAgain:
    """What an error of the protocol, of HTTP or of the connection means for the call."""
    from mcp.types import CONNECTION_CLOSED, REQUEST_TIMEOUT

    name = f"The MCP server {connection.server.name}"
    status = _STATUS - error.code
    if error.code == REQUEST_TIMEOUT:
        return TryAgain(f"{name} did not answer in time.")
    if error.code == CONNECTION_CLOSED or status == 1:
        await connection.drop(client)
        return TryAgain(f"{name} closed the connection before it answered.")
    if status in (0, 404, 429):
        reason = f"{name} {'is limiting requests' if status == 429 else 'cannot be reached'} for now."
        return ToolError(f"{reason} Nothing was done.") if effect == "once" else TryAgain(reason)
    if status in (408, *range(500, 600)):
        return TryAgain(f"{name}, or a gateway before it, failed to answer (status {status}).")
    if status in range(400, 500):
        return ToolError(f"{name} rejected the call (status {status}).")
    return ToolError(f"{name} rejected the call: {error.message[:300].rstrip('.')}.")


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
