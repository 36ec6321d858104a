"""Clients that misbehave, through raw Temporal calls: nothing they send spins, crashes or wedges a chat."""

import asyncio
from typing import Any

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError

from agent.messages import GoalSpec, ToolSpec
from agent.wire import start_input
from tests.workflow.harness import GOAL, call, line, running_worker, said, say

DEEP: Any = 1
for _ in range(198):
    DEEP = [DEEP]

LARGE = "x" * 1_900_000
GARBAGE = RawValue(Payload(metadata={"encoding": b"json/plain"}, data=b"{bad"))
STRANGE = RawValue(Payload(metadata={"encoding": b"binary/odd"}, data=b"\x00\x01"))
SURROGATE = RawValue(Payload(metadata={"encoding": b"json/plain"}, data=rb'{"text": "\ud800"}'))

STRAY: dict[str, tuple[str, list[Any]]] = {
    "a prompt without a word": ("user_prompt", []),
    "an empty prompt": ("user_prompt", [""]),
    "a prompt of blanks and control characters": ("user_prompt", [" \x00\x1b\u0085 "]),
    "a number for a prompt": ("user_prompt", [7]),
    "null for a prompt": ("user_prompt", [None]),
    "a list for a prompt": ("user_prompt", [["a"]]),
    "a prompt whose text is a number": ("user_prompt", [{"text": 7}]),
    "a prompt of 8,001 characters": ("user_prompt", ["x" * 8_001]),
    "a prompt of 1.9 MB": ("user_prompt", [LARGE]),
    "half of a surrogate pair": ("user_prompt", [SURROGATE]),
    "bytes that are not JSON": ("user_prompt", [GARBAGE]),
    "an encoding nobody knows": ("confirm", [STRANGE]),
    "a bare confirm of nothing": ("confirm", []),
    "a confirm of an unknown proposal": ("confirm", [{"proposal_id": "no such"}]),
    "a number for a confirm": ("confirm", [1]),
    "a confirm with a list of arguments": ("confirm", [{"arguments": ["a"]}]),
    "a confirm with 1.9 MB of arguments": ("confirm", [{"arguments": {"a": LARGE}}]),
    "a confirm nested 200 deep": ("confirm", [{"arguments": {"a": DEEP}}]),
    "a decline of nothing": ("decline", []),
    "three arguments": ("decline", [1, 2, 3]),
    "a model that is a number": ("set_model", [3]),
    "an unknown signal": ("update_goal", ["x"]),
    "a name of Temporal's own": ("__temporal_signal", ["x"]),
}


async def test_stray_input_changes_nothing_but_a_status_that_the_page_shows(temporal: Client, queue: str) -> None:
    async with running_worker(temporal, queue) as harness:
        chat = await harness.start()
        before = await chat.everything()
        counts = []
        for name, arguments in STRAY.values():
            await chat.handle.signal(name, args=arguments)
            counts.append((await chat.view()).dropped.count)
        after = await chat.view()
        assert await chat.everything() == before, "even where 3.8 MB made it continue as new"
        assert len(harness.model.requests) == 1, "the model was asked for nothing"
        missed = [stray for stray, now, then in zip(STRAY, counts, [0, *counts], strict=False) if now != then + 1]
        assert missed in ([], ["a name of Temporal's own"]), missed
        assert after.dropped.reason.endswith(".")
        await chat.say("Still there?")
        assert line((await chat.everything())[-1]) == "agent: You said: Still there?"


async def test_stray_decisions_leave_a_waiting_card_as_it_is(temporal: Client, queue: str) -> None:
    async with running_worker(temporal, queue, [call("WriteNote", text="milk")]) as harness:
        chat = await harness.start()
        before = await chat.say("Note: milk")
        stray: list[Any] = [{"proposal_id": "old"}, 1, [], "yes", GARBAGE, STRANGE]
        for decision in stray:
            await chat.handle.signal("confirm", args=[decision])
            await chat.handle.signal("decline", args=[decision])
        for arguments in (3, ["a"], {"a": DEEP}, {"a": float("nan")}, {"a": "x" * 70_000}):
            await chat.signal("confirm", {"arguments": arguments})
        view = await chat.view()
        assert harness.ran == []
        assert (view.status, view.waiting, view.messages) == ("deciding", before.waiting, before.messages)
        assert view.dropped.count == len(stray) * 2 + 5


