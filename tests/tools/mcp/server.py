"""An MCP server for the tests: `python server.py` speaks over stdio, `python server.py PORT` over streamable HTTP.

NOTES is the file that its tools with effects write to; TOKEN is shown by `whoami` as far as one may.
"""

import os
import sys
from pathlib import Path

import anyio
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import ToolAnnotations

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


if __name__ == "__main__":
    if len(sys.argv) > 1:
        server.run("streamable-http", host="127.0.0.1", port=int(sys.argv[1]))
    else:
        server.run("stdio")
