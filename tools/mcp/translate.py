"""From an MCP server's description of a tool, and from its answer, to ours."""

import importlib
import json
import re
from typing import TYPE_CHECKING, Any

from tools.kit.arguments import prepare
from tools.kit.goal import Server
from tools.kit.tool import Effect, InvalidArguments, ToolError

if TYPE_CHECKING:
    from mcp import types


def tool_name(server: str, tool: str) -> str:
    """`wiki` and `pages/search` -> `wiki_pages_search`: no two servers' tools are taken for each other, or for ours."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", f"{server}_{tool}")[:64]


def effect_of(server: Server, tool: "types.Tool") -> Effect:
    """What the goal's file says, else the server's hints; `once` when nothing is said."""
    if tool.name in server.effects:
        return server.effects[tool.name]
    hints = tool.annotations
    if hints is not None and hints.read_only_hint:
        return "read"
    return "idempotent" if hints is not None and hints.idempotent_hint else "once"


def check(name: str, schema: dict[str, Any], arguments: object) -> dict[str, Any]:
    """The arguments if they fit the server's schema; raises InvalidArguments with what is missing and what is wrong."""
    if not isinstance(arguments, dict):
        raise InvalidArguments(name, wrong={"": "its arguments must be one JSON object"})
    properties = schema.get("properties", {})
    given = {
        argument: _number(prepare(value, properties.get(argument, {})), properties.get(argument, {}))
        for argument, value in arguments.items()
        if value is not None and not (isinstance(value, str) and not value.strip())
    }
    missing = [argument for argument in schema.get("required", ()) if argument not in given]
    jsonschema = importlib.import_module("jsonschema")
    referencing = importlib.import_module("referencing")
    wrong: dict[str, str] = {}
    # an empty registry: a schema that points to an address makes us fetch nothing
    for error in jsonschema.Draft202012Validator(schema, registry=referencing.Registry()).iter_errors(given):
        if error.validator != "required" or error.path:
            path = ".".join(str(part) for part in error.path)
            wrong.setdefault(str(error.path[0]) if error.path else "", f"{path or 'it'}: {error.message[:200]}")
    if missing or wrong:
        raise InvalidArguments(name, missing, wrong)
    return given


def result_of(server: str, answer: "types.CallToolResult") -> Any:
    """What the tool returned, as JSON; raises ToolError with its words when it failed."""
    texts = [part.text if part.type == "text" else f"({part.type})" for part in answer.content]
    if answer.is_error:
        said = " ".join(" ".join(texts).split())[:300] or "no reason given"
        raise ToolError(f"The MCP server {server} reported an error: {said.rstrip('.')}.")
    if answer.structured_content is not None:
        structured = answer.structured_content
        return structured["result"] if isinstance(structured, dict) and set(structured) == {"result"} else structured
    text = "\n".join(texts)
    try:
        return json.loads(text)
    except ValueError:
        return text


def _number(value: Any, schema: dict[str, Any]) -> Any:
    """A number or a yes that was typed as text."""
    if not isinstance(value, str) or schema.get("type") not in ("integer", "number", "boolean"):
        return value
    try:
        read = json.loads(value.strip().lower())
    except ValueError:
        return value
    return read if isinstance(read, int | float) else value
