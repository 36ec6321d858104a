"""What an attempt tells the next one, in Temporal's activity environment."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from agent.errors import ModelUnavailable
from agent.interruptions import KEPT, MARK, WORKER, earlier_ones, mark
from agent.messages import EPOCH, Interruption, Plan
from tests.agent.test_activities import REQUEST, activities
from tests.workflow.harness import Answer, say


async def attempt(
    number: int, answers: Sequence[Answer], previous: Sequence[Any] = ()
) -> tuple[Plan | None, list[Any]]:
    """The plan of one attempt, None if it failed, and its heartbeats."""
    environment, beats = ActivityEnvironment(), []
    environment.info = dataclasses.replace(environment.info, attempt=number, heartbeat_details=previous)
    environment.on_heartbeat = lambda *details: beats.append(details[0])
    try:
        return await environment.run(activities(answers).plan, REQUEST), beats
    except ApplicationError:
        return None, beats


def told(attempt_number: int, worker: str, before: Sequence[Interruption] = (), reason: str = "") -> list[Any]:
    info = dataclasses.replace(ActivityEnvironment().info, attempt=attempt_number)
    details = mark(info, list(before), reason)
    details[MARK]["worker"] = worker
    return [details]


async def test_a_first_attempt_tells_of_no_interruption() -> None:
    plan, _ = await attempt(1, [say("Milk.")])
    assert plan
    assert plan.interruptions == []
    assert "interruptions" not in plan.model_dump(mode="json"), "nor is a byte of it in the history"


async def test_the_next_attempt_says_which_worker_died_and_who_took_over() -> None:
    plan, _ = await attempt(2, [say("Milk.")], told(1, "14995@there"))
    assert plan
    (one,) = plan.interruptions
    assert (one.kind, one.attempt, one.worker, one.next_worker) == ("died", 1, "14995@there", WORKER)
    assert one.at > EPOCH
    assert one.resumed > EPOCH or ActivityEnvironment().info.started_time == one.resumed


async def test_a_failure_is_told_with_its_reason_and_not_as_a_death() -> None:
    _, beats = await attempt(1, [ModelUnavailable("The model is overloaded.")])
    plan, _ = await attempt(2, [say("Milk.")], beats[-1:])
    assert plan
    assert [(one.kind, one.reason) for one in plan.interruptions] == [("failed", "The model is overloaded.")]


async def test_all_earlier_interruptions_are_told_although_details_reach_only_the_next_attempt() -> None:
    _, beats = await attempt(2, [ModelUnavailable("The model is overloaded.")], told(1, "14995@there"))
    plan, _ = await attempt(3, [say("Milk.")], beats[-1:])
    assert plan
    assert [(one.kind, one.attempt) for one in plan.interruptions] == [("died", 1), ("failed", 2)]


async def test_the_same_failure_again_and_again_is_told_once_with_a_count() -> None:
    details: list[Any] = []
    for number in range(1, 101):
        _, beats = await attempt(number, [ModelUnavailable("The model is overloaded.")], details)
        details = beats[-1:]
    plan, _ = await attempt(101, [say("Milk.")], details)
    assert plan
    assert [(one.times, one.attempt) for one in plan.interruptions] == [(100, 100)]


def test_what_is_kept_is_bounded_and_nothing_goes_uncounted() -> None:
    before = [Interruption(kind="died", attempt=number, worker=str(number)) for number in range(1, KEPT + 1)]
    info = dataclasses.replace(ActivityEnvironment().info, attempt=KEPT + 2)
    info = dataclasses.replace(info, heartbeat_details=told(KEPT + 1, "last@there", before))
    found = earlier_ones(info)
    assert len(found) == KEPT
    assert sum(one.times for one in found) == KEPT + 1


def test_an_attempt_that_came_to_no_heartbeat_is_lost_and_not_called_dead() -> None:
    info = dataclasses.replace(ActivityEnvironment().info, attempt=2)
    (one,) = earlier_ones(info)
    assert (one.kind, one.worker, one.next_worker) == ("lost", "", WORKER)


@pytest.mark.parametrize("details", [[], ["text"], [{MARK: 3}], [{MARK: {"number": "x", "worker": "1", "at": "?"}}]])
def test_details_of_another_worker_version_are_no_reason_to_fail(details: list[Any]) -> None:
    info = dataclasses.replace(ActivityEnvironment().info, attempt=2, heartbeat_details=details)
    assert [one.kind for one in earlier_ones(info)] == ["lost"]
