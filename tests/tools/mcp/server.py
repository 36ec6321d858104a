"""An MCP server for the tests: `python server.py` speaks over stdio, `python server.py PORT` over streamable HTTP,
`python server.py PORT sessions` in the versions of the protocol that have sessions.

NOTES is the file that its tools with effects write to; TOKEN is shown by `whoami` as far as one may.
"""

import json
import os
import sys
from pathlib import Path

import anyio
import uvicorn
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import EmbeddedResource, ResourceLink, TextContent, TextResourceContents, ToolAnnotations
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Message, Receive, Scope, Send

server = MCPServer("notes")
NOTES = Path(os.environ["NOTES"])


def write(line: str) -> None:
    with NOTES.open("a") as notes:
        notes.write(line + "\n")


@server.tool(annotations=ToolAnnotations(read_only_hint=True))
def count(word: str, times: int = 1) -> dict[str, int]:
    """Count the letters of a word."""
    return {"letters": len(word) * times}


@server.tool(annotations=ToolAnnotations(idempotent_hint=True))
def put(line: str) -> str:
    """Write a line unless it is there."""
    write(line)
    return f"wrote {line}"


@server.tool()
def add(line: str) -> str:
    """Add a line."""
    write(line)
    return "added"


@server.tool()
async def add_slowly(line: str) -> str:
    """Add a line, and answer much later."""
    write(line)
    await anyio.sleep(60)
    return "added"


@server.tool(annotations=ToolAnnotations(read_only_hint=True))
def fail(text: str) -> str:
    """Fail."""
    raise ToolError(f"{text} with {os.environ.get('TOKEN', '')}")


@server.tool(annotations=ToolAnnotations(read_only_hint=True))
def whoami() -> dict[str, bool]:
    """Say what the server was given."""
    return {"token": os.environ.get("TOKEN") == "token-0123456789", "path": "PATH" in os.environ, "secret": "OTHER_SECRET" in os.environ}  # fmt: skip


@server.tool(annotations=ToolAnnotations(read_only_hint=True))
async def work(context: Context) -> str:
    """Work, and say how far it is."""
    await context.report_progress(1, 2, "half way")
    return "done"


@server.tool(annotations=ToolAnnotations(read_only_hint=True))
def pid() -> int:
    """Give the server's process."""
    return os.getpid()


@server.tool(annotations=ToolAnnotations(read_only_hint=True), structured_output=False)
def price() -> str:
    """Give a price."""
    return "19.90"


@server.tool(structured_output=False)
def write_much(line: str) -> str:
    """Write a line, and return 3 MB."""
    write(line)
    return "x" * 3_000_000


@server.tool(annotations=ToolAnnotations(read_only_hint=True), structured_output=False)
def look_up() -> list[TextContent | EmbeddedResource | ResourceLink]:
    """Give a text, a page and a link."""
    page = TextResourceContents(uri="notes://1", mime_type="text/plain", text="The page.")
    return [
        TextContent(text="Found."),
        EmbeddedResource(resource=page),
        ResourceLink(name="more", uri="https://example.com/more"),
    ]


@server.tool(annotations=ToolAnnotations(read_only_hint=True))
async def grow(context: Context) -> str:
    """Offer one more tool from now on."""

    def late() -> str:
        """Come late."""
        return "late"

    server.add_tool(late, annotations=ToolAnnotations(read_only_hint=True))
    await context.notify_tools_changed()
    if "sessions" in sys.argv:
        await context.session.send_tool_list_changed()
    return "grown"


class WithSessions:
    """The server as one of an earlier protocol: it does not know how to be discovered, so it is initialized."""

    def __init__(self) -> None:
        self._app = server.streamable_http_app()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST":
            return await self._app(scope, receive, send)
        body = await Request(scope, receive).body()
        message = json.loads(body)
        if message.get("method") == "server/discover":
            error = {"code": -32601, "message": "Method not found"}
            return await JSONResponse({"jsonrpc": "2.0", "id": message["id"], "error": error})(scope, receive, send)
        parts: list[Message] = [{"type": "http.request", "body": body}]

        async def replay() -> Message:
            return parts.pop() if parts else await receive()

        return await self._app(scope, replay, send)


if __name__ == "__main__":
    match sys.argv[1:]:
        case [port, "sessions"]:
            uvicorn.run(WithSessions(), host="127.0.0.1", port=int(port), log_level="warning")
        case [port]:
            server.run("streamable-http", host="127.0.0.1", port=int(port))
        case _:
            server.run("stdio")
