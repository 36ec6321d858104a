"""One call of one model: one HTTP request, streamed, and read to its end or closed."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from agent.llm.chain import CallFailed
from agent.llm.endpoints import Endpoint
from agent.llm.failures import CutShort, NoAnswer, classify, own_words, request_id, status_of
from agent.llm.library import litellm
from agent.messages import ModelUse
from agent.model import CalledTool, ModelRequest, Reply
from tools.kit.results import redact

_logger = logging.getLogger(__name__)


@dataclass
class _Part:
    id: str = ""
    name: str = ""
    arguments: str = ""


@dataclass
class _Answer:
    """What has arrived so far. refusal: the model's words for why it does not answer."""

    text: str = ""
    refusal: str = ""
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

    @property
    def begun(self) -> bool:
        return bool(self.text or self.refusal or self.parts)

    def calls(self) -> list[CalledTool]:
        return [
            CalledTool(part.id or f"call_{index}", part.name, part.arguments)
            for index, part in sorted(self.parts.items())
            if part.name
        ]


def _note_refusals(stream: Any, answer: _Answer) -> None:
    """LiteLLM does not hand on the pieces in which OpenAI sends a refusal, so they are read where it parses them."""
    parse = getattr(stream, "chunk_parser", None)
    if parse is None:
        return

    def noting(chunk: Any) -> Any:
        with suppress(AttributeError, IndexError, TypeError):
            answer.refusal += str(chunk["choices"][0]["delta"].get("refusal") or "") if chunk.get("choices") else ""
        return parse(chunk)

    stream.chunk_parser = noting


@dataclass(frozen=True)
class LiteLLMModel:
    """One endpoint behind the protocol of agent.model.

    timeout: seconds between two pieces of an answer. environment: holds the keys that no log may show.
    """

    endpoint: Endpoint
    max_tokens: int
    timeout: float
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)

    async def reply(self, request: ModelRequest, on_text: Callable[[str], None]) -> Reply:
        """Ask once; raises CallFailed. Cancelled, it closes the connection."""
        try:
            return await _call(self.endpoint, request, self.max_tokens, self.timeout, on_text)
        except Exception as error:
            failure = classify(error, [tool["function"]["name"] for tool in request.tools])
            cause = redact(own_words(error), self.environment)
            asked = f"Status {status_of(error) or 'unknown'}, request {request_id(error) or 'unknown'}"
            _logger.warning("%s %s. %s: %s", self.endpoint.name, failure.reason, asked, cause)
            raise CallFailed(failure, getattr(error, "use", None)) from None

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
    if request.must_call:
        extra["tool_choice"] = {"type": "function", "function": {"name": request.must_call}}
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
    _note_refusals(stream.completion_stream, answer)
    try:
        async for chunk in stream:
            if not chunk.choices:
                continue
            delta, waited = chunk.choices[0].delta, not answer.begun
            grown = answer.add(delta)
            if waited and (answer.begun or getattr(delta, "reasoning_content", None)):
                request.on_wait("")
            if grown:
                on_text(answer.text)
            if stream.sent_last_chunk:
                break  # what would follow is LiteLLM's own book-keeping, which takes longer than the call
        counted = [chunk.usage for chunk in stream.chunks if getattr(chunk, "usage", None)] + await _rest(stream)
    finally:
        await stream.aclose()
    stopped = _stopped(endpoint, answer, stream.received_finish_reason)
    use = _use(endpoint, counted, time.monotonic() - started)
    if not answer.text.strip() and not answer.calls() and not stopped:
        raise NoAnswer(use)
    if stream.received_finish_reason is None:
        raise CutShort(use)
    return Reply(answer.text or answer.refusal, answer.calls(), use, stopped)


def _stopped(
    endpoint: Endpoint, answer: _Answer, reason: str | None
) -> Literal["", "length", "content_filter", "refusal"]:
    """Why an answer is not whole. LiteLLM calls Anthropic's stop reason `refusal` a content filter, too."""
    if answer.refusal or (reason == "content_filter" and endpoint.provider == "anthropic"):
        return "refusal"
    return "length" if reason == "length" else "content_filter" if reason == "content_filter" else ""


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
