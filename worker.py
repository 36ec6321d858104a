"""The worker: settings, model and tools put together, and the work taken from the task queue.

`python worker.py`, any number of times, on any machine that reaches the Temporal server. Ctrl-C lets it finish what is under way.
"""

import asyncio
import contextlib
import gc
import logging
import os
import signal
import sys
from datetime import timedelta
from functools import partial
from typing import NoReturn

from temporalio.worker import Worker

from agent import logs
from agent.activities import Activities
from agent.errors import ServerUnavailable, SettingsError
from agent.eviction import STICKY_TIMEOUT, EvictingRunner
from agent.faults import Faults, FaultyModel
from agent.health import Readiness, served
from agent.ledger import Ledger
from agent.llm import build_guard, build_model
from agent.local import SupervisorPipe, status, supervisor_pipe
from agent.settings import Settings, load_settings, settings_source
from agent.spending import SpendingLedger
from agent.telemetry import Metrics, worker_runtime
from agent.temporal import check_namespace, connect, connection
from agent.tracing import process_tracing
from agent.workflow import AgentGoalWorkflow
from tools import load

MOST_AT_ONCE = 100
"""Activities at once: each is one model call or one tool."""

_log = logging.getLogger("worker")

OVERDUE = 5.0
"""Seconds after WORKER_GRACE when a worker that still runs ends all the same: a thread cannot be cancelled."""


async def serve(settings: Settings, pipe: SupervisorPipe | None) -> None:
    """Work until SIGINT or SIGTERM, for the supervisor's server, else that of TEMPORAL_ADDRESS, else the page's."""
    toolset = load()
    for problem in toolset.problems:
        _log.warning("%s", problem)
    tracing = process_tracing(settings, "steadfast-worker")
    model, guard = build_model(settings, tracing.model), build_guard(settings, tracing.model)
    faults = Faults(settings.home) if pipe and settings.break_it else None
    if faults:
        model = FaultyModel(model, faults)
    _spare_the_collector()
    address = await pipe.address() if pipe else settings.temporal_address or status(settings).address
    stop = _stop_on_signals(settings.worker_grace)
    runtime = worker_runtime(settings)
    metrics = Metrics(runtime.metric_meter)
    client = await connect(settings, address, runtime=runtime, plugins=tracing.plugins)
    readiness = Readiness(partial(check_namespace, client), stop.is_set)
    returned, ledger = faults.tool_returned if faults else None, Ledger(client, settings)
    activities = Activities(settings, model, toolset, guard, returned, metrics, tracing, ledger)
    runner = EvictingRunner()
    worker = Worker(
        client,
        task_queue=settings.temporal_task_queue,
        workflows=[AgentGoalWorkflow, SpendingLedger],
        activities=activities.all(),
        workflow_runner=runner,
        max_concurrent_activities=MOST_AT_ONCE,
        graceful_shutdown_timeout=timedelta(seconds=settings.worker_grace),
        sticky_queue_schedule_to_start_timeout=STICKY_TIMEOUT,
        # not streaming: as rarely as the timeout allows, because Temporal Cloud bills each
        max_heartbeat_throttle_interval=timedelta(seconds=settings.stream_interval or 60),
    )
    runner.attach(worker)
    where = connection(settings, address)
    _log.info(
        "Worker for %s, namespace %s, task queue %s, model %s.",
        where["target_host"],
        client.namespace,
        settings.temporal_task_queue,
        settings.llm_model,
    )
    background = [asyncio.create_task(runner.watch())]
    if settings.metrics_address or settings.otel_exporter_otlp_endpoint:
        counting = metrics.count_chats(client, runner.count_unreplayable, settings.temporal_task_queue)
        background.append(asyncio.create_task(counting))
    async with served(settings.health_address, readiness), worker:
        if pipe:
            background.append(asyncio.create_task(pipe.send_heartbeats()))
        await stop.wait()
    for task in background:
        task.cancel()
    await activities.close()
    await asyncio.to_thread(tracing.close)


def _stop_on_signals(grace: float) -> asyncio.Event:
    """Set by Ctrl-C and SIGTERM; a second one ends the worker at once."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()

    def end() -> None:
        if stop.is_set():
            os._exit(1)
        _log.info("Stopping. What is under way may finish, for at most %g s.", grace)
        loop.call_later(grace + OVERDUE, os._exit, 1)
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # Windows has no handlers on the loop; Ctrl-C raises there
            loop.add_signal_handler(number, end)
    return stop


def _spare_the_collector() -> None:
    """LiteLLM's 180 MB stay for good: looking through them again and again for garbage takes a tenth of a turn."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(5_000, 20, 50)


def main() -> NoReturn:
    """Serve, or say in one sentence why not."""
    status = 0
    try:
        settings = load_settings()
        logs.set_up(settings)
        _log.info("%s", settings_source())
        asyncio.run(serve(settings, supervisor_pipe(settings.worker_grace + 2 * OVERDUE)))
    except (SettingsError, ServerUnavailable) as error:
        if logs.are_json():
            _log.error("%s", error)
        else:
            print(error, file=sys.stderr, flush=True)  # noqa: T201
        status = 1
    except KeyboardInterrupt:
        pass
    # Every fourth clean exit of the interpreter aborts in the SDK's threads; nothing is left to be cleaned up.
    os._exit(status)


if __name__ == "__main__":
    main()
