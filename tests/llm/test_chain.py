"""Which model answers: the first that works, why it is another, and when the first has its turn again."""

from dataclasses import replace

import pytest

from agent.demo import DemoModel
from agent.errors import ContextTooLong, ModelGarbled, ModelRefused, ModelUnavailable
from agent.llm.call import LiteLLMModel
from agent.llm.chain import PATIENCE, PATIENCE_SECONDS, REST, Candidate, Chain
from agent.llm.endpoints import Endpoint
from agent.model import ModelRequest
from tests.llm.asking import HELLO, unheard
from tests.llm.rules import missing_model
from tests.llm.stub import Answer, Stub


class Clock:
    """Time that passes when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def candidate(name: str, provider: str, key: str, address: str) -> Candidate:
    return Candidate(name, LiteLLMModel(Endpoint(name, name, provider, key, address), max_tokens=2048, timeout=60))


def chain(stub: Stub, clock: Clock | None = None, timeout: float = 60) -> Chain:
    """One of OpenAI's shape, then one of Anthropic's."""
    return Chain(
        [
            candidate("openai/gpt-4o", "openai", "k1", stub.openai),
            candidate("anthropic/claude-sonnet-4-5", "anthropic", "k2", stub.anthropic),
        ],
        timeout=timeout,
        clock=clock or Clock(),
    )


def asked(stub: Stub) -> list[str]:
    return [{"/v1/chat/completions": "openai", "/v1/messages": "anthropic"}[seen.path] for seen in stub.requests]


NO_KEY = Answer(status=401, body={"error": {"message": "bad key"}})
NO_MONEY = Answer(status=429, body={"error": {"message": "quota", "code": "insufficient_quota"}})
BUSY = Answer(status=503, body={"error": {"message": "busy"}})


async def test_the_first_that_works_answers_and_alone_is_asked(stub: Stub) -> None:
    reply = await chain(stub).reply(HELLO, unheard)
    assert (reply.use.model, reply.use.note) == ("openai/gpt-4o", "")
    assert asked(stub) == ["openai"]


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (NO_KEY, "refused the key (401)"),
        (NO_MONEY, "has no credits left (429)"),
        (Answer(status=404, body=missing_model("openai", "gpt-9")), "does not exist at its provider (404)"),
        (Answer(status=400, body=missing_model("openai", "gpt-9")), "does not exist at its provider (400)"),
    ],
)
async def test_without_key_credits_or_such_a_model_the_next_answers_and_says_why(
    stub: Stub, answer: Answer, why: str
) -> None:
    stub.answer(answer)
    reply = await chain(stub).reply(HELLO, unheard)
    assert reply.use.model == "anthropic/claude-sonnet-4-5"
    assert reply.use.note.startswith(f"openai/gpt-4o {why}")


async def test_every_turn_begins_with_the_first(stub: Stub) -> None:
    models = chain(stub)
    stub.answer(NO_KEY, Answer("From the second."), Answer("From the first again."))
    await models.reply(HELLO, unheard)
    assert (await models.reply(HELLO, unheard)).use.model == "openai/gpt-4o"
    assert asked(stub) == ["openai", "anthropic", "openai"]


async def test_one_transient_failure_is_the_callers_to_repeat(stub: Stub) -> None:
    stub.answer(BUSY)
    with pytest.raises(ModelUnavailable, match=r"^openai/gpt-4o has trouble \(503\)\.$"):
        await chain(stub).reply(HELLO, unheard)
    assert asked(stub) == ["openai"]


async def test_a_model_that_keeps_failing_is_left_for_the_next_and_comes_back(stub: Stub) -> None:
    clock = Clock()
    models = chain(stub, clock)
    stub.answer(*[BUSY] * PATIENCE)
    for _ in range(PATIENCE - 1):
        with pytest.raises(ModelUnavailable):
            await models.reply(HELLO, unheard)
    assert (await models.reply(HELLO, unheard)).use.model == "anthropic/claude-sonnet-4-5"
    resting = await models.reply(HELLO, unheard)
    assert resting.use.note == "openai/gpt-4o kept failing and is left alone for a while."
    clock.now += REST + 1
    assert (await models.reply(HELLO, unheard)).use.model == "openai/gpt-4o"
    assert asked(stub) == ["openai"] * PATIENCE + ["anthropic", "anthropic", "openai"]


async def test_a_long_retry_after_goes_to_the_next_at_once(stub: Stub) -> None:
    stub.answer(Answer(status=429, body={"error": {"message": "slow"}}, headers=(("Retry-After", "300"),)))
    assert (await chain(stub).reply(HELLO, unheard)).use.model == "anthropic/claude-sonnet-4-5"


async def test_a_success_forgives_earlier_failures(stub: Stub) -> None:
    models = chain(stub)
    for _ in range(PATIENCE + 1):
        stub.answer(BUSY)
        with pytest.raises(ModelUnavailable):
            await models.reply(HELLO, unheard)
        await models.reply(HELLO, unheard)
    assert set(asked(stub)) == {"openai"}


async def test_with_none_left_the_error_names_each_and_its_reason(stub: Stub) -> None:
    stub.answer(NO_MONEY, NO_KEY)
    with pytest.raises(ModelUnavailable) as caught:
        await chain(stub).reply(HELLO, unheard)
    assert "openai/gpt-4o has no credits left (429)." in str(caught.value)
    assert "anthropic/claude-sonnet-4-5 refused the key (401)." in str(caught.value)


async def test_a_wrong_request_goes_to_no_other_model(stub: Stub) -> None:
    stub.answer(Answer(status=400, body={"error": {"message": "bad schema"}}))
    with pytest.raises(ModelRefused):
        await chain(stub).reply(HELLO, unheard)
    stub.answer(Answer(status=400, body={"error": {"message": "long", "code": "context_length_exceeded"}}))
    with pytest.raises(ContextTooLong):
        await chain(stub).reply(HELLO, unheard)
    assert asked(stub) == ["openai", "openai"]


async def test_the_picked_model_is_asked_first_and_the_others_still_stand_behind_it(stub: Stub) -> None:
    models = chain(stub)
    picked = ModelRequest(HELLO.messages, HELLO.tools, model="anthropic/claude-sonnet-4-5")
    assert (await models.reply(picked, unheard)).use.model == "anthropic/claude-sonnet-4-5"
    stub.answer(Answer(status=401, body={"error": {"message": "bad key"}}))
    reply = await models.reply(picked, unheard)
    assert (reply.use.model, reply.use.note[:27]) == ("openai/gpt-4o", "anthropic/claude-sonnet-4-5")


async def test_a_model_that_is_not_configured_cannot_be_picked(stub: Stub) -> None:
    reply = await chain(stub).reply(ModelRequest(HELLO.messages, model="openai/o1-pro"), unheard)
    assert (reply.use.model, reply.use.note) == ("openai/gpt-4o", "The model that was picked is not one of LLM_MODELS.")


async def test_the_scripted_model_can_stand_behind_a_real_one(stub: Stub) -> None:
    real = candidate("openai/gpt-4o", "openai", "k1", stub.openai)
    stub.answer(NO_KEY)
    reply = await Chain([real, Candidate("scripted", DemoModel())]).reply(HELLO, unheard)
    assert (reply.use.model, reply.use.cost_usd) == ("scripted", "0")


async def test_a_model_that_has_failed_for_long_is_left_though_it_failed_twice_only(stub: Stub) -> None:
    clock = Clock()
    models = chain(stub, clock)
    stub.answer(BUSY, BUSY)
    with pytest.raises(ModelUnavailable):
        await models.reply(HELLO, unheard)
    clock.now += PATIENCE_SECONDS
    assert (await models.reply(HELLO, unheard)).use.model == "anthropic/claude-sonnet-4-5"


async def test_a_model_without_another_to_go_to_is_asked_every_time(stub: Stub) -> None:
    alone = Chain([candidate("openai/gpt-4o", "openai", "k1", stub.openai)], timeout=60, clock=Clock())
    stub.answer(*[BUSY] * (PATIENCE + 2))
    for _ in range(PATIENCE + 2):
        with pytest.raises(ModelUnavailable):
            await alone.reply(HELLO, unheard)
    assert (await alone.reply(HELLO, unheard)).use.note == ""


async def test_a_first_model_that_hangs_leaves_time_for_the_next(stub: Stub) -> None:
    models = chain(stub, timeout=20)
    stub.answer(Answer(fault="hang"), Answer("From the second.", first=0.5))
    waited: list[str] = []
    reply = await models.reply(replace(HELLO, on_wait=waited.append), unheard)
    assert (reply.text, reply.use.model) == ("From the second.", "anthropic/claude-sonnet-4-5")
    assert reply.use.note == "openai/gpt-4o did not begin to answer in time."
    assert waited == ["openai/gpt-4o", "anthropic/claude-sonnet-4-5", ""]


async def test_a_model_that_has_begun_may_use_all_the_time(stub: Stub) -> None:
    stub.answer(Answer("word " * 24, rate=2))  # 12 s of 20, where the first word has 10 s
    assert (await chain(stub, timeout=20).reply(HELLO, unheard)).use.model == "openai/gpt-4o"


async def test_what_an_empty_answer_used_is_counted_with_its_error(stub: Stub) -> None:
    stub.answer(Answer(fault="nothing"))
    with pytest.raises(ModelGarbled) as garbled:
        await chain(stub).reply(HELLO, unheard)
    assert garbled.value.use
    assert (garbled.value.use.prompt_tokens, garbled.value.use.completion_tokens) == (10, 5)


async def test_what_an_empty_answer_used_is_counted_with_that_of_the_model_which_answers(stub: Stub) -> None:
    models = chain(stub)
    for _ in range(PATIENCE - 1):
        stub.answer(Answer(fault="nothing"))
        with pytest.raises(ModelGarbled):
            await models.reply(HELLO, unheard)
    stub.answer(Answer(fault="nothing"))
    use = (await models.reply(HELLO, unheard)).use
    assert (use.model, use.prompt_tokens, use.completion_tokens) == ("anthropic/claude-sonnet-4-5", 20, 10)
