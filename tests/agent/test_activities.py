"""The workflow's hands by themselves, in Temporal's activity environment."""

import asyncio
import dataclasses
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import pytest
from temporalio.common import RawValue
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from agent.activities import REPLY_LENGTH, Activities
from agent.errors import ModelGarbled, ModelRefused, ModelUnavailable
from agent.interruptions import MARK
from agent.messages import Plan, PlanRequest, SummaryRequest, ToolAnswer, ToolCall, UserMessage
from agent.model import ModelRequest, Reply
from agent.settings import Settings
from tests.workflow.harness import GOAL, USE, Answer, CannedModel, broken_validator, call, recording_tools, say
from tools import Toolset, TryAgain

REQUEST = PlanRequest(goal=GOAL, messages=[UserMessage(text="Note: milk")])


def activities(
    answers: Sequence[Answer] = (), guard: CannedModel | None = None, toolset: Toolset | None = None, **settings: Any
) -> Activities:
    return Activities(Settings(**settings), CannedModel(list(answers)), toolset or recording_tools([], {}), guard)


async def plan(
    made: Activities,
    request: PlanRequest = REQUEST,
    beats: list[Any] | None = None,
    attempt: int = 1,
    previous: Sequence[Any] = (),
) -> Plan:
    """One attempt; previous: the details of the last heartbeat of the attempt before. beats: without their mark."""
    environment = ActivityEnvironment()
    environment.info = dataclasses.replace(environment.info, attempt=attempt, heartbeat_details=previous)
    if beats is not None:
        environment.on_heartbeat = lambda *details: beats.append(
            {name: value for name, value in details[0].items() if name != MARK}
        )
    return await environment.run(made.plan, request)


async def run(made: Activities, tool: str, **arguments: Any) -> ToolAnswer:
    asked = ToolCall(proposal_id="k-1", tool=tool, arguments=arguments, idempotency_key="chat/k-1")
    converter = pydantic_data_converter.payload_converter
    environment = ActivityEnvironment()
    environment.payload_converter = converter
    return await environment.run(made.run_tool, [RawValue(converter.to_payload(asked))])


async def test_a_plan_is_one_call_of_the_model() -> None:
    model = CannedModel([say("Milk it is.")])
    made = Activities(Settings(), model, recording_tools([], {}))
    assert (await plan(made)).text == "Milk it is."
    assert [line["role"] for line in model.requests[0].messages] == ["system", "user"]
    offered = [tool["function"]["name"] for tool in model.requests[0].tools]
    assert offered[:3] == ["ReadNote", "WriteNote", "PostNote"]


class Streaming(CannedModel):
    async def reply(self, request: ModelRequest, on_text: Callable[[str], None]) -> Reply:
        for text in ("Mi", "Milk"):
            on_text(text)
            await asyncio.sleep(0.05)
        return say("Milk")


async def test_a_growing_reply_is_carried_by_heartbeats() -> None:
    beats: list[Any] = []
    made = Activities(Settings(stream_interval=0.01), Streaming(), recording_tools([], {}))
    await plan(made, beats=beats)
    assert beats == [{"text": "Mi"}, {"text": "Milk"}], (
        "one for each change, and none before there is something to tell"
    )


async def test_without_streaming_a_short_reply_sends_no_heartbeat_at_all() -> None:
    beats: list[Any] = []
    made = Activities(Settings(stream_interval=0), Streaming(), recording_tools([], {}))
    await plan(made, beats=beats)
    assert beats == []


@pytest.mark.parametrize(
    ("error", "kind", "final"),
    [
        (ModelUnavailable("Overloaded.", retry_after=3), "ModelUnavailable", False),
        (ModelRefused("No such model."), "ModelRefused", True),
    ],
)
async def test_which_failures_of_the_model_are_tried_again(error: Exception, kind: str, final: bool) -> None:
    with pytest.raises(ApplicationError) as failed:
        await plan(activities([error]))
    assert (failed.value.type, failed.value.non_retryable, failed.value.message) == (kind, final, str(error))


@pytest.mark.parametrize(("attempt", "final"), [(1, False), (2, False), (3, True)])
async def test_an_internal_error_is_retried_twice_and_says_only_its_type(
    attempt: int, final: bool, caplog: pytest.LogCaptureFixture
) -> None:
    made = activities([KeyError("s3cret-of-acme")], environment={"ACME_TOKEN": "s3cret-of-acme"})
    with pytest.raises(ApplicationError) as failed:
        await plan(made, attempt=attempt)
    assert (failed.value.type, failed.value.non_retryable) == ("InternalError", final)
    assert failed.value.message == (
        "This step failed with an internal error (KeyError); the worker's log has the details."
    )
    assert failed.value.__cause__ is None
    assert "s3cret" not in caplog.text
    assert "KeyError: '[hidden]'" in caplog.text


