"""Traces for OpenTelemetry, when OTEL_EXPORTER_OTLP_ENDPOINT is set: a chat is one trace, with a span for each signal,
activity, model call and run of a tool. Nothing of OpenTelemetry is imported otherwise.

Spans of models and tools follow the semantic conventions for generative AI of version 1.38 (SCHEMA), which are still in
development: whoever changes the version checks the names here. Words are in them only with
OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT, and keys never.
"""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from temporalio import activity

from agent.errors import SettingsError
from agent.messages import ToolCall
from agent.model import Model, ModelRequest, Reply
from agent.settings import Settings
from tools.kit.results import hide

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import SpanProcessor
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Span, Tracer
    from temporalio.client import Plugin

SCHEMA = "https://opentelemetry.io/schemas/1.38.0"
_PROVIDERS = {
    "azure": "azure.ai.openai",
    "bedrock": "aws.bedrock",
    "cohere": "cohere",
    "gemini": "gcp.gemini",
    "mistral": "mistral_ai",
    "vertex_ai": "gcp.vertex_ai",
    "xai": "x_ai",
}
"""LiteLLM's name of a provider → the conventions'; most are the same."""

_FINISHED = {"": "stop", "length": "length", "content_filter": "content_filter", "refusal": "content_filter"}
_FLUSH = 5_000
"""Milliseconds in which a process that ends may send its last spans."""


def is_on(settings: Settings) -> bool:
    return bool(settings.otel_exporter_otlp_endpoint)


_of_process: list["Tracing"] = []


def process_tracing(settings: Settings, service: str) -> "Tracing":
    """The one of this process: OpenTelemetry's tracer provider is global, and set once."""
    if not _of_process:
        _of_process.append(Tracing(settings, service))
    return _of_process[0]


class Tracing:
    """What a process traces, and the SDK's plugin that its Temporal client needs; without an endpoint nothing."""

    def __init__(self, settings: Settings, service: str) -> None:
        self.plugins: list[Plugin] = []
        self._words = settings.otel_instrumentation_genai_capture_message_content
        self._environment = settings.environment
        self._tracer: Tracer | None = None
        self._flush: Callable[[int], bool] = lambda _: True
        if is_on(settings):
            self._set_up(settings, service)

    def _set_up(self, settings: Settings, service: str) -> None:
        if settings.environment.get("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf") != "http/protobuf":
            raise SettingsError(
                "OTEL_EXPORTER_OTLP_PROTOCOL must be http/protobuf, which collectors take at port 4318. "
                "Remove it, or change it, and the port of OTEL_EXPORTER_OTLP_ENDPOINT, then start again."
            )
        for name, value in settings.environment.items():  # OpenTelemetry reads the process's own, and .env is not in it
            if name.startswith("OTEL_"):
                os.environ.setdefault(name, value)
        from opentelemetry import trace
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from temporalio.contrib.opentelemetry import OpenTelemetryPlugin, create_tracer_provider

        named = {} if "OTEL_SERVICE_NAME" in os.environ else {"service.name": service}
        provider = create_tracer_provider(resource=Resource.create(named))
        provider.add_span_processor(span_processor(OTLPSpanExporter(), words=self._words))
        trace.set_tracer_provider(provider)
        self._flush = provider.force_flush
        self._tracer = trace.get_tracer("steadfast", schema_url=SCHEMA)
        self.plugins = [OpenTelemetryPlugin(add_temporal_spans=True)]

    def close(self) -> None:
        """Send what has not been sent."""
        self._flush(_FLUSH)

    def model(self, name: str, model: Model) -> Model:
        """The model, with a span for each call."""
        return _TracedModel(name, model, self) if self._tracer else model

    @contextmanager
    def tool(self, call: ToolCall) -> Iterator["Recorded"]:
        """A span for a run of a tool."""
        attributes = {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": call.tool,
            "gen_ai.tool.type": "function",
            "gen_ai.tool.call.id": call.proposal_id,
        }
        with self._span(f"execute_tool {call.tool}", attributes) as recorded:
            recorded.words("gen_ai.tool.call.arguments", call.arguments)
            yield recorded

    @contextmanager
    def _span(self, name: str, attributes: Mapping[str, Any], *, client: bool = False) -> Iterator["Recorded"]:
        if self._tracer is None:
            yield Recorded()
            return
        from opentelemetry.trace import SpanKind, Status, StatusCode

        chat = {"gen_ai.conversation.id": activity.info().workflow_id or ""} if activity.in_activity() else {}
        with self._tracer.start_as_current_span(
            name,
            kind=SpanKind.CLIENT if client else SpanKind.INTERNAL,
            attributes={**attributes, **chat},
            record_exception=False,  # its text may hold anything
            set_status_on_exception=False,
        ) as span:
            try:
                yield Recorded(span, self._words, self._environment)
            except BaseException as error:
                kind = getattr(getattr(error, "failure", None), "kind", "") or type(error).__name__
                span.set_attribute("error.type", kind)
                span.set_status(Status(StatusCode.ERROR))
                raise