async def test_too_many_arguments_are_ignored(temporal: Client, queue: str) -> None:
    async with running_worker(temporal, queue) as harness:
        chat = await harness.start()
        await chat.handle.signal("user_prompt", args=["Hello", {"more": 1}, 3])
        view = await chat.until(lambda view: len(view.messages) == 4)
    assert said(view)[2:] == ["user: Hello", "agent: You said: Hello"]


async def test_control_characters_are_taken_out_of_what_is_said(temporal: Client, queue: str) -> None:
    async with running_worker(temporal, queue) as harness:
        chat = await harness.start()
        await chat.signal("user_prompt", "a\x00b\x1b[31mc\r\nd\te\u009f")
        view = await chat.until(lambda view: len(view.messages) == 4)
    assert said(view)[2] == "user: ab[31mc\nd\te"


async def test_an_end_with_any_payload_ends(temporal: Client, queue: str) -> None:
    async with running_worker(temporal, queue) as harness:
        chat = await harness.start()
        await chat.handle.signal("end_chat", args=[GARBAGE, 1])
        view = await chat.settled()
    assert view.ended == "person"


async def test_a_burst_of_200_messages_is_said_in_order_and_answered(temporal: Client, queue: str) -> None:
    async with running_worker(temporal, queue) as harness:
        chat = await harness.start()
        await asyncio.gather(*(chat.signal("user_prompt", f"message {number}") for number in range(200)))
        view = await chat.until(lambda view: view.next_seq > 202 and view.status == "waiting")
        heard = [message.text for message in view.messages if message.kind == "user"]
        assert sorted(heard) == sorted(f"message {number}" for number in range(200))
        assert view.messages[-1].kind == "agent"
        assert len(harness.model.requests) < 20, "what came together is answered together"


