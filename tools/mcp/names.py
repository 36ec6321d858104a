"""The names under which the model, and the chat's history, know the tools of MCP servers: each leads to one tool."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping

from tools.kit.goal import Server
from tools.kit.tool import RESERVED

LONGEST = 64


def address(server: Server) -> str:
    """What tells two servers apart: how they are reached, not what a goal uses of them."""
    return server.model_dump_json(include={"name", "command", "url", "env", "headers"})


def prefixes(servers: Iterable[Server]) -> dict[str, str]:
    """How the names of a server's tools begin, by its address: with its name. Where that could be another's (the same
    name in two goals, or `a` beside `a_b`, whose tools `b_c` and `c` would both be `a_b_c`), a digest follows."""
    names = {address(server): server.name for server in servers}

    def alone(key: str) -> bool:
        mine = f"{names[key]}_"
        others = [f"{name}_" for other, name in names.items() if other != key]
        return not any(mine.startswith(other) or other.startswith(mine) for other in others)

    return {key: name if alone(key) else f"{name}_{_digest(key)}" for key, name in names.items()}


def tool_names(prefix: str, tools: Iterable[str]) -> dict[str, str]:
    """The name of each of a server's tools, by ours: `wiki` and `pages/search` -> wiki_pages_search."""
    plain = {tool: plain_name(prefix, tool) for tool in tools}
    count = Counter(plain.values())
    return {
        name if count[name] == 1 and name not in RESERVED else f"{name[: LONGEST - 7]}_{_digest(tool)}": tool
        for tool, name in plain.items()
    }


def plain_name(prefix: str, tool: str) -> str:
    """The name without a digest, as chats of earlier versions may know it."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", f"{prefix}_{tool}")[:LONGEST]


def may_be_of(server: Server, prefixes: Mapping[str, str], name: str) -> bool:
    """Whether the name can be one of this server's."""
    return name.startswith((f"{prefixes[address(server)]}_", f"{server.name}_"))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:6]
