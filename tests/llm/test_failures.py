"""Every row of the table of failures, as a provider really answers it, in OpenAI's shape and in Anthropic's."""

from typing import Any

import pytest

from agent.errors import ContextTooLong, ModelError, ModelGarbled, ModelRefused, ModelUnavailable
from agent.model import ModelRequest
from tests.llm import rules
from tests.llm.asking import HELLO, KEY, MODELS, model_of
from tests.llm.stub import REQUEST_ID, Answer, Stub


def openai(status: int, message: str, code: str | None = None) -> Answer:
    return Answer(status=status, body={"error": {"message": f"{message} {KEY}", "type": "x", "code": code}})


def anthropic(status: int, message: str, kind: str = "invalid_request_error") -> Answer:
    return Answer(status=status, body={"type": "error", "error": {"type": kind, "message": f"{message} {KEY}"}})


ROWS: list[tuple[str, Answer, type[ModelError], str]] = [
    ("openai", openai(400, "This model's maximum context length is 10 tokens.", "context_length_exceeded"), ContextTooLong, "cannot read that much"),
    ("anthropic", anthropic(400, "prompt is too long: 9 tokens > 8 maximum"), ContextTooLong, "cannot read that much"),
    ("openai", openai(400, "Invalid schema for function"), ModelRefused, "refused the request (400)"),
    ("anthropic", anthropic(400, "messages.1: tool_use ids must be unique"), ModelRefused, "refused the request (400)"),
    ("openai", Answer(status=404, body=rules.missing_model("openai", "gpt-9")), ModelUnavailable, "does not exist at its provider (404)"),
    ("anthropic", Answer(status=404, body=rules.missing_model("anthropic", "claude-x")), ModelUnavailable, "does not exist at its provider (404)"),
    ("openai", openai(400, "invalid model ID"), ModelUnavailable, "does not exist at its provider (400)"),
    ("openai", openai(400, "The model `gpt-9` is not supported with this method"), ModelUnavailable, "does not exist at its provider (400)"),
    ("openai", openai(422, "Unprocessable"), ModelRefused, "refused the request"),
    ("openai", openai(401, "Incorrect API key provided", "invalid_api_key"), ModelUnavailable, "refused the key (401)"),
    ("anthropic", anthropic(401, "invalid x-api-key", "authentication_error"), ModelUnavailable, "refused the key (401)"),
    ("openai", openai(403, "Country not supported"), ModelUnavailable, "refused the key (403)"),
    ("anthropic", anthropic(403, "not allowed", "permission_error"), ModelUnavailable, "refused the key (403)"),
    ("openai", openai(402, "Payment required"), ModelUnavailable, "has no credits left (402)"),
    ("openai", openai(429, "You exceeded your current quota", "insufficient_quota"), ModelUnavailable, "has no credits left (429)"),
    ("anthropic", anthropic(400, "Your credit balance is too low to access the Anthropic API."), ModelUnavailable, "has no credits left (400)"),
    ("openai", openai(429, "Rate limit reached", "rate_limit_exceeded"), ModelUnavailable, "allows no more requests for now (429)"),
    ("anthropic", anthropic(429, "rate limit", "rate_limit_error"), ModelUnavailable, "allows no more requests for now (429)"),
    ("openai", openai(500, "Internal"), ModelUnavailable, "has trouble (500)"),
    ("openai", openai(502, "Bad gateway"), ModelUnavailable, "has trouble"),
    ("openai", openai(503, "Overloaded"), ModelUnavailable, "has trouble (503)"),
    ("anthropic", anthropic(500, "Internal", "api_error"), ModelUnavailable, "has trouble (500)"),
    ("anthropic", anthropic(529, "Overloaded", "overloaded_error"), ModelUnavailable, "has trouble"),
    ("openai", Answer(fault="refuse"), ModelUnavailable, "cannot be reached"),
    ("anthropic", Answer(fault="refuse"), ModelUnavailable, "cannot be reached"),
    ("openai", Answer(fault="garbage"), ModelGarbled, "gave an empty answer"),
    ("anthropic", Answer(fault="garbage"), ModelGarbled, "gave an empty answer"),
    ("openai", Answer(fault="empty"), ModelGarbled, "gave an empty answer"),
    ("openai", Answer(fault="nothing"), ModelGarbled, "gave an empty answer"),
    ("anthropic", Answer(fault="nothing"), ModelGarbled, "gave an empty answer"),
    ("openai", Answer("One two three four five six", fault="cut"), ModelGarbled, "broke off"),
    ("anthropic", Answer("One two three four five six", fault="cut"), ModelGarbled, "broke off"),
    ("openai", Answer(fault="hang"), ModelUnavailable, "did not answer in time"),
    ("anthropic", Answer(fault="hang"), ModelUnavailable, "did not answer in time"),
]  # fmt: skip


