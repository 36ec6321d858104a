"""What an activity measures of itself."""

import contextlib
import dataclasses
import logging
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from temporalio.common import MetricMeter
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from agent.activities import Activities
from agent.errors import ModelUnavailable, SettingsError
from agent.local.server import free_ports
from agent.messages import GoalSpec, PlanRequest, UserMessage
from agent.settings import Settings
from agent.telemetry import Metrics, worker_runtime
from tests.workflow.harness import Answer, CannedModel, call, recording_tools, say


class Meter:
    """Keeps what is recorded: name, labels → values."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, ...], list[float]] = defaultdict(list)

    def __getattr__(self, _create: str) -> Any:
        return lambda name, *_: _Metric(self, name.removeprefix("steadfast_"))


class _Metric:
    def __init__(self, meter: Meter, name: str) -> None:
        self._meter, self._name = meter, name

    def add(self, value: float, labels: Any = None) -> None:
        self._meter.kept[(self._name, *(labels or {}).values())].append(value)

    record = set = add


async def measured(*answers: Answer, attempt: int = 1, waited: float = 0.0) -> dict[tuple[str, ...], list[float]]:
    """One attempt of a plan that was due some seconds ago."""
    meter = Meter()
    made = Activities(
        Settings(), CannedModel(list(answers)), recording_tools([], {}), metrics=Metrics(cast(Any, meter))
    )
    environment = ActivityEnvironment()
    due = datetime.now(UTC) - timedelta(seconds=waited)
    environment.info = dataclasses.replace(environment.info, attempt=attempt, scheduled_time=due)
    goal = GoalSpec(name="notes", description="Keep notes.")
    with contextlib.suppress(ApplicationError):
        await environment.run(made.plan, PlanRequest(goal=goal, messages=[UserMessage(text="Note: milk")]))
    return meter.kept


async def test_turn_counts_its_kind_tokens_dollars_and_the_time_since_it_was_due() -> None:
    kept = await measured(say("Milk it is."), waited=30)
    assert kept["turns", "question"] == [1]
    assert (kept["tokens", "test", "input"], kept["tokens", "test", "output"]) == ([10], [5])
    assert kept["model_cost", "test"] == [0.001]
    assert 30 <= kept["first_word",][0] <= kept["reply",][0] < 60
    assert not any(name in ("retries", "failures") for name, *_ in kept)


async def test_proposal_that_had_to_be_corrected_counts_both_calls() -> None:
    kept = await measured(call("WriteNote", wrong="1"), call("Nothing"))
    assert len(kept["model_call", "test"]) == 2
    assert sum(len(values) for (name, *_), values in kept.items() if name == "turns") == 1


async def test_attempt_that_fails_counts_why_and_one_that_follows_counts_as_retry() -> None:
    kept = await measured(ModelUnavailable("It is away."), attempt=2)
    assert kept["retries", "plan"] == [1]
    assert kept["failures", "plan", "ModelUnavailable"] == [1]
    assert not any(name in ("turns", "reply") for name, *_ in kept)


async def test_log_says_how_long_an_attempt_took(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "agent.telemetry")
    await measured(ModelUnavailable("It is away."))
    assert caplog.messages[-1].startswith("unknown: failed (ModelUnavailable) after ")
    assert caplog.messages[-1].endswith(" s, attempt 1.")


def test_taken_port_is_one_sentence() -> None:
    address = f"127.0.0.1:{free_ports().ui}"
    kept = worker_runtime(Settings(metrics_address=address))
    with pytest.raises(SettingsError, match=f"METRICS_ADDRESS {address} cannot be listened on. Name a free port"):
        worker_runtime(Settings(metrics_address=address))
    assert isinstance(kept.metric_meter, MetricMeter)