async def test_a_validator_that_fails_is_reported_once_and_names_its_tool(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(ApplicationError) as failed:
        await plan(activities([call("WriteNote", text="milk")], toolset=broken_validator("WriteNote")))
    assert failed.value.non_retryable
    assert failed.value.message == (
        "The arguments of WriteNote could not be checked because of an error in this tool; "
        "the worker's log has the details."
    )
    assert "ZeroDivisionError" in caplog.text
    assert failed.value.details[0]["prompt_tokens"] == 10, "the call was made, and counts"


async def test_a_validator_that_fails_when_the_tool_runs_is_logged_too(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(ApplicationError, match="could not be checked because of an error in this tool") as failed:
        await run(activities(toolset=broken_validator("WriteNote")), "WriteNote", text="milk")
    assert failed.value.type == "ToolError"
    assert "ZeroDivisionError" in caplog.text


async def test_what_failed_attempts_used_is_counted_by_the_next_one() -> None:
    heartbeats: list[Any] = []
    with pytest.raises(ApplicationError):
        await plan(activities([call("WriteNote"), RuntimeError("broken")]), beats=heartbeats)
    made = await plan(activities([say("Milk.")]), attempt=2, previous=heartbeats[-1:])
    assert made.by
    assert (made.by.prompt_tokens, made.by.completion_tokens, made.by.cost_usd) == (20, 10, "0.002")


async def test_what_failed_attempts_used_counts_against_the_budget() -> None:
    model = CannedModel()
    made = Activities(Settings(chat_budget_tokens=12), model, recording_tools([], {}))
    asked = await plan(made, attempt=2, previous=[{"usage": USE.model_dump(mode="json")}])
    assert [proposal.kind for proposal in asked.proposals] == ["budget"]
    assert model.requests == []
    assert asked.by
    assert asked.by.prompt_tokens == 10


async def test_what_a_failed_call_used_is_counted() -> None:
    garbled = ModelGarbled("The answer broke off.")
    garbled.use = USE
    with pytest.raises(ApplicationError) as failed:
        await plan(activities([garbled]))
    assert failed.value.details[0]["completion_tokens"] == 5


async def test_the_calls_of_the_guard_are_counted() -> None:
    made = await plan(activities([say("Milk.")], CannedModel([say("YES")])))
    assert made.by
    assert (made.by.prompt_tokens, made.by.cost_usd) == (20, "0.002")


async def test_a_reply_without_end_is_cut() -> None:
    assert len((await plan(activities([say("word " * 400_000)]))).text) <= 100_000


async def test_a_wrong_call_costs_one_more_and_both_are_counted() -> None:
    made = await plan(activities([call("WriteNote"), call("WriteNote", text="milk")]))
    assert made.proposals[0].arguments == {"text": "milk"}
    assert made.by
    assert (made.by.prompt_tokens, made.by.cost_usd) == (20, "0.002")


async def test_the_guard_hides_a_plan_that_it_refuses() -> None:
    guard = CannedModel([say("NO: let us stay with notes.")])
    beats: list[Any] = []
    made = await plan(activities([call("PostNote", text="x")], guard), beats=beats)
    assert (made.text, made.off_goal, made.proposals) == ("let us stay with notes.", True, [])
    assert all(not beat for beat in beats), "nothing of the plan is shown before it passed"


async def test_the_guard_is_not_asked_about_what_the_person_insists_on() -> None:
    guard = CannedModel([say("NO")])
    insisted = REQUEST.model_copy(update={"messages": [UserMessage(text="Milk!", insist=True)]})
    assert (await plan(activities([say("All right.")], guard), insisted)).text == "All right."
    assert guard.requests == []


@pytest.mark.parametrize(
    ("spent", "asks"),
    [({"cost_usd": "0.49"}, False), ({"cost_usd": "0.5"}, True), ({"cost_usd": "0.5", "extensions": 1}, False)],
)
async def test_a_spent_budget_asks_before_it_spends_more(spent: dict[str, Any], asks: bool) -> None:
    made = await plan(activities([say("Yes?")], chat_budget_usd=Decimal("0.50")), REQUEST.model_copy(update=spent))
    assert [proposal.kind for proposal in made.proposals] == (["budget"] if asks else [])


async def test_a_summary_is_cut_to_its_length() -> None:
    class Talkative(CannedModel):
        async def summarize(self, request: ModelRequest) -> Reply:
            return say("word " * 9_000)

    environment = ActivityEnvironment()
    made = Activities(Settings(), Talkative(), recording_tools([], {}))
    assert len((await environment.run(made.summarize, SummaryRequest(goal=GOAL))).text) <= 4_000


async def test_a_tool_gets_its_key_and_returns_its_result() -> None:
    ran: list[tuple[str, str, str]] = []
    answer = await run(activities(toolset=recording_tools(ran, {})), "WriteNote", text="milk")
    assert answer.result == "WriteNote of milk"
    assert ran == [("WriteNote", "milk", "chat/k-1")]


async def test_a_tool_that_fails_says_whether_it_may_be_tried_again() -> None:
    def again() -> None:
        raise TryAgain("Busy.", retry_after=5)

    toolset = recording_tools([], {"ReadNote": again})
    for name, text, kind, final in (("WriteNote", "fail", "ToolError", True), ("ReadNote", "a", "TryAgain", False)):
        with pytest.raises(ApplicationError) as failed:
            await run(activities(toolset=toolset), name, text=text)
        assert (failed.value.type, failed.value.non_retryable) == (kind, final)


@pytest.mark.parametrize("arguments", [{}, {"text": ["a"]}])
async def test_arguments_are_checked_again_when_the_tool_runs(arguments: dict[str, Any]) -> None:
    ran: list[tuple[str, str, str]] = []
    with pytest.raises(ApplicationError, match="text"):
        await run(activities(toolset=recording_tools(ran, {})), "PostNote", **arguments)
    assert ran == []


async def test_an_unknown_tool_is_told_and_not_tried_again() -> None:
    with pytest.raises(ApplicationError, match="no tool called Burn") as failed:
        await run(activities(), "Burn")
    assert failed.value.non_retryable


SECRET = "s3cret-of-acme"


async def test_what_a_model_writes_is_stored_without_keys_and_not_endless() -> None:
    environment = {"ACME_TOKEN": SECRET}
    told = await plan(activities([say(f"The key is {SECRET}." + "x" * 200_000)], environment=environment))
    assert told.text.startswith("The key is [hidden].")
    assert len(told.text) <= REPLY_LENGTH
    proposed = await plan(activities([call("WriteNote", text=f"Note {SECRET}")], environment=environment))
    assert proposed.proposals[0].arguments == {"text": "Note [hidden]"}
    summary = activities([], environment=environment)
    summed_up = await ActivityEnvironment().run(summary.summarize, SummaryRequest(goal=GOAL, summary=SECRET))
    assert SECRET not in summed_up.text


class Leaking(CannedModel):
    async def reply(self, request: ModelRequest, on_text: Callable[[str], None]) -> Reply:
        text = f"The key is {SECRET} indeed"
        for length in range(1, len(text) + 1):
            on_text(text[:length])
            await asyncio.sleep(0.002)
        await asyncio.sleep(0.2)
        return say(text)


async def test_no_part_of_a_key_is_streamed() -> None:
    beats: list[Any] = []
    settings = Settings(stream_interval=0.001, environment={"ACME_TOKEN": SECRET})
    await plan(Activities(settings, Leaking(), recording_tools([], {})), beats=beats)
    assert beats
    assert all(SECRET[:5] not in str(beat) for beat in beats)
    assert beats[-1] == {"text": "The key is [hidden] indeed"}


class Slow(CannedModel):
    async def reply(self, request: ModelRequest, on_text: Callable[[str], None]) -> Reply:
        request.on_wait("openai/slow")
        await asyncio.sleep(1.5)
        request.on_wait("")
        on_text("Milk")
        await asyncio.sleep(0.1)
        return say("Milk")


async def test_a_model_that_takes_long_to_begin_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.activities.WAIT_SHOWN_AFTER", 0.1)
    beats: list[Any] = []
    await plan(Activities(Settings(stream_interval=0.01), Slow(), recording_tools([], {})), beats=beats)
    assert beats[0] == {"waiting_for": "openai/slow"}
    assert beats[-1] == {"text": "Milk"}


async def test_the_guardrail_is_made_to_call_its_verdict_and_its_tokens_count_when_it_says_yes() -> None:
    guard = CannedModel([call("verdict", fits=True)])
    told = await plan(activities([say("Milk it is.")], guard=guard))
    assert guard.requests[0].must_call == "verdict"
    assert [tool["function"]["name"] for tool in guard.requests[0].tools] == ["verdict"]
    assert told.text == "Milk it is."
    assert told.by is not None
    assert told.by.prompt_tokens == 2 * (USE.prompt_tokens or 0)
    guard = CannedModel([call("verdict", fits=False, message="Only notes here.")])
    told = await plan(activities([say("Milk it is.")], guard=guard))
    assert (told.text, told.off_goal) == ("Only notes here.", True)


async def test_a_guardrail_without_tools_answers_in_text() -> None:
    guard = CannedModel([ModelRefused("It takes no tools."), say("NO, only notes here.")])
    told = await plan(activities([say("Milk it is.")], guard=guard))
    assert (told.text, told.off_goal) == ("only notes here.", True)
    assert (guard.requests[1].tools, guard.requests[1].must_call) == ([], "")


async def test_a_guardrail_that_gives_no_verdict_lets_nothing_pass() -> None:
    with pytest.raises(ApplicationError, match="gave no verdict"):
        await plan(activities([say("Milk it is.")], guard=CannedModel([Reply("", [], USE, "length")])))