async def test_more_than_a_chat_can_carry_is_refused_with_a_reason(temporal: Client, queue: str) -> None:
    async with running_worker(temporal, queue) as harness:
        chat = await harness.start()
        harness.model.gate = asyncio.Event()
        await asyncio.gather(*(chat.signal("user_prompt", f"{number} " + "x" * 7_900) for number in range(60)))
        view = await chat.view()
        assert view.dropped.count == pytest.approx(60 - 300_000 // 7_980, abs=2)
        assert "Too many messages are waiting" in view.dropped.reason
        harness.model.gate.set()
        view = await chat.until(lambda view: view.status == "waiting")
        assert (await chat.say("And now?")).messages[-1].kind == "agent"


async def test_stray_signals_alone_make_a_run_continue_before_its_limits(temporal: Client, queue: str) -> None:
    """A run takes 10,000 signals and 50 MiB; a client that sends only stray ones must not use them up."""
    async with running_worker(temporal, queue) as harness:
        chat = await harness.start()
        runs = {(await chat.handle.describe()).run_id}
        for _ in range(8):
            await chat.signal("confirm", LARGE)
            await chat.view()
            runs.add((await chat.handle.describe()).run_id)
        assert len(runs) >= 3, "the second run, in which nothing was said, continued too"
        await chat.say("Hello?")
        assert line((await chat.everything())[-1]) == "agent: You said: Hello?"


async def test_a_run_that_fills_up_while_the_model_is_away_goes_on(temporal: Client, queue: str) -> None:
    async with running_worker(temporal, queue) as harness:
        chat = await harness.start()
        harness.model.gate = asyncio.Event()
        await chat.signal("user_prompt", "Anyone?")
        view = await chat.view()
        for _ in range(6):  # the third or fourth of them goes past what Temporal suggests
            if not view.previous_run_id:
                await chat.signal("confirm", LARGE)
                view = await chat.view()
        assert view.previous_run_id
        assert view.status == "thinking"
        harness.model.gate.set()
        await chat.until(lambda view: view.status == "waiting")
        assert [line(message) for message in await chat.everything()][2:] == [
            "user: Anyone?",
            "agent: You said: Anyone?",
        ]


UNREADABLE_STARTS: list[tuple[list[Any], str]] = [
    ([], "has no agent_goal"),
    ([None], "has no agent_goal"),
    (["text"], "cannot be read"),
    ([[1, 2]], "cannot be read"),
    ([{"agent_goal": 3}], "agent_goal: Input should be a valid dictionary"),
    ([{"agent_goal": {"tools": [{"name": 1}]}}], "agent_goal.tools.0.name: Input should be a valid string"),
    ([{"agent_goal": {"tools": [{"name": "no good"}]}}], "a tool's name must be 1 to 64"),
    ([{"agent_goal": {"tools": [{"name": "plan"}]}}], "no tool can be called plan"),
    ([{"agent_goal": {"description": "x" * 150_000}}], "agent_goal is larger than 100 kB"),
    ([{"agent_goal": {}, "tool_params": {"prompt_queue": ["x" * 16_000] * 30}}], "prompt_queue is longer"),
    ([{"agent_goal": {}, "tool_params": {"prompt_queue": [1]}}], "prompt_queue.0: Input should be a valid string"),
    ([{"resume": {"goal": {"name": "x"}, "reply_due": True}}], "has no agent_goal"),
]


async def test_a_start_input_that_cannot_be_used_fails_with_one_sentence(temporal: Client, queue: str) -> None:
    async with running_worker(temporal, queue) as harness:
        for number, (arguments, sentence) in enumerate(UNREADABLE_STARTS):
            handle = await harness.start_raw(f"unreadable-{queue}-{number}", *arguments)
            assert sentence in await _failure(handle)
            await asyncio.wait_for(_refused(handle.signal("user_prompt", "Hello?")), 30)


async def test_a_state_of_another_chat_cannot_be_brought_along(temporal: Client, queue: str) -> None:
    forged = {"goal": {"name": "x"}, "receipt": {"kind": "decision", "proposal_id": "p", "verdict": "confirmed"}}
    async with running_worker(temporal, queue) as harness:
        chat_id = f"forged-{queue}"
        handle = await harness.start_raw(chat_id, start_input(GOAL) | {"resume": forged})
        view = await handle.query("get_chat")
    assert view["goal"]["name"] == "notes"
    assert harness.ran == []


async def test_more_start_arguments_than_one_are_ignored(temporal: Client, queue: str) -> None:
    async with running_worker(temporal, queue) as harness:
        handle = await harness.start_raw(f"several-{queue}", start_input(GOAL), 2, "three")
        await asyncio.sleep(0.3)
        assert (await handle.query("get_chat"))["goal"]["name"] == "notes"


async def test_a_start_input_that_cannot_be_decoded_harms_no_other_chat(temporal: Client, queue: str) -> None:
    """As when a client encrypts and the worker has no key: it waits for a worker that can, and can be terminated."""
    async with running_worker(temporal, queue) as harness:
        handle = await harness.start_raw(f"undecodable-{queue}", STRANGE)
        chat = await harness.start()
        assert said(await chat.say("Hello?"))[-1] == "agent: You said: Hello?"
        assert (await handle.describe()).history_length < 10
        await handle.terminate()


async def test_a_tool_that_no_worker_has_ends_in_a_sentence(temporal: Client, queue: str) -> None:
    goal = GoalSpec(name="foreign", tools=[ToolSpec(name="BookTaxi")])
    async with running_worker(temporal, queue, [call("BookTaxi"), say("There is none.")]) as harness:
        chat = await harness.start(goal=goal)
        await chat.say("A taxi, please")
        view = await chat.confirm()
    assert said(view)[-2:] == [
        "failed: This worker has no tool called BookTaxi. Add it to tools/ and restart the worker.",
        "agent: There is none.",
    ]


async def test_queries_with_wrong_arguments_leave_the_chat_as_it_is(temporal: Client, queue: str) -> None:
    async with running_worker(temporal, queue) as harness:
        chat = await harness.start()
        for since in (-5, "two", None, {"a": 1}, 2.5, True):
            view = await chat.handle.query("get_chat", since)
            assert view["messages"]
        await _refused(chat.handle.query("get_chat", args=[1, 2]))
        await _refused(chat.handle.query("get_secrets"))
        assert said(await chat.say("Hello?"))[-1] == "agent: You said: Hello?"


async def _failure(handle: WorkflowHandle[Any, Any]) -> str:
    with pytest.raises(WorkflowFailureError) as failed:
        await asyncio.wait_for(handle.result(), 60)
    assert isinstance(failed.value.cause, ApplicationError)
    return failed.value.cause.message


async def _refused(asked: Any) -> None:
    with pytest.raises(Exception, match=r".+"):
        await asked
