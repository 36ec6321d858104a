"""From an MCP server's description of a tool, and from its answer, to ours."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tools.kit.goal import Server
from tools.kit.schema import target
from tools.kit.tool import Effect, ToolError

if TYPE_CHECKING:
    from mcp import types

_LEFT_OUT = ("$schema", "$id", "$anchor", "$comment", "$ref", "$defs", "definitions")
_NODES = 2_000
_LONGEST = 50_000
"""Every proposal keeps the schema, so a longer one, in bytes, is not shown; the server checks its arguments anyway."""


def effect_of(server: Server, tool: "types.Tool") -> Effect:
    """What the goal's file says, else the server's hints; `once` when nothing is said."""
    if tool.name in server.effects:
        return server.effects[tool.name]
    hints = tool.annotations
    if hints is not None and hints.read_only_hint:
        return "read"
    return "idempotent" if hints is not None and hints.idempotent_hint else "once"


def result_of(server: str, answer: "types.CallToolResult") -> Any:
    """What the tool returned: its structure, else its text, with the resources and links that came with it.

    Raises ToolError with its words when it failed.
    """
    parts = [_part(part) for part in answer.content]
    texts = [part for part in parts if isinstance(part, str)]
    others = [part for part in parts if not isinstance(part, str)]
    if answer.is_error:
        words = " ".join(" ".join(texts).split())[:300] or "no reason given"
        raise ToolError(f"The MCP server {server} reported an error: {words.rstrip('.')}.")
    structure = answer.structured_content
    if structure is not None:
        result = structure["result"] if isinstance(structure, dict) and set(structure) == {"result"} else structure
        return {"result": result, "content": others} if others else result
    if not others:
        return _structure("\n".join(texts))
    whole = [{"text": part} if isinstance(part, str) else part for part in parts]
    return whole[0] if len(whole) == 1 else whole


def _part(part: Any) -> str | dict[str, Any]:
    """One piece of content; what is no text keeps its address, and of what it is."""
    match part.type:
        case "text":
            return str(part.text)
        case "resource":
            content = {
                "url": part.resource.uri,
                "type": part.resource.mime_type,
                "text": getattr(part.resource, "text", None),
            }
        case "resource_link":
            content = {
                "name": part.title or part.name,
                "url": part.uri,
                "type": part.mime_type,
                "description": part.description,
            }
        case _:
            content = {"type": getattr(part, "mime_type", None) or part.type}
    if content.get("text") is None and part.type != "resource_link":
        size = len(getattr(part, "data", "") or getattr(getattr(part, "resource", None), "blob", "") or "")
        content["note"] = f"{size * 3 // 4:,} bytes, not shown"
    return {name: value for name, value in content.items() if value is not None}


def _structure(text: str) -> Any:
    """The object or the list that a text is; any other text as it is, for 19.90 is not 19.9."""
    if not text.lstrip().startswith(("{", "[")):
        return text
    try:
        return json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return text


def _refuse(constant: str) -> None:
    raise ValueError(constant)  # NaN, say


def plain_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A server's schema as every model reads it: references replaced by what they point to, and the forms of it that
    providers refuse (`true`, lists of items, references into nowhere, to other documents or back) by `{}`."""
    plain = _plain(schema, schema, (), [_NODES])
    if len(json.dumps(plain, default=str)) > _LONGEST:
        plain = {}
    plain.setdefault("type", "object")
    if not isinstance(plain.get("properties"), dict):
        plain["properties"] = {}
    return plain


def _plain(node: Any, root: Mapping[str, Any], inside: tuple[str, ...], left: list[int]) -> dict[str, Any]:
    left[0] -= 1
    if not isinstance(node, Mapping) or left[0] < 0:
        return {}
    found: dict[str, Any] = {}
    reference = node.get("$ref")
    if isinstance(reference, str) and reference not in inside:
        found = _plain(target(reference, root), root, (*inside, reference), left)
    for key, value in node.items():
        if key in _LEFT_OUT:
            continue
        if key == "properties":
            if isinstance(value, Mapping):
                found[key] = {name: _plain(part, root, inside, left) for name, part in value.items()}
        elif key in ("anyOf", "oneOf", "allOf"):
            if isinstance(value, list):
                found[key] = [_plain(part, root, inside, left) for part in value]
        elif key in ("items", "additionalProperties"):
            found[key] = value if value is False else _plain(value, root, inside, left)
        else:
            found[key] = value
    return found
