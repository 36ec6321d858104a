"""One call over HTTP: words and tool calls as they stream in, tokens, price, time, and the connection's end."""

import asyncio
import itertools
from dataclasses import replace
from typing import Any

import pytest

from agent.errors import ModelRefused, ModelUnavailable
from agent.model import CalledTool, ModelRequest
from tests.llm.asking import FIND, HELLO, MODELS, model_of, unheard
from tests.llm.stub import Answer, Stub

both = pytest.mark.parametrize("shape", MODELS)


@both
async def test_words_stream_in_from_their_beginning(stub: Stub, shape: str) -> None:
    stub.answer(Answer("Which city\nare you thinking of?"))
    heard: list[str] = []
    reply = await model_of(shape, stub).reply(HELLO, heard.append)
    assert reply.text == heard[-1] == "Which city\nare you thinking of?"
    assert heard[0] == "Which"
    assert all(later.startswith(earlier) for earlier, later in itertools.pairwise(heard))
    assert reply.calls == []


@both
async def test_several_tool_calls_come_whole(stub: Stub, shape: str) -> None:
    arguments = '{"city": "San Francisco", "note": "a text that is longer than one piece of the stream"}'
    stub.answer(Answer("Let's look.", calls=(("FindEvents", arguments), ("FindEvents", '{"city": "Austin"}'))))
    reply = await model_of(shape, stub).reply(HELLO, unheard)
    assert reply.text == "Let's look."
    assert [(call.name, call.arguments) for call in reply.calls] == [
        ("FindEvents", arguments),
        ("FindEvents", '{"city": "Austin"}'),
    ]
    assert len({call.id for call in reply.calls}) == 2


async def test_arguments_that_are_no_json_are_handed_on_as_they_are(stub: Stub) -> None:
    stub.answer(Answer(calls=(("FindEvents", '{"city": '),)))
    reply = await model_of("openai", stub).reply(HELLO, unheard)
    assert reply.calls == [CalledTool("call_0", "FindEvents", '{"city": ')]


@both
async def test_a_request_carries_the_chat_the_tools_and_the_key(stub: Stub, shape: str) -> None:
    await model_of(shape, stub, LLM_MAX_TOKENS="77").reply(ModelRequest(HELLO.messages, [FIND]), unheard)
    seen = stub.requests[0]
    assert (seen.body["stream"], seen.body["max_tokens"]) == (True, 77)
    assert "FindEvents" in str(seen.body["tools"])
    assert "Be kind." in str(seen.body)
    assert set(seen.body) - {"system", "stream_options"} == {"model", "messages", "tools", "stream", "max_tokens"}
    assert "sk-secret-4711" in (seen.headers.get("authorization", "") + seen.headers.get("x-api-key", ""))


@both
async def test_a_chat_with_calls_and_results_goes_to_either_provider(stub: Stub, shape: str) -> None:
    call = {"id": "p1", "type": "function", "function": {"name": "FindEvents", "arguments": '{"city": "Austin"}'}}
    messages: list[dict[str, Any]] = [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "### Greet."},
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "p1", "content": '{"ok": true, "result": {"events": []}}'},
    ]
    reply = await model_of(shape, stub).reply(ModelRequest(messages, [FIND]), unheard)
    assert reply.text == "Hello from the stub."
    assert "p1" in str(stub.requests[0].body["messages"])


@both
async def test_the_stub_is_as_strict_as_a_provider(stub: Stub, shape: str) -> None:
    call = {"id": "p1", "type": "function", "function": {"name": "FindEvents", "arguments": "{}"}}
    messages: list[dict[str, Any]] = [
        {"role": "user", "content": "Hello."},
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "user", "content": "And?"},
    ]
    with pytest.raises(ModelRefused):
        await model_of(shape, stub).reply(ModelRequest(messages, [FIND]), unheard)


@both
async def test_tokens_price_and_time_are_told(stub: Stub, shape: str) -> None:
    stub.answer(Answer("Hello.", usage=(1000, 200), first=0.05))
    use = (await model_of(shape, stub).reply(HELLO, unheard)).use
    assert (use.model, use.prompt_tokens, use.completion_tokens, use.note) == (MODELS[shape], 1000, 200, "")
    assert use.cost_usd == {"openai": "0.0045", "anthropic": "0.006"}[shape]
    assert use.seconds >= 0.05


