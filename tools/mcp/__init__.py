"""The tools of MCP servers, made into tools like ours. Nothing here imports the package `mcp` before a goal needs it."""

from tools.mcp.servers import Servers

__all__ = ["Servers"]
