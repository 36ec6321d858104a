"""What a worker measures, for Prometheus at METRICS_ADDRESS: the SDK's own metrics (temporal_*) and ours (steadfast_*).

Labels are names of our settings and of our own making, never what somebody typed: each new value is a series for ever.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Literal
from urllib.parse import unquote

from temporalio import activity
from temporalio.client import Client
from temporalio.common import MetricMeter
from temporalio.exceptions import ApplicationError
from temporalio.runtime import (
    LogForwardingConfig,
    LoggingConfig,
    OpenTelemetryConfig,
    PrometheusConfig,
    Runtime,
    TelemetryConfig,
    TelemetryFilter,
)
from temporalio.service import RPCError

from agent.errors import SettingsError
from agent.messages import ModelUse, Plan
from agent.settings import Settings
from agent.visibility import STATUS

COUNT_EVERY = 15.0
"""Seconds between two counts of all chats; Prometheus asks about as often."""

Work = Literal["plan", "tool", "summarize"]

_SECONDS = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0, 120.0, 600.0)
_DOLLARS = (0.0001, 0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0)
_BUCKETS = {
    "steadfast_first_word": _SECONDS,
    "steadfast_reply": _SECONDS,
    "steadfast_model_call": _SECONDS,
    "steadfast_tool": _SECONDS,
    "steadfast_model_cost": _DOLLARS,
}
_log = logging.getLogger(__name__)


def worker_runtime(settings: Settings) -> Runtime:
    """The SDK's runtime of a worker. It tells the server every second that it lives, by which a page knows of a dead one.

    Raises SettingsError when METRICS_ADDRESS cannot be listened on.
    """
    lines = LogForwardingConfig(logging.getLogger("temporalio"), prepend_target_on_message=False)
    telemetry = TelemetryConfig(
        logging=LoggingConfig(TelemetryFilter(core_level="WARN", other_level="ERROR"), lines),
        metrics=_exporter(settings),
        attach_service_name=False,
        global_tags={} if settings.metrics_address else {"service.name": "steadfast-worker"},
    )
    try:
        return Runtime(telemetry=telemetry, worker_heartbeat_interval=timedelta(seconds=1))
    except ValueError:
        raise SettingsError(
            f"METRICS_ADDRESS {settings.metrics_address} cannot be listened on. Name a free port of this machine, by number."
        ) from None


def _exporter(settings: Settings) -> PrometheusConfig | OpenTelemetryConfig | None:
    """The SDK has one: Prometheus goes first."""
    if settings.metrics_address:
        return PrometheusConfig(
            settings.metrics_address,
            counters_total_suffix=True,
            unit_suffix=True,
            durations_as_seconds=True,
            histogram_bucket_overrides=_BUCKETS,
        )
    if not settings.otel_exporter_otlp_endpoint:
        return None
    pairs = [pair.partition("=") for pair in settings.environment.get("OTEL_EXPORTER_OTLP_HEADERS", "").split(",")]
    return OpenTelemetryConfig(
        f"{settings.otel_exporter_otlp_endpoint}/v1/metrics",
        headers={name.strip(): unquote(value.strip()) for name, _, value in pairs if name.strip()},
        metric_periodicity=timedelta(seconds=COUNT_EVERY),
        durations_as_seconds=True,
        http=True,
        histogram_bucket_overrides=_BUCKETS,
    )


class Metrics:
    """Our own. Without a meter nothing is kept."""

    def __init__(self, meter: MetricMeter = MetricMeter.noop) -> None:
        self._turns = meter.create_counter("steadfast_turns", "Answers of the model, by what they are.")
        self._retries = meter.create_counter("steadfast_retries", "Attempts after the first, of what a chat does.")
        self._failures = meter.create_counter("steadfast_failures", "Attempts that failed, by what failed and why.")
        self._tokens = meter.create_counter("steadfast_tokens", "Tokens of models, input and output.")
        self._first_word = meter.create_histogram_float(
            "steadfast_first_word", "From the moment a turn is due to the first word of the reply.", "seconds"
        )
        self._reply = meter.create_histogram_float(
            "steadfast_reply", "From the moment a turn is due to the whole reply.", "seconds"
        )
        self._model_call = meter.create_histogram_float("steadfast_model_call", "Calls of models.", "seconds")
        self._model_cost = meter.create_histogram_float(
            "steadfast_model_cost",
            "What calls of models cost, where the price is known; the sum is what was spent.",
            "dollars",
        )
        self._tool = meter.create_histogram_float("steadfast_tool", "Runs of tools, each attempt.", "seconds")
        self._deciding = meter.create_gauge("steadfast_chats_deciding", "Open chats that wait for a decision.")
        self._open = meter.create_gauge("steadfast_chats_open", "Open chats.")
        self._unreplayable = meter.create_gauge(
            "steadfast_chats_unreplayable", "Open chats that this worker could not replay."
        )
        self._unreplayable.set(0)

    @contextmanager
    def attempt(self, work: Work) -> Iterator[None]:
        """One attempt of an activity; the line in the log says how long it took."""
        began, number = time.monotonic(), activity.info().attempt
        if number > 1:
            self._retries.add(1, {"work": work})
        outcome = "failed"
        try:
            yield
            outcome = "done"
        except ApplicationError as error:
            outcome = f"failed ({error.type})"
            self._failures.add(1, {"work": work, "type": error.type or "unknown"})
            raise
        except asyncio.CancelledError:
            outcome = "cancelled"
            raise
        finally:
            seconds = time.monotonic() - began
            if work == "tool":
                self._tool.record(seconds)
            _log.info("%s: %s after %.2f s, attempt %d.", activity.info().activity_type, outcome, seconds, number)

    def used(self, use: ModelUse) -> None:
        """A call of a model."""
        model = {"model": use.model}
        self._model_call.record(use.seconds, model)
        self._tokens.add(use.prompt_tokens or 0, model | {"kind": "input"})
        self._tokens.add(use.completion_tokens or 0, model | {"kind": "output"})
        if use.cost_usd is not None:
            self._model_cost.record(float(use.cost_usd), model)

    def planned(self, plan: Plan, first_word: datetime | None) -> None:
        """A turn of the model is over. first_word: when the reply began to show."""
        now, due = datetime.now(UTC), activity.info().scheduled_time
        self._turns.add(1, {"kind": _kind(plan)})
        self._reply.record(max(0.0, (now - due).total_seconds()))
        self._first_word.record(max(0.0, ((first_word or now) - due).total_seconds()))

    async def count_chats(self, client: Client, unreplayable: Callable[[], Awaitable[int]], task_queue: str) -> None:
        """Count all chats now and then, until cancelled. Costs no Action."""
        ours = f"WorkflowType = 'AgentGoalWorkflow' AND TaskQueue = '{task_queue}' AND ExecutionStatus = 'Running'"
        while True:
            for gauge, which in ((self._open, ours), (self._deciding, f"{ours} AND {STATUS.name} = 'deciding'")):
                try:
                    gauge.set((await client.count_workflows(which, rpc_timeout=timedelta(seconds=5))).count)
                except RPCError:  # it is away, or has no such attribute: the last count stands
                    continue
            self._unreplayable.set(await unreplayable())
            await asyncio.sleep(COUNT_EVERY)


def _kind(plan: Plan) -> str:
    if plan.stopped:
        return "stopped"
    if plan.off_goal:
        return "off_goal"
    if plan.proposals:
        return plan.proposals[0].kind
    return plan.next
