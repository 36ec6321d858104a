"""The tools and goals of the agent. One file here is one tool; one file in goals/ is one goal.

A tool is one typed function with a docstring and `@tool(effect=...)`: its name, its description and the schema of its
arguments are derived from it. Whatever lies in a sub-directory, or begins with an underscore, is no tool.
"""

from tools.kit.define import tool
from tools.kit.discovery import Toolset, load
from tools.kit.goal import Goal, Server
from tools.kit.tool import Effect, InvalidArguments, Returned, Tool, ToolContext, ToolError, TryAgain

__all__ = [
    "Effect",
    "Goal",
    "InvalidArguments",
    "Returned",
    "Server",
    "Tool",
    "ToolContext",
    "ToolError",
    "Toolset",
    "TryAgain",
    "load",
    "tool",
]
