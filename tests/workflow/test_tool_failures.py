"""A tool that fails, fails for a while, or leaves its outcome unknown."""

import asyncio
from typing import Any

import pytest
from temporalio.client import Client

from tests.workflow.harness import call, running_worker, said, say
from tools import TryAgain


async def test_a_failed_tool_is_told_as_failed_and_not_run_again(temporal: Client, queue: str) -> None:
    async with running_worker(temporal, queue, [call("WriteNote", text="fail"), say("It failed.")]) as harness:
        chat = await harness.start()
        await chat.say("Note: fail")
        view = await chat.confirm()
        told = harness.model.requests[-1].messages[-1]["content"]
    assert said(view)[-2] == "failed: The note could not be kept: the notebook is full."
    assert told == '{"ok": false, "error": "The note could not be kept: the notebook is full."}'
    assert len(harness.ran) == 1


@pytest.mark.parametrize("name", ["ReadNote", "WriteNote"])
async def test_a_tool_that_may_be_repeated_is_tried_again_with_the_same_key(
    temporal: Client, queue: str, name: str
) -> None:
    async with running_worker(temporal, queue, [call(name, text="a"), say("Good.")]) as harness:
        harness.hooks[name] = _failing(2, harness.ran)
        chat = await harness.start()
        await chat.say("Go")
        view = await chat.confirm()
    assert said(view)[-2:] == [f"ok: {name} of a", "agent: Good."]
    assert len(harness.ran) == 3
    assert len({key for _, _, key in harness.ran}) == 1


async def test_a_read_that_never_works_is_told_as_failed(temporal: Client, queue: str) -> None:
    async with running_worker(temporal, queue, [call("ReadNote", text="a"), say("A pity.")]) as harness:
        harness.hooks["ReadNote"] = _failing(9, harness.ran)
        chat = await harness.start()
        await chat.say("Read")
        view = await chat.confirm()
    assert said(view)[-2:] == ["failed: The notebook is being moved.", "agent: A pity."]
    assert len(harness.ran) == 4


async def test_an_effect_that_never_answers_is_unknown_and_keeps_its_key_when_tried_again(
    temporal: Client, queue: str
) -> None:
    async with running_worker(temporal, queue, [call("WriteNote", text="a"), say("Good.")]) as harness:
        harness.hooks["WriteNote"] = _failing(4, harness.ran)
        chat = await harness.start()
        await chat.say("Write")
        view = await chat.confirm()
        assert view.waiting
        assert view.waiting.kind == "lost_result"
        view = await chat.confirm()
    assert said(view)[-2:] == ["ok: WriteNote of a", "agent: Good."]
    assert len(harness.ran) == 5
    assert len({key for _, _, key in harness.ran}) == 1, "it is the same effect"


async def test_an_effect_tried_again_with_other_arguments_is_another_effect(temporal: Client, queue: str) -> None:
    async with running_worker(temporal, queue, [call("WriteNote", text="a"), say("Good.")]) as harness:
        harness.hooks["WriteNote"] = _failing(4, harness.ran)
        chat = await harness.start()
        await chat.say("Write")
        await chat.confirm()
        await chat.confirm(text="b")
    assert [text for _, text, _ in harness.ran] == ["a", "a", "a", "a", "b"]
    assert len({key for _, _, key in harness.ran}) == 2


async def test_a_once_tool_is_never_tried_again_by_itself(temporal: Client, queue: str) -> None:
    async with running_worker(temporal, queue, [call("PostNote", text="a")]) as harness:
        harness.hooks["PostNote"] = _failing(1, harness.ran)
        chat = await harness.start()
        await chat.say("Post")
        view = await chat.confirm()
    assert view.waiting
    assert view.waiting.kind == "lost_result"
    assert said(view)[-2] == "unknown: The notebook is being moved."
    assert len(harness.ran) == 1


async def test_words_said_while_the_answer_was_lost_are_answered_instead_of_a_card(
    temporal: Client, queue: str
) -> None:
    async with running_worker(temporal, queue, [call("PostNote", text="a"), say("I do not know.")]) as harness:
        gate = asyncio.Event()

        async def lose() -> None:
            await gate.wait()
            raise TryAgain("The notebook is being moved.")

        harness.hooks["PostNote"] = lose
        chat = await harness.start()
        await chat.say("Post")
        await chat.signal("confirm")
        await chat.until(lambda view: view.status == "running")
        await harness.chats.send(chat.id, "Was it posted?")
        await chat.until(lambda view: bool(view.queued))
        gate.set()
        view = await chat.until(lambda view: view.status == "waiting")
        told = [line["content"] for line in harness.model.requests[-1].messages[-2:]]
    assert said(view)[-2:] == ["user: Was it posted?", "agent: I do not know."]
    assert told == ['{"unknown": true, "error": "The notebook is being moved."}', "Was it posted?"]


async def test_a_tool_whose_result_cannot_be_kept_counts_as_done(temporal: Client, queue: str) -> None:
    deep: Any = 1
    for _ in range(190):
        deep = {"a": deep}
    async with running_worker(temporal, queue, [call("ReadNote", text="a"), say("Odd.")]) as harness:
        harness.hooks["ReadNote"] = lambda: deep
        chat = await harness.start()
        await chat.say("Read")
        view = await chat.confirm()
    assert said(view)[-2] == "ok: ReadNote ran, but its result was not kept: it is nested more than 50 deep."


async def test_what_an_unforeseen_failure_says_stays_in_the_log(temporal: Client, queue: str) -> None:
    """Anything may be in it, a key for example: it is neither on the page nor in the history."""
    async with running_worker(temporal, queue, [call("PostNote", text="a")]) as harness:
        harness.hooks["PostNote"] = lambda: _raise(BaseException("sk-12345678"))
        chat = await harness.start()
        await chat.say("Post")
        view = await chat.confirm()
        history = (await chat.handle.fetch_history()).to_json()
    assert "12345678" not in view.model_dump_json() + history
    assert said(view)[-2] == (
        "unknown: This step failed with an internal error (BaseException); the worker's log has the details."
    )


def _raise(error: BaseException) -> None:
    raise error


def _failing(times: int, ran: list[Any]) -> Any:
    def fail() -> None:
        if len(ran) <= times:
            raise TryAgain("The notebook is being moved.", retry_after=0.05)

    return fail
