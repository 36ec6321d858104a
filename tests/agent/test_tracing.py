"""Spans of models and tools, by the conventions for generative AI, and what is not in them."""

import json
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from temporalio.testing import ActivityEnvironment

from agent.errors import SettingsError
from agent.llm.chain import CallFailed, Failure
from agent.messages import ToolCall
from agent.model import ModelRequest, Reply
from agent.settings import Settings
from agent.tracing import Tracing, span_processor
from tests.workflow.harness import CannedModel, call, say

KEY = "sk-key-of-a-person"
REQUEST = ModelRequest(
    messages=[
        {"role": "system", "content": "You help."},
        {"role": "user", "content": f"Note: milk. My key is {KEY}."},
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [{"id": "c0", "function": {"name": "ReadNote", "arguments": '{"text": "a"}'}}],
        },
        {"role": "tool", "tool_call_id": "c0", "content": '{"ok": true, "result": "cheese"}'},
    ]
)
CALL = ToolCall(proposal_id="k-1", tool="WriteNote", arguments={"text": "milk"}, idempotency_key="chat/k-1")


class Traced:
    """A Tracing whose spans the test reads."""

    def __init__(self, *, words: bool) -> None:
        settings = Settings(environment={"LLM_KEY": KEY}, otel_instrumentation_genai_capture_message_content=words)
        self.exporter = InMemorySpanExporter()
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.tracing = Tracing(settings, "test")
        self.tracing._tracer = provider.get_tracer("test")
        self.environment = ActivityEnvironment()

    async def asked(self, name: str, model: CannedModel) -> ReadableSpan:
        async def ask() -> Reply:
            return await self.tracing.model(name, model).reply(REQUEST, lambda _: None)

        await self.environment.run(ask)
        return self.span()

    def span(self) -> ReadableSpan:
        [span] = self.exporter.get_finished_spans()
        return span


def attributes(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


async def test_call_of_a_model_is_a_span_with_its_facts_and_no_words() -> None:
    traced = Traced(words=False)
    span = await traced.asked("mistral/large-2", CannedModel([say("Milk it is.")]))
    assert (span.name, span.kind.name, span.status.status_code.name) == ("chat large-2", "CLIENT", "UNSET")
    assert attributes(span) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "mistral_ai",
        "gen_ai.request.model": "large-2",
        "gen_ai.conversation.id": traced.environment.info.workflow_id,
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.usage.input_tokens": 10,
        "gen_ai.usage.output_tokens": 5,
    }


async def test_words_are_in_it_when_asked_for_and_keys_never() -> None:
    traced = Traced(words=True)
    found = attributes(await traced.asked("gpt-4o", CannedModel([call("WriteNote", "Shall I?", text="milk")])))
    assert KEY not in str(found)
    assert found["gen_ai.response.finish_reasons"] == ("tool_call",)
    assert json.loads(found["gen_ai.input.messages"])[1:] == [
        {"role": "user", "parts": [{"type": "text", "content": "Note: milk. My key is [hidden]."}]},
        {
            "role": "assistant",
            "parts": [{"type": "tool_call", "id": "c0", "name": "ReadNote", "arguments": '{"text": "a"}'}],
        },
        {
            "role": "tool",
            "parts": [{"type": "tool_call_response", "id": "c0", "response": '{"ok": true, "result": "cheese"}'}],
        },
    ]
    [answer] = json.loads(found["gen_ai.output.messages"])
    assert [part["type"] for part in answer["parts"]] == ["text", "tool_call"]


async def test_failed_call_says_what_kind_of_failure_and_not_its_words() -> None:
    traced = Traced(words=False)
    failing = CannedModel([CallFailed(Failure("transient", f"refused {KEY}"))])
    with pytest.raises(CallFailed):
        await traced.asked("openai/gpt-4o", failing)
    span = traced.span()
    assert (attributes(span)["error.type"], span.status.status_code.name, span.events) == ("transient", "ERROR", ())
    assert KEY not in str(span.to_json())


@pytest.mark.parametrize("words", [True, False])
async def test_run_of_a_tool_is_a_span(words: bool) -> None:
    traced = Traced(words=words)

    def run() -> None:
        with traced.tracing.tool(CALL) as recorded:
            recorded.words("gen_ai.tool.call.result", {"kept": "milk"})

    run()
    span = traced.span()
    told = {"gen_ai.tool.call.arguments": '{"text": "milk"}', "gen_ai.tool.call.result": '{"kept": "milk"}'}
    assert span.name == "execute_tool WriteNote"
    assert attributes(span) == {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "WriteNote",
        "gen_ai.tool.type": "function",
        "gen_ai.tool.call.id": "k-1",
        **(told if words else {}),
    }


@pytest.mark.parametrize("words", [True, False])
def test_text_of_an_error_is_sent_with_words_only_and_queries_never(words: bool) -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(span_processor(exporter, words=words))
    tracer = provider.get_tracer("test")
    with tracer.start_as_current_span("QueryWorkflow:get_chat"), tracer.start_as_current_span("HandleQuery:get_chat"):
        pass
    with pytest.raises(ValueError, match="Springfield"), tracer.start_as_current_span("RunActivity:FindEvents"):
        raise ValueError("There is nothing in Springfield.")
    provider.force_flush()
    [span] = exporter.get_finished_spans()
    assert (span.name, span.status.status_code.name) == ("RunActivity:FindEvents", "ERROR")
    assert ("Springfield" in span.to_json()) is words
    provider.shutdown()


async def test_without_an_endpoint_nothing_is_traced() -> None:
    tracing = Tracing(Settings(), "test")
    model = CannedModel()
    assert tracing.model("gpt-4o", model) is model
    assert tracing.plugins == []
    with tracing.tool(CALL) as recorded:
        recorded.words("gen_ai.tool.call.result", "milk")
    tracing.close()


def test_protocol_that_we_do_not_speak_is_one_sentence() -> None:
    settings = Settings(
        otel_exporter_otlp_endpoint="http://localhost:4317", environment={"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}
    )
    with pytest.raises(SettingsError, match="OTEL_EXPORTER_OTLP_PROTOCOL must be http/protobuf"):
        Tracing(settings, "test")
