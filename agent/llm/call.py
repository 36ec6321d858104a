"""One call of one model: one HTTP request, streamed, and read to its end or closed."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from agent.llm.chain import CallFailed
from agent.llm.endpoints import Endpoint
from agent.llm.failures import CutShort, NoAnswer, classify
from agent.llm.library import litellm
from agent.messages import ModelUse
from agent.model import CalledTool, ModelRequest, Reply


@dataclass
class _Part:
    id: str = ""
    name: str = ""
    arguments: str = ""


@dataclass
class _Answer:
    """What has arrived so far."""

    text: str = ""
    parts: dict[int, _Part] = field(default_factory=dict)

    def add(self, delta: Any) -> bool:
        """Take a piece up; True when the text has grown."""
        for call in getattr(delta, "tool_calls", None) or []:
            part = self.parts.setdefault(call.index or 0, _Part())
            part.id = part.id or call.id or ""
            part.name = part.name or call.function.name or ""
            part.arguments += call.function.arguments or ""
        grown = bool(delta.content)
        self.text += delta.content or ""
        return grown

    def calls(self) -> list[CalledTool]:
        return [
            CalledTool(part.id or f"call_{index}", part.name, part.arguments)
            for index, part in sorted(self.parts.items())
            if part.name
        ]


@dataclass(frozen=True)
class LiteLLMModel:
    """One endpoint behind the protocol of agent.model. timeout: seconds between two pieces of an answer."""

    endpoint: Endpoint
    max_tokens: int
    timeout: float

    async def reply(self, request: ModelRequest, on_text: Callable[[str], None]) -> Reply:
        """Ask once; raises CallFailed. Cancelled, it closes the connection."""
        try:
            return await _call(self.endpoint, request, self.max_tokens, self.timeout, on_text)
        except Exception as error:
            raise CallFailed(classify(error)) from None

    async def summarize(self, request: ModelRequest) -> Reply:
        """The same call; nobody watches it stream."""
        return await self.reply(request, lambda _: None)


async def _call(
    endpoint: Endpoint, request: ModelRequest, max_tokens: int, timeout: float, on_text: Callable[[str], None]
) -> Reply:
    started = time.monotonic()
    extra: dict[str, Any] = {}
    if request.tools:
        extra["tools"] = request.tools
    stream = await litellm.acompletion(
        model=endpoint.model,
        messages=request.messages,
        api_key=endpoint.key or None,
        api_base=endpoint.base_url or None,
        max_tokens=max_tokens,
        timeout=timeout,
        stream=True,
        stream_options={"include_usage": True},
        max_retries=0,
        num_retries=0,
        drop_params=True,
        _skip_mcp_handler=True,
        **extra,
    )
    answer = _Answer()
    try:
        async for chunk in stream:
            if chunk.choices and answer.add(chunk.choices[0].delta):
                on_text(answer.text)
            if stream.sent_last_chunk:
                break  # what would follow is LiteLLM's own book-keeping, which takes longer than the call
        counted = [chunk.usage for chunk in stream.chunks if getattr(chunk, "usage", None)] + await _rest(stream)
    finally:
        await stream.aclose()
    if not answer.text.strip() and not answer.calls():
        raise NoAnswer
    if stream.received_finish_reason is None:
        raise CutShort
    return Reply(answer.text, answer.calls(), _use(endpoint, counted, time.monotonic() - started))


async def _rest(stream: Any) -> list[Any]:
    """The counts that come after the answer. A response that is read to its end leaves its connection to the next."""
    counted = []
    with suppress(Exception):
        async with asyncio.timeout(1):
            async for chunk in stream.completion_stream:
                if usage := getattr(chunk, "usage", None):
                    counted.append(usage)
    return counted


def _use(endpoint: Endpoint, counted: list[Any], seconds: float) -> ModelUse:
    use = ModelUse(model=endpoint.name, seconds=round(seconds, 3))
    if not counted:
        return use
    use.prompt_tokens = max(usage.prompt_tokens or 0 for usage in counted)
    use.completion_tokens = max(usage.completion_tokens or 0 for usage in counted)
    with suppress(Exception):  # an unknown price is None, never zero
        cost = sum(litellm.cost_per_token(model=endpoint.model, usage_object=counted[-1]))
        use.cost_usd = f"{round(Decimal(cost), 10).normalize():f}" if cost else None
    return use
