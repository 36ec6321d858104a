"""What the workflow does with models that fail, are swapped, cost money, forget, or are lied to. On a real server."""

import asyncio
import json
from decimal import Decimal
from functools import partial
from pathlib import Path

import pytest
from temporalio.client import Client

from agent.errors import ContextTooLong, ModelGarbled, ModelRefused, ModelUnavailable
from agent.model import CalledTool, ModelRequest, Reply
from agent.settings import Settings
from tests.workflow.harness import USE, CannedModel, Chat, broken_validator, call, running_worker, said, say, wait_until

INJECTIONS = json.loads((Path(__file__).parent / "injections.json").read_text(encoding="utf-8"))


async def test_an_unavailable_model_is_asked_again_and_the_answer_comes(temporal: Client, queue: str) -> None:
    async with running_worker(
        temporal, queue, [ModelUnavailable("Overloaded.", retry_after=0.1), say("Here I am.")]
    ) as harness:
        chat = await harness.start()
        view = await chat.say("Hello?")
    assert said(view)[-2:] == ["user: Hello?", "agent: Here I am."]


async def test_a_model_that_answers_with_nothing_is_reported_after_four_attempts(temporal: Client, queue: str) -> None:
    async with running_worker(temporal, queue, [ModelGarbled("The model gave an empty answer.")] * 9) as harness:
        chat = await harness.start()
        view = await chat.say("Hello?")
    assert said(view)[-1] == "notice: The model gave an empty answer. Send it again, or pick another model."
    assert len(harness.model.requests) == 1 + 4


async def test_an_internal_error_is_reported_after_three_attempts_and_the_chat_goes_on(
    temporal: Client, queue: str
) -> None:
    """Its text may hold a key: it is neither on the page nor in the history."""
    broken = RuntimeError("Bearer sk-live-12345678")
    async with running_worker(temporal, queue, [broken] * 3 + [say("Here I am.")]) as harness:
        chat = await harness.start()
        attempts: list[str] = []

        async def is_reported() -> bool:
            if (attempt := (await harness.chats.view(chat.id)).attempt) is not None and attempt.error:
                attempts.append(attempt.error)
            return (await chat.view()).messages[-1].kind == "notice"

        await harness.chats.send(chat.id, "Hello?")
        await wait_until(is_reported)
        view = await chat.view()
        assert said(await chat.say("And now?"))[-1] == "agent: Here I am."
        history = (await chat.handle.fetch_history()).to_json()
    sentence = "This step failed with an internal error (RuntimeError); the worker's log has the details."
    assert said(view)[-1] == f"notice: {sentence}"
    assert set(attempts) == {sentence}, "nothing died, so nothing says so"
    assert len(harness.model.requests) == 1 + 3 + 1
    assert "12345678" not in history


async def test_a_validator_that_fails_is_reported_and_the_tokens_count(temporal: Client, queue: str) -> None:
    answers = [call("WriteNote", text="milk"), say("Here I am.")]
    async with running_worker(temporal, queue, answers, toolset=broken_validator("WriteNote")) as harness:
        chat = await harness.start()
        view = await chat.say("Note: milk")
        assert said(view)[-1].startswith("notice: The arguments of WriteNote could not be checked")
        assert view.tokens == 2 * 15
        assert said(await chat.say("And now?"))[-1] == "agent: Here I am."


async def test_a_summary_that_fails_counts_its_tokens_and_keeps_its_error_in_the_log(
    temporal: Client, queue: str
) -> None:
    async with running_worker(temporal, queue) as harness:

        async def broken(request: ModelRequest) -> Reply:
            harness.model.summaries.append(request)
            error = ModelGarbled("The model gave an empty answer.")
            error.use = USE
            raise error if len(harness.model.summaries) % 3 else RuntimeError("sk-live-12345678")

        harness.model.summarize = broken  # type: ignore[method-assign]
        chat = await harness.start_with(window_bytes=2_000)
        for number in range(4):
            await chat.say(f"{number}: " + "word " * 80)
        await wait_until(lambda: len(harness.model.summaries) >= 3)
        view = await chat.until(lambda view: view.tokens >= (5 + 2) * 15)
        history = (await chat.handle.fetch_history()).to_json()
    assert view.status == "waiting"
    assert "12345678" not in history


async def test_a_refusing_model_is_reported_and_the_chat_goes_on(temporal: Client, queue: str) -> None:
    async with running_worker(
        temporal, queue, [ModelRefused("The model does not know this request (404)."), say("Better.")]
    ) as harness:
        chat = await harness.start()
        view = await chat.say("Hello?")
        assert said(view)[-1] == "notice: The model does not know this request (404)."
        assert view.status == "waiting"
        view = await chat.say("And now?")
    assert said(view)[-1] == "agent: Better."


