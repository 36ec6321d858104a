"""The workflow runner of our worker: what a worker has cached of a chat stays what a replay of its history makes of it.

The danger: a worker that does not answer a query within the sticky timeout (it stands still, or has no CPU) loses it
to the task queue, and whoever takes it there gets the whole history as it is by then. Temporal's SDK applies all of
it, and decides: also on a completion or a signal whose workflow task has not started, or was started by a worker that
is never heard of again. When the task comes, it may bring more: the cached run has decided without that, where a
replay decides with all of it, and from then on no worker can replay the run (NondeterminismError). So a run that got
ahead of its workflow tasks answers the query and is evicted before it serves anything else: the next task rebuilds it
from the history.
"""

import asyncio
import logging
import time
from datetime import timedelta

from temporalio.bridge.proto.workflow_activation import RemoveFromCache, WorkflowActivation
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.converter import SerializationContext, StorageDriverStoreContext
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import UnsandboxedWorkflowRunner, Worker, WorkflowInstance, WorkflowInstanceDetails
from temporalio.worker._command_aware_visitor import CommandInfo
from temporalio.workflow import Info

STICKY_TIMEOUT = timedelta(seconds=2)
"""How long a query or a task of a chat waits for the worker that has it cached, before any worker may take it.

So a worker's death is felt no longer than this; and one that did nothing for so long stood still.
"""

DOUBT = 8.0
"""A task that a query brought along may be lost; the server gives it to another worker 10 s after it started."""

_TICK = 0.2
_QUERY_ALONE = "legacy_query"
"""How the SDK names a query that is a task of its own, not one that came with a workflow task."""

_log = logging.getLogger(__name__)


class EvictingRunner(UnsandboxedWorkflowRunner):
    """Evicts a run that got ahead of its workflow tasks, and every run once the worker stood still.

    unreplayable: the runs that it could not replay, with the ids of their chats.

    Not in the sandbox: it takes a quarter of a turn's CPU to catch what the tests catch, which run the same code in it.
    """

    def __init__(self) -> None:
        self.evicted = 0
        self.unreplayable: dict[str, str] = {}
        self._cached: set[str] = set()
        self._worker: Worker | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._verifying: set[asyncio.Task[None]] = set()
        self._clocks = _clocks()

    def attach(self, worker: Worker) -> None:
        """Say which worker it runs in, before that runs."""
        self._worker, self._loop = worker, asyncio.get_running_loop()

    async def watch(self) -> None:
        """Notice that this process stood still: suspended, stopped, without CPU, or a tool that held the GIL."""
        while True:
            self.notice_standstill()
            await asyncio.sleep(_TICK)

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        self._cached.add(det.info.run_id)
        return _CachedRun(super().create_instance(det), self)

    def notice_standstill(self) -> None:
        """Evict every run when no tick came for too long; what one is being asked now it still answers."""
        before, self._clocks = self._clocks, _clocks()
        gap = max(now - then for then, now in zip(before, self._clocks, strict=True))
        if gap > STICKY_TIMEOUT.total_seconds() and self._cached:
            _log.warning(
                "This worker stood still for %.1f s. It rebuilds its %d cached chats from their histories.",
                gap,
                len(self._cached),
            )
            for run_id in list(self._cached):
                self.evict(run_id)

    def evict(self, run_id: str) -> None:
        """Evict a run before it serves its next workflow task. Never before it answered what it is being asked."""
        if self._worker is not None:
            self._worker._bridge_worker.request_workflow_eviction(run_id)  # the SDK has no public way
            self.evicted += 1

    def verify(self, run: Info, started: int) -> None:
        """Evict a run unless the workflow task is done by which it decided, and which started then (nanoseconds).

        Called from any thread.
        """
        if abs(time.time() - started / 1e9) > DOUBT:  # there may be no time left to ask
            self.evict(run.run_id)
        elif self._loop is not None:
            self._loop.call_soon_threadsafe(self._begin_verifying, run, started)

    def _begin_verifying(self, run: Info, started: int) -> None:
        task = asyncio.create_task(self._verify(run, started))
        self._verifying.add(task)
        task.add_done_callback(self._verifying.discard)

    async def _verify(self, run: Info, started: int) -> None:
        assert self._worker is not None
        handle = self._worker.client.get_workflow_handle(run.workflow_id, run_id=run.run_id)
        try:
            described = (await handle.describe(rpc_timeout=timedelta(seconds=1))).raw_description
        except RPCError:
            self.evict(run.run_id)
            return
        task = described.pending_workflow_task
        if task.attempt > 1 or (task.attempt and task.scheduled_time.ToNanoseconds() <= started):
            self.evict(run.run_id)

    def forget(self, run: Info, reason: int) -> None:
        """It is evicted."""
        self._cached.discard(run.run_id)
        if reason == RemoveFromCache.NONDETERMINISM and run.run_id not in self.unreplayable:
            self.unreplayable[run.run_id] = run.workflow_id
            _log.error(
                "This worker cannot replay a chat. `python -m agent.repair` repairs it.",
                extra={"chat": run.workflow_id},
            )

    async def count_unreplayable(self) -> int:
        """How many of these runs are still open, and wait for a worker that can."""
        assert self._worker is not None
        for run_id, chat_id in list(self.unreplayable.items()):
            handle = self._worker.client.get_workflow_handle(chat_id, run_id=run_id)
            try:
                described = await handle.describe(rpc_timeout=timedelta(seconds=2))
            except RPCError as error:
                gone = error.status == RPCStatusCode.NOT_FOUND
            else:
                gone = described.close_time is not None or described.raw_description.pending_workflow_task.attempt < 2
            if gone:
                self.unreplayable.pop(run_id, None)
        return len(self.unreplayable)


