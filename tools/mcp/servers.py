"""The MCP servers that goals name: their tools, listed, filtered and run like ours."""

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import NamedTuple

from tools.kit.discovery import Toolset
from tools.kit.goal import Server
from tools.kit.tool import Tool, ToolError
from tools.mcp.arguments import check
from tools.mcp.call import call
from tools.mcp.connection import Connection
from tools.mcp.listing import Listing, Offered
from tools.mcp.names import address, may_be_of, plain_name, prefixes, tool_names
from tools.mcp.translate import effect_of, plain_schema


class GoalTools(NamedTuple):
    """A goal's tools by name, and one sentence for each server whose tools are missing now."""

    tools: dict[str, Tool]
    unavailable: list[str]


class Servers:
    """tools_of() is what the agent asks; close() ends every session. One for each worker, in one event loop."""

    def __init__(self, toolset: Toolset, environment: Mapping[str, str]) -> None:
        self._toolset = toolset
        self._servers = [server for goal in toolset.goals.values() for server in goal.servers]
        self._prefixes = prefixes(self._servers)
        self._listings = {
            address(server): Listing(Connection(server, environment)) for server in reversed(self._servers)
        }

    async def tools_of(self, goal_name: str) -> GoalTools:
        """What a goal may call now. A server that is missing takes away its own tools only."""
        goal = self._toolset.goals[goal_name]
        found: dict[str, Tool] = {}
        unavailable = []
        asked = (self._listing(server).get() for server in goal.servers)
        answers = await asyncio.gather(*asked, return_exceptions=True)
        for server, answer in zip(goal.servers, answers, strict=True):
            if isinstance(answer, ToolError):
                unavailable.append(str(answer))
            elif isinstance(answer, BaseException):
                raise answer
            else:
                found |= self._tools(server, answer)
        return GoalTools(found | {name: self._toolset.tools[name] for name in goal.tools}, unavailable)

    async def tool(self, name: str) -> Tool | None:
        """The tool of any goal's server by the name that we gave it; only the servers that it may be of are asked.

        Raises ToolError where a server that may have it is missing, or where a name of earlier times means several tools.
        """
        candidates = [server for server in self._servers if may_be_of(server, self._prefixes, name)]
        found = await self._lookup(candidates, name, known=True)
        return found or await self._lookup(candidates, name, known=False)

    async def _lookup(self, candidates: list[Server], name: str, *, known: bool) -> Tool | None:
        """Among the tools that are known already, or among those of a list asked for now."""
        found: dict[str, Tool] = {}
        missing: ToolError | None = None
        for server in candidates:
            if address(server) in found:
                continue
            try:
                offered = await self._listing(server).get("known" if known else "new")
            except ToolError as error:
                missing = error
                continue
            tools = self._tools(server, offered)
            if name in tools:
                return tools[name]
            formerly = [tool for tool, plain in self._plain_names(server, offered) if plain == name and tool in tools]
            if formerly:
                found[address(server)] = tools[formerly[0]]
        if missing is not None:
            raise missing
        if len(found) > 1:
            raise ToolError(f"More than one MCP server has a tool called {name}, so none was run. Ask for it again.")
        return next(iter(found.values()), None)

    async def close(self) -> None:
        """End every session, and with it the servers that we started."""
        await asyncio.gather(*(listing.close() for listing in self._listings.values()))

    def _listing(self, server: Server) -> Listing:
        return self._listings[address(server)]

    def _tools(self, server: Server, offered: Offered) -> dict[str, Tool]:
        connection = self._listing(server).connection
        names = tool_names(self._prefixes[address(server)], offered)
        tools: dict[str, Tool] = {}
        for name, theirs in ((name, offered[tool]) for name, tool in names.items()):
            if server.tools and theirs.name not in server.tools:
                continue
            effect = effect_of(server, theirs)
            tools[name] = Tool(
                name=name,
                description=" ".join((theirs.description or theirs.title or theirs.name).split())[:1000],
                parameters=plain_schema(theirs.input_schema),
                effect=effect,
                timeout=server.timeout,
                check=partial(check, name, theirs.input_schema),
                call=partial(call, connection, theirs.name, effect),
                vouched=server.trusted or theirs.name in server.effects,
            )
        return tools

    def _plain_names(self, server: Server, offered: Offered) -> list[tuple[str, str]]:
        """Each tool's name of now, and the one it had before names were made unique."""
        names = tool_names(self._prefixes[address(server)], offered)
        return [(name, plain_name(server.name, tool)) for name, tool in names.items()]