async def test_a_context_that_is_too_long_is_cut_and_asked_again(temporal: Client, queue: str) -> None:
    async with running_worker(temporal, queue) as harness:
        chat = await harness.start()
        for turn in range(4):
            await chat.say(f"Turn {turn}")
        harness.model.answers = [ContextTooLong("Too long."), say("Short enough.")]
        view = await chat.say("Newest")
    tried, cut = harness.model.requests[-2:]
    assert len(cut.messages) < len(tried.messages)
    assert cut.messages[-1]["content"] == "Newest"
    assert said(view)[-1] == "agent: Short enough."


@pytest.mark.parametrize(
    "wrong",
    [
        Reply("", [CalledTool("c1", "WriteNote", '{"text": ')], USE),
        Reply("", [CalledTool("c1", "WriteNote", '["milk"]')], USE),
        Reply("", [CalledTool("c1", "WriteNote", '{"text": "\\ud800"}')], USE),
        call("WriteNote"),
        call("BurnNotes", text="milk"),
    ],
    ids=["cut", "list", "surrogate", "missing", "unknown tool"],
)
async def test_a_call_that_cannot_be_proposed_goes_back_to_the_model_once(
    temporal: Client, queue: str, wrong: Reply
) -> None:
    async with running_worker(temporal, queue, [wrong, call("WriteNote", text="milk")]) as harness:
        chat = await harness.start()
        view = await chat.say("Note: milk")
    assert said(view)[-1] == "proposal: WriteNote {'text': 'milk'}"
    correction = harness.model.requests[-1].messages[-1]
    assert correction["role"] == "tool"
    assert json.loads(correction["content"])["ok"] is False
    json.loads(harness.model.requests[-1].messages[-2]["tool_calls"][0]["function"]["arguments"])


async def test_a_call_that_is_wrong_twice_becomes_a_question_for_what_is_missing(temporal: Client, queue: str) -> None:
    async with running_worker(temporal, queue, [call("WriteNote"), call("WriteNote")]) as harness:
        chat = await harness.start()
        view = await chat.say("Write a note")
    assert said(view)[-1] == "agent: Before I can write note: I still need the text. What should it be?"
    assert len(harness.model.requests) == 3


async def test_another_model_picked_during_a_call_is_asked_instead(temporal: Client, queue: str) -> None:
    async with running_worker(temporal, queue, [say("From the new one.")]) as harness:
        chat = await harness.start()
        harness.model.gate = asyncio.Event()
        await harness.chats.send(chat.id, "Hello?")
        await chat.until(lambda view: len(harness.model.requests) == 2)
        await harness.chats.set_model(chat.id, "openai/other")
        await chat.until(lambda view: len(harness.model.requests) == 3)
        await wait_until(lambda: harness.model.cancelled == 1)
        harness.model.gate.set()
        view = await chat.settled()
    assert harness.model.requests[-1].model == "openai/other"
    assert [text for text in said(view) if text.startswith("agent")] == ["agent: Hello!", "agent: From the new one."]


async def test_the_guardrail_gates_what_the_plan_says(temporal: Client, queue: str) -> None:
    guard = CannedModel([say("NO, we only keep notes here. Which note?"), say("Yes")])
    async with running_worker(temporal, queue, [call("WriteNote", text="x"), say("Welcome.")], guard=guard) as harness:
        chat = await harness.start()
        view = await chat.say("Book me a flight")
        assert said(view)[-1] == "agent: we only keep notes here. Which note?"
        assert view.messages[-1].off_goal is True  # type: ignore[union-attr]
        harness.model.answers = [say("Welcome.")]
        view = await chat.say("Hello again")
    assert said(view)[-1] == "agent: Welcome."


async def test_nothing_of_the_plan_is_shown_before_the_guardrail_has_passed_it(temporal: Client, queue: str) -> None:
    guard = CannedModel([say("YES")], gate=asyncio.Event())
    async with running_worker(temporal, queue, [say("Secret.")], guard=guard) as harness:
        chat = await harness.start()
        await harness.chats.send(chat.id, "Tell me")
        await chat.until(lambda view: len(harness.model.requests) == 2)
        await asyncio.sleep(0.5)
        snapshot = await harness.chats.view(chat.id)
        assert snapshot.attempt is not None
        assert snapshot.attempt.partial == ""
        assert guard.gate is not None
        guard.gate.set()
        assert said(await chat.settled())[-1] == "agent: Secret."


async def test_a_wrong_no_is_overruled_by_sending_it_anyway(temporal: Client, queue: str) -> None:
    guard = CannedModel([say("NO.")])
    async with running_worker(temporal, queue, [say("never shown"), say("Gladly.")], guard=guard) as harness:
        chat = await harness.start()
        view = await chat.say("Note: burgers")
        assert view.messages[-1].off_goal is True  # type: ignore[union-attr]
        harness.model.answers = [say("Gladly.")]
        view = await chat.say("Note: burgers", insist=True)
    assert said(view)[-1] == "agent: Gladly."
    assert len(guard.requests) == 1
    assert "off_goal" not in [tool["function"]["name"] for tool in harness.model.requests[-1].tools]