class WatchedRun(WorkflowInstance):
    """A run of a workflow as the SDK hands it what to do; a subclass looks on."""

    def __init__(self, instance: WorkflowInstance) -> None:
        self._instance = instance

    def activate(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        return self._instance.activate(act)

    def get_serialization_context(self, command_info: CommandInfo | None) -> SerializationContext | None:
        return self._instance.get_serialization_context(command_info)

    def get_external_store_context(self, command_info: CommandInfo | None) -> StorageDriverStoreContext:
        return self._instance.get_external_store_context(command_info)

    def get_info(self) -> Info:
        return self._instance.get_info()

    def get_thread_id(self) -> int | None:
        return self._instance.get_thread_id()


class _CachedRun(WatchedRun):
    """It is ahead when its history moved on while the time of its last workflow task stayed.

    It may be ahead when it decided something and a query follows: that task may be another worker's.
    """

    def __init__(self, instance: WorkflowInstance, runner: EvictingRunner) -> None:
        super().__init__(instance)
        self._runner = runner
        self._task_started = 0
        self._history_length = 0
        self._decided = False

    def activate(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        jobs = {job.WhichOneof("variant") for job in act.jobs}
        started = act.timestamp.ToNanoseconds()
        if "remove_from_cache" in jobs:
            self._runner.forget(self.get_info(), act.jobs[0].remove_from_cache.reason)
        elif jobs == {"query_workflow"}:
            if self._decided and act.jobs[0].query_workflow.query_id == _QUERY_ALONE:
                self._runner.verify(self.get_info(), started)
            self._decided = False
        else:
            self._runner.notice_standstill()
            if started == self._task_started and act.history_length > self._history_length:
                self._runner.evict(act.run_id)
            self._task_started, self._history_length = started, act.history_length
            self._decided = not act.is_replaying
        return super().activate(act)


def _clocks() -> tuple[float, float]:
    """The first stands still while the machine is suspended, the second does not; when it is set, nothing is lost."""
    return time.monotonic(), time.time()
