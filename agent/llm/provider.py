"""The scripted model as a LiteLLM provider: it goes through the very call that a real model goes through."""

import json
import re
from collections.abc import AsyncIterator
from typing import Any

from agent.llm.library import litellm
from agent.llm.scripted import Move, Script, summarize

PROVIDER = "scripted"


class _Scripted(litellm.CustomLLM):  # type: ignore[misc]  # untyped
    """Streams its move word by word; the goal arrives beside the messages and is sent nowhere."""

    async def astreaming(
        self, *_: Any, messages: list[dict[str, Any]], optional_params: dict[str, Any], **__: Any
    ) -> AsyncIterator[dict[str, Any]]:
        goal = optional_params.get("goal") or {}
        if "messages" in goal:
            move = Move(summarize(goal["messages"], str(goal.get("summary") or "")))
        elif not optional_params.get("tools"):
            move = Move("Hello! I am the scripted offline model. Set LLM_MODEL and LLM_KEY to talk to a real one.")
        else:
            move = Script(messages, optional_params.get("tools") or [], goal).move()
        words = re.findall(r"\s*\S+", move.text)
        for word in words:
            yield _chunk(text=word)
        arguments = json.dumps(move.arguments, ensure_ascii=False)
        if move.tool:
            call = {"id": f"call_{len(messages)}", "type": "function", "index": 0}
            yield _chunk(tool_use={**call, "function": {"name": move.tool, "arguments": arguments}})
        asked = sum(len(str(message.get("content") or "").split()) for message in messages)
        said = len(words) + len(arguments.split())
        usage = {"prompt_tokens": asked, "completion_tokens": said, "total_tokens": asked + said}
        yield _chunk(is_finished=True, finish_reason="tool_calls" if move.tool else "stop", usage=usage)


def _chunk(**fields: Any) -> dict[str, Any]:
    nothing = {"text": "", "is_finished": False, "finish_reason": "", "usage": None, "index": 0, "tool_use": None}
    return {**nothing, **fields}


def register() -> None:
    """Make LiteLLM know the provider."""
    litellm.custom_provider_map = [{"provider": PROVIDER, "custom_handler": _Scripted()}]