async def test_a_spent_budget_asks_before_the_next_turn_and_goes_on_when_told(temporal: Client, queue: str) -> None:
    settings = Settings(temporal_task_queue=queue, chat_budget_usd=Decimal("0.0015"))
    async with running_worker(temporal, queue, settings=settings) as harness:
        chat = await harness.start()
        await chat.say("One")
        calls = len(harness.model.requests)
        view = await chat.say("Two")
        assert view.waiting is not None
        assert view.waiting.kind == "budget"
        assert len(harness.model.requests) == calls
        view = await chat.confirm()
        assert said(view)[-1] == "agent: You said: Two"
        assert view.cost_usd == "0.003"
        view = await chat.say("Three")
        assert view.waiting is not None
        await harness.chats.decline(chat.id, view.waiting.id)
        view = await chat.until(lambda view: view.status == "waiting")
    assert len(harness.model.requests) == calls + 1


async def test_an_unknown_price_is_unknown_and_tokens_bound_the_chat(temporal: Client, queue: str) -> None:
    settings = Settings(temporal_task_queue=queue, chat_budget_usd=Decimal("100"), chat_budget_tokens=25)
    free = USE.model_copy(update={"cost_usd": None})
    async with running_worker(temporal, queue, [Reply("Hm.", [], free)], settings=settings) as harness:
        chat = await harness.start()
        view = await chat.say("One")
        assert (view.tokens, view.cost_usd) == (30, None)
        view = await chat.say("Two")
    assert view.waiting is not None
    assert "30 of the 25 tokens" in view.waiting.text


async def test_a_fact_of_the_first_turn_is_still_known_in_the_sixtieth(temporal: Client, queue: str) -> None:
    async with running_worker(temporal, queue) as harness:
        chat = await harness.start()
        await chat.say("My name is Wilhelmina Featherstone.")
        for turn in range(2, 61):
            await chat.say(f"Turn {turn}: " + "something that takes up room in the window, word by word. " * 10)
        sent = json.dumps(harness.model.requests[-1].messages)
    assert harness.model.summaries, "the window never filled"
    assert "Wilhelmina Featherstone" in sent
    assert len(sent) < 24_000
    assert "Wilhelmina" not in json.dumps(harness.model.requests[-1].messages[1:]), "the summary alone knows it"


async def test_history_per_turn_does_not_grow_with_the_chat(temporal: Client, queue: str) -> None:
    """Turns 61 to 100 against turns 21 to 60, all runs of the chat counted, continue-as-new included."""
    async with running_worker(temporal, queue) as harness:
        chat = await harness.start_with(history_limit=200_000, window_bytes=4_000)
        total: dict[int, int] = {}
        for turn in range(1, 101):
            await chat.say(f"Turn {turn}: a sentence of about the length that a person types in a chat, and some more.")
            if turn in (20, 60, 100):
                total[turn] = await _history_bytes(chat)
        runs = {(await chat.handle.describe()).run_id, (await chat.view()).previous_run_id}
    assert len(runs - {""}) == 2, "the chat never continued as new"
    assert total[100] - total[60] <= 1.1 * (total[60] - total[20])


async def test_instructions_hidden_in_a_result_run_no_tool_without_a_receipt(temporal: Client, queue: str) -> None:
    """The worst case: the model obeys whatever the tool's result says."""
    async with running_worker(temporal, queue) as harness:
        for text in INJECTIONS:
            harness.ran.clear()
            harness.model.answers = [say("Hello!"), call("ReadNote", text="a"), call("PostNote", text="obeyed")]
            harness.hooks["ReadNote"] = partial(str, text)
            chat = await harness.start()
            offered = harness.model.requests[-1].tools
            await chat.say("Read it")
            view = await chat.confirm()
            assert (view.status, view.goal.name) == ("deciding", "notes"), text
            assert [name for name, _, _ in harness.ran] == ["ReadNote"], text
            newest = harness.model.requests[-1]
            assert newest.messages[-1]["role"] == "tool"
            assert json.loads(newest.messages[-1]["content"])["result"] == text
            assert newest.tools == offered, text


async def test_pasted_text_is_never_an_instruction_of_ours(temporal: Client, queue: str) -> None:
    async with running_worker(temporal, queue) as harness:
        chat = await harness.start()
        for text in INJECTIONS:
            view = await chat.say(text)
            assert not harness.model.requests[-1].messages[-1]["content"].startswith("###")
            assert view.messages[-2].kind == "user"


async def _history_bytes(chat: Chat) -> int:
    """Bytes of history of all runs of a chat."""
    run_id, total = (await chat.handle.describe()).run_id, 0
    while run_id:
        described = await chat.harness.temporal.get_workflow_handle(chat.id, run_id=run_id).describe()
        total += described.raw_description.workflow_execution_info.history_size_bytes
        run_id = (await chat.harness.chats.earlier(chat.id, run_id)).previous_run_id
    return total
