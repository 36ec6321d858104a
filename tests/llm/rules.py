"""What OpenAI and Anthropic refuse with status 400, rule by rule, each with the place that says so. For the stub."""

import re
from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator, SchemaError  # type: ignore[import-untyped]

Json = dict[str, Any]

OPENAI = "platform.openai.com/docs/api-reference/chat/create"
ANTHROPIC = "docs.anthropic.com/en/api/messages"


def wrong_with(path: str, body: Json) -> Json | None:
    """The provider's answer to a request that breaks one of its rules; None for a good one."""
    if path.endswith("/messages"):
        wrong = next(_anthropic(body), "")
        error = {"type": "invalid_request_error", "message": wrong}
        return {"type": "error", "error": error, "request_id": "req_011CSHoEeqs5C35K2UUqR7Fy"} if wrong else None
    found = next(_openai(body), None)
    if found is None:
        return None
    message, param, code = found
    return {"error": {"message": message, "type": "invalid_request_error", "param": param, "code": code}}


def missing_model(path: str, model: str) -> Json:
    """The body of a 404 for a model that does not exist.

    OpenAI: platform.openai.com/docs/guides/error-codes. Anthropic: docs.anthropic.com/en/api/errors (not_found_error).
    """
    if path == "anthropic":
        return {"type": "error", "error": {"type": "not_found_error", "message": f"model: {model}"}}
    message = f"The model `{model}` does not exist or you do not have access to it."
    return {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": "model_not_found"}}


def _openai(body: Json) -> Iterator[tuple[str, str, str | None]]:
    tools = body.get("tools") or []
    for number, tool in enumerate(tools):
        function, where = tool["function"], f"tools[{number}].function"
        # OPENAI, tools[].function.name: a-z, A-Z, 0-9, underscores and dashes, at most 64 characters
        if not re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", function["name"]):
            yield f"Invalid '{where}.name': string does not match pattern.", f"{where}.name", "invalid_value"
        for wrong in _openai_schema(function.get("parameters"), ()):
            told = f"Invalid schema for function '{function['name']}': {wrong}"
            yield told, f"{where}.parameters", "invalid_function_parameters"
    # OPENAI, tool_choice: names a tool of the request, and needs tools
    if "tool_choice" in body and not tools:
        yield (
            "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are specified.",
            "tool_choice",
            None,
        )
    if tools and isinstance(choice := body.get("tool_choice"), dict):
        name = choice["function"]["name"]
        if name not in [tool["function"]["name"] for tool in tools]:
            yield (
                f"Invalid value for 'tool_choice': tool choice {name} not found in 'tools' parameter.",
                "tool_choice",
                None,
            )
    # OPENAI, messages: an assistant message with tool_calls is followed by a tool message for each of them
    waiting: set[str] = set()
    for message in body.get("messages", []):
        if message["role"] == "tool":
            if message["tool_call_id"] not in waiting:
                yield (
                    "messages with role 'tool' must be a response to a preceding message with 'tool_calls'.",
                    "messages",
                    None,
                )
            waiting.discard(message["tool_call_id"])
        elif waiting:
            break
        waiting |= {call["id"] for call in message.get("tool_calls") or []}
    if waiting:
        yield (
            "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'.",
            "messages",
            None,
        )


def _openai_schema(schema: Any, context: tuple[str, ...]) -> Iterator[str]:
    """As seen with models of the gpt-4o and gpt-4.1 families: github.com/streamnative/streamnative-mcp-server/issues/26
    (array without items), github.com/github/github-mcp-server/issues/1548 (object without properties)."""
    if not context and (not isinstance(schema, dict) or schema.get("type") != "object"):
        kind = schema.get("type") if isinstance(schema, dict) else None
        yield f"schema must be a JSON Schema of 'type: \"object\"', got 'type: \"{kind}\"'."
        return
    if not isinstance(schema, dict):
        return
    if schema.get("type") == "object" and "properties" not in schema and not context:
        yield f"In context={context}, object schema missing properties."
    if schema.get("type") == "array" and "items" not in schema:
        yield f"In context={context}, array schema missing items."
    for name, part in (schema.get("properties") or {}).items():
        yield from _openai_schema(part, (*context, "properties", name))
    if isinstance(schema.get("items"), dict):
        yield from _openai_schema(schema["items"], (*context, "items"))


def _anthropic(body: Json) -> Iterator[str]:
    tools, messages = body.get("tools") or [], body["messages"]
    for number, tool in enumerate(tools):
        # ANTHROPIC, tools[].name: 1 to 128 letters, digits, underscores and dashes
        if not re.fullmatch(r"[a-zA-Z0-9_-]{1,128}", tool["name"]):
            yield f"tools.{number}.custom.name: String should match pattern '^[a-zA-Z0-9_-]{{1,128}}$'"
        schema = tool.get("input_schema")
        # ANTHROPIC, tools[].input_schema: a JSON schema whose type is object
        if not isinstance(schema, dict) or "type" not in schema:
            yield f"tools.{number}.custom.input_schema.type: Field required"
        elif schema["type"] != "object":
            yield f"tools.{number}.custom.input_schema.type: Input should be 'object'"
        # github.com/anthropics/claude-code/issues/5973
        elif {"oneOf", "allOf", "anyOf"} & set(schema):
            yield f"tools.{number}.custom.input_schema: input_schema does not support oneOf, allOf, or anyOf at the top level"
        # github.com/anthropics/claude-code/issues/8900
        elif not _is_draft_2020(schema):
            yield (
                f"tools.{number}.custom.input_schema: JSON schema is invalid. It must match JSON Schema draft 2020-12 "
                "(https://json-schema.org/draft/2020-12)."
            )
    # ANTHROPIC, tool_choice: {"type": "tool", "name": …} names a tool of the request
    choice = body.get("tool_choice") or {}
    if choice.get("type") == "tool" and choice.get("name") not in [tool["name"] for tool in tools]:
        yield f"Tool '{choice.get('name')}' not found in provided tools"
    # ANTHROPIC, messages: the first is the user's
    if messages[0]["role"] != "user":
        yield 'messages: first message must use the "user" role'
    # docs.anthropic.com/en/docs/agents-and-tools/tool-use/implement-tool-use: every tool_use has its tool_result in the
    # next message, ids are ^[a-zA-Z0-9_-]+$, and blocks of either kind need the parameter tools
    waiting: set[str] = set()
    for number, message in enumerate(messages):
        blocks = message["content"] if isinstance(message["content"], list) else []
        answered = {block["tool_use_id"] for block in blocks if block.get("type") == "tool_result"}
        if answered - waiting:
            yield f"messages.{number}: unexpected `tool_use_id` found in `tool_result` blocks: {', '.join(answered - waiting)}"
        if waiting - answered:
            yield f"messages.{number - 1}: `tool_use` ids were found without `tool_result` blocks immediately after"
        waiting = {block["id"] for block in blocks if block.get("type") == "tool_use"}
        if any(not re.fullmatch(r"[a-zA-Z0-9_-]+", call) for call in waiting):
            yield f"messages.{number}.content.0.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'"
        if (waiting or answered) and not tools:
            yield "Requests which include `tool_use` or `tool_result` blocks must define tools"
        # ANTHROPIC, errors: text blocks must not be empty
        if any(block.get("type") == "text" and not block.get("text") for block in blocks) or message["content"] == "":
            yield "messages: text content blocks must be non-empty"
    if waiting:
        yield "messages: `tool_use` ids were found without `tool_result` blocks immediately after"


def _is_draft_2020(schema: Json) -> bool:
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError:
        return False
    return True