async def test_an_unknown_price_is_unknown_and_not_zero(stub: Stub) -> None:
    use = (await model_of("openai", stub, LLM_MODEL="openai/of-my-own").reply(HELLO, unheard)).use
    assert (use.prompt_tokens, use.completion_tokens, use.cost_usd) == (10, 5, None)


async def test_a_provider_that_counts_nothing_leaves_the_tokens_unknown(stub: Stub) -> None:
    stub.answer(Answer("Hello.", usage=None))
    use = (await model_of("openai", stub).reply(HELLO, unheard)).use
    assert (use.prompt_tokens, use.completion_tokens, use.cost_usd) == (None, None, None)


@both
@pytest.mark.parametrize("answer", [Answer(delay=60), Answer(first=60), Answer("a b c d e f g h", rate=4)])
async def test_cancelling_closes_the_connection(stub: Stub, shape: str, answer: Answer) -> None:
    stub.answer(answer)
    asking = asyncio.create_task(model_of(shape, stub, LLM_TIMEOUT="60").reply(HELLO, unheard))
    while not stub.requests:
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.2)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    async with asyncio.timeout(5):
        while not stub.closed_early:
            await asyncio.sleep(0.01)
    assert len(stub.requests) == 1


@both
async def test_a_model_that_drips_is_cut_at_the_total_limit(stub: Stub, shape: str) -> None:
    stub.answer(Answer("word " * 200, rate=10))
    with pytest.raises(ModelUnavailable, match="did not answer in time"):
        await model_of(shape, stub, LLM_TIMEOUT="1").reply(HELLO, unheard)
    async with asyncio.timeout(5):
        while not stub.closed_early:
            await asyncio.sleep(0.01)


@both
async def test_a_slow_first_token_is_waited_for(stub: Stub, shape: str) -> None:
    stub.answer(Answer("Here I am.", first=1.5))
    assert (await model_of(shape, stub).reply(HELLO, unheard)).text == "Here I am."


@both
async def test_one_connection_serves_call_after_call(stub: Stub, shape: str) -> None:
    model = model_of(shape, stub)
    for _ in range(3):
        stub.answer(Answer("One after another.", rate=40))
        await model.reply(HELLO, unheard)
    assert (len(stub.requests), stub.connections, stub.closed_early) == (3, 1, 0)


@both
async def test_a_reply_cut_at_the_limit_of_tokens_says_so(stub: Stub, shape: str) -> None:
    stub.answer(Answer("Which city are", stop="length"), Answer("", stop="length"))
    reply = await model_of(shape, stub).reply(HELLO, unheard)
    assert (reply.text, reply.stopped) == ("Which city are", "length")
    reply = await model_of(shape, stub).reply(HELLO, unheard)
    assert (reply.text, reply.stopped, reply.use.prompt_tokens) == ("", "length", 10)


async def test_a_refusal_and_a_filter_are_told_apart(stub: Stub) -> None:
    model = model_of("openai", stub)
    stub.answer(Answer(refusal="I'm sorry, I can't assist with that."), Answer("Half a", stop="content_filter"))
    reply = await model.reply(HELLO, unheard)
    assert (reply.text, reply.stopped) == ("I'm sorry, I can't assist with that.", "refusal")
    reply = await model.reply(HELLO, unheard)
    assert (reply.text, reply.stopped) == ("Half a", "content_filter")
    stub.answer(Answer(stop="refusal"))
    reply = await model_of("anthropic", stub).reply(HELLO, unheard)
    assert (reply.text, reply.stopped) == ("", "refusal")


@both
async def test_a_tool_that_must_be_called_is_forced(stub: Stub, shape: str) -> None:
    await model_of(shape, stub).reply(replace(HELLO, must_call="FindEvents"), unheard)
    forced = {
        "openai": {"type": "function", "function": {"name": "FindEvents"}},
        "anthropic": {"type": "tool", "name": "FindEvents"},
    }
    assert stub.requests[0].body["tool_choice"] == forced[shape]


@both
async def test_whom_it_waits_for_is_told_until_it_answers(stub: Stub, shape: str) -> None:
    stub.answer(Answer("Here I am.", first=0.2))
    told: list[str] = []
    await model_of(shape, stub).reply(replace(HELLO, on_wait=told.append), lambda _: told.append("text"))
    assert told[:2] == [MODELS[shape], "text"] or told[:3] == [MODELS[shape], "", "text"]
    assert told.count("") == 1