def span_processor(exporter: "SpanExporter", *, words: bool) -> "SpanProcessor":
    """What is sent: no queries, which pages make again and again; and without words no text of an error, which may quote
    what somebody typed.
    """
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.trace import Status

    class Processor(BatchSpanProcessor):
        def on_end(self, span: ReadableSpan) -> None:
            if span.name.startswith(("QueryWorkflow:", "HandleQuery:")):
                return
            if not words:
                span = ReadableSpan(
                    name=span.name,
                    context=span.context,
                    parent=span.parent,
                    resource=span.resource,
                    attributes=span.attributes,
                    links=span.links,
                    kind=span.kind,
                    status=Status(span.status.status_code),
                    start_time=span.start_time,
                    end_time=span.end_time,
                    instrumentation_scope=span.instrumentation_scope,
                )
            super().on_end(span)

    return Processor(exporter)


@dataclass(frozen=True)
class Recorded:
    """A span that is being written, or none."""

    span: "Span | None" = None
    takes_words: bool = False
    environment: Mapping[str, str] | None = None

    def words(self, name: str, value: Any) -> None:
        """What people and models said, where that is asked for."""
        if self.span and self.takes_words:
            self.span.set_attribute(
                name, hide(json.dumps(value, ensure_ascii=False, default=str), self.environment or {})
            )

    def facts(self, attributes: Mapping[str, Any]) -> None:
        if self.span:
            self.span.set_attributes({name: value for name, value in attributes.items() if value is not None})


class _TracedModel:
    """A model whose calls are spans."""

    def __init__(self, name: str, model: Model, tracing: Tracing) -> None:
        provider, slash, short = name.partition("/")
        self._model, self._tracing = model, tracing
        self._name = short if slash else name
        self._provider = (
            _PROVIDERS.get(provider, provider) if slash else ("steadfast" if name == "scripted" else "openai")
        )

    async def reply(self, request: ModelRequest, on_text: Callable[[str], None]) -> Reply:
        with self._call(request) as recorded:
            return self._recorded(recorded, await self._model.reply(request, on_text))

    async def summarize(self, request: ModelRequest) -> Reply:
        with self._call(request) as recorded:
            return self._recorded(recorded, await self._model.summarize(request))

    @contextmanager
    def _call(self, request: ModelRequest) -> Iterator[Recorded]:
        attributes = {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": self._provider,
            "gen_ai.request.model": self._name,
        }
        with self._tracing._span(f"chat {self._name}", attributes, client=True) as recorded:
            recorded.words("gen_ai.input.messages", [_message(message) for message in request.messages])
            yield recorded

    def _recorded(self, recorded: Recorded, reply: Reply) -> Reply:
        finished = "tool_call" if reply.calls and not reply.stopped else _FINISHED[reply.stopped]
        recorded.facts(
            {
                "gen_ai.response.finish_reasons": [finished],
                "gen_ai.usage.input_tokens": reply.use.prompt_tokens,
                "gen_ai.usage.output_tokens": reply.use.completion_tokens,
            }
        )
        parts: list[dict[str, Any]] = [{"type": "text", "content": reply.text}] if reply.text else []
        parts += [_called(call.id, call.name, call.arguments) for call in reply.calls]
        recorded.words("gen_ai.output.messages", [{"role": "assistant", "parts": parts, "finish_reason": finished}])
        return reply


def _message(message: Mapping[str, Any]) -> dict[str, Any]:
    """A message in OpenAI's shape, in that of the conventions."""
    content = message.get("content") or ""
    if message["role"] == "tool":
        part = {"type": "tool_call_response", "id": message.get("tool_call_id", ""), "response": content}
        return {"role": "tool", "parts": [part]}
    parts: list[dict[str, Any]] = [{"type": "text", "content": content}] if content else []
    for call in message.get("tool_calls") or []:
        parts.append(_called(call["id"], call["function"]["name"], call["function"]["arguments"]))
    return {"role": message["role"], "parts": parts}


def _called(call_id: str, name: str, arguments: str) -> dict[str, Any]:
    return {"type": "tool_call", "id": call_id, "name": name, "arguments": arguments}
