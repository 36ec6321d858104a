"""The worker: settings, model and tools put together, and the work taken from the task queue.

`python worker.py`, any number of times, on any machine that reaches the Temporal server. Ctrl-C drains.
"""

import asyncio
import contextlib
import gc
import os
import signal
import sys
from datetime import timedelta
from typing import NoReturn

from temporalio.worker import Worker

from agent.activities import Activities
from agent.errors import ServerUnavailable, SettingsError
from agent.eviction import STICKY_TIMEOUT, EvictingRunner
from agent.llm import build_guard, build_model
from agent.local import SupervisorPipe, status, supervisor_pipe
from agent.settings import Settings, load_settings, settings_source
from agent.temporal import connect, connection, heartbeating_runtime
from agent.workflow import AgentGoalWorkflow
from tools import load

MOST_AT_ONCE = 100
"""Activities at once: each is one model call or one tool."""

GRACE = timedelta(seconds=3)
"""How long Ctrl-C waits for what is under way; what takes longer is taken up again by another worker."""


async def serve(settings: Settings, pipe: SupervisorPipe | None) -> None:
    """Work until SIGINT or SIGTERM, for the supervisor's server, else that of TEMPORAL_ADDRESS, else the page's."""
    toolset = load()
    for problem in toolset.problems:
        print(problem, file=sys.stderr, flush=True)  # noqa: T201
    model, guard = build_model(settings), build_guard(settings)
    _spare_the_collector()
    address = await pipe.address() if pipe else settings.temporal_address or status(settings).address
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # Windows has no handlers on the loop; Ctrl-C raises there
            asyncio.get_running_loop().add_signal_handler(name, stop.set)
    client = await connect(settings, address, runtime=heartbeating_runtime())
    activities = Activities(settings, model, toolset, guard)
    runner = EvictingRunner()
    worker = Worker(
        client,
        task_queue=settings.temporal_task_queue,
        workflows=[AgentGoalWorkflow],
        activities=activities.all(),
        workflow_runner=runner,
        max_concurrent_activities=MOST_AT_ONCE,
        graceful_shutdown_timeout=GRACE,
        sticky_queue_schedule_to_start_timeout=STICKY_TIMEOUT,
        # not streaming: as rarely as the timeout allows, because Temporal Cloud bills each
        max_heartbeat_throttle_interval=timedelta(seconds=settings.stream_interval or 60),
    )
    runner.attach(worker)
    where = connection(settings, address)
    print(  # noqa: T201
        f"Worker for {where['target_host']}, namespace {client.namespace}, task queue {settings.temporal_task_queue}, "
        f"model {settings.llm_model}.",
        flush=True,
    )
    watching = asyncio.create_task(runner.watch())
    async with worker:
        await stop.wait()
    watching.cancel()
    await activities.close()


def _spare_the_collector() -> None:
    """LiteLLM's 180 MB stay for good: looking through them again and again for garbage takes a tenth of a turn."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(5_000, 20, 50)


def main() -> NoReturn:
    """Serve, or say in one sentence why not."""
    status = 0
    try:
        pipe = supervisor_pipe()
        print(settings_source(), flush=True)  # noqa: T201
        asyncio.run(serve(load_settings(), pipe))
    except (SettingsError, ServerUnavailable) as error:
        print(error, file=sys.stderr, flush=True)  # noqa: T201
        status = 1
    except KeyboardInterrupt:
        pass
    # Every fourth clean exit of the interpreter aborts in the SDK's threads; nothing is left to be cleaned up.
    os._exit(status)


if __name__ == "__main__":
    main()