@pytest.mark.parametrize(("shape", "answer", "raised", "sentence"), ROWS)
async def test_a_failure_is_one_request_and_one_sentence_without_the_key(
    stub: Stub, shape: str, answer: Answer, raised: type[ModelError], sentence: str
) -> None:
    stub.answer(answer)
    patience = {"LLM_TIMEOUT": "2"} if answer.fault == "hang" else {}
    with pytest.raises(ModelError) as caught:
        await model_of(shape, stub, **patience).reply(HELLO, lambda _: None)
    assert (caught.type, sentence in str(caught.value)) == (raised, True), str(caught.value)
    assert str(caught.value).startswith(MODELS[shape])
    assert KEY not in repr(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    assert len(stub.requests) == 1


@pytest.mark.parametrize("shape", MODELS)
@pytest.mark.parametrize("status", [429, 503])
async def test_retry_after_is_handed_on(stub: Stub, shape: str, status: int) -> None:
    stub.answer(Answer(status=status, body={"error": {"message": "busy"}}, headers=(("Retry-After", "17"),)))
    with pytest.raises(ModelUnavailable) as caught:
        await model_of(shape, stub).reply(HELLO, lambda _: None)
    assert caught.value.retry_after == 17
    assert len(stub.requests) == 1


async def test_retry_after_may_be_a_date_and_may_be_nonsense(stub: Stub) -> None:
    model = model_of("openai", stub)
    for value, expected in (("Wed, 21 Oct 2015 07:28:00 GMT", 0.0), ("soon", None), ("nan", None), ("9e9", 3600.0)):
        stub.answer(Answer(status=429, body={"error": {"message": "busy"}}, headers=(("Retry-After", value),)))
        with pytest.raises(ModelUnavailable) as caught:
            await model.reply(HELLO, lambda _: None)
        assert caught.value.retry_after == expected


async def test_nobody_listening_is_told_as_unreachable() -> None:
    with Stub() as gone:
        model = model_of("openai", gone)
    with pytest.raises(ModelUnavailable, match=r"^openai/gpt-4o cannot be reached"):
        await model.reply(HELLO, lambda _: None)


def tool(name: str, parameters: dict[str, Any]) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "description": "Do it.", "parameters": parameters}}


BAD_SCHEMAS = [
    ("openai", {"type": "object", "properties": {"names": {"type": "array"}}}, "array schema missing items"),
    ("openai", {"type": "string"}, "schema must be a JSON Schema of"),
    ("anthropic", {"type": "object", "properties": {"a": {"minLength": -1}}}, "JSON schema is invalid"),
    ("anthropic", {"type": "object", "properties": {"a": {"type": "strnig"}}}, "JSON schema is invalid"),
]


@pytest.mark.parametrize(("shape", "schema", "cause"), BAD_SCHEMAS)
async def test_a_refused_schema_names_its_tool_to_the_person_and_the_cause_to_its_author(
    stub: Stub, caplog: pytest.LogCaptureFixture, shape: str, schema: dict[str, Any], cause: str
) -> None:
    asked = ModelRequest(HELLO.messages, [*HELLO.tools, tool("MyTool", schema)])
    with pytest.raises(ModelRefused) as caught:
        await model_of(shape, stub).reply(asked, lambda _: None)
    assert f"{MODELS[shape]} refused the schema of the tool MyTool (400)" in str(caught.value)
    assert cause not in str(caught.value)
    [logged] = [record for record in caplog.records if record.name == "agent.llm.call"]
    assert logged.levelname == "WARNING"
    assert MODELS[shape] in logged.getMessage()
    assert cause in logged.getMessage()


@pytest.mark.parametrize("shape", MODELS)
async def test_the_log_has_the_status_the_request_and_the_providers_words_without_keys(
    stub: Stub, caplog: pytest.LogCaptureFixture, shape: str
) -> None:
    stub.answer(
        openai(401, "Incorrect API key provided:") if shape == "openai" else anthropic(401, "invalid x-api-key:")
    )
    with pytest.raises(ModelUnavailable):
        await model_of(shape, stub).reply(HELLO, lambda _: None)
    [logged] = [record.getMessage() for record in caplog.records if record.name == "agent.llm.call"]
    assert f"{MODELS[shape]} refused the key (401). Status 401, request {REQUEST_ID}:" in logged
    assert "invalid" in logged.lower() or "incorrect" in logged.lower()
    assert KEY not in caplog.text


async def test_a_tool_that_was_not_offered_is_never_named(stub: Stub) -> None:
    stub.answer(openai(400, "Invalid schema for function 'Give me your key': no"))
    with pytest.raises(ModelRefused) as caught:
        await model_of("openai", stub).reply(HELLO, lambda _: None)
    assert "Give me" not in str(caught.value)
