"""A way back for a chat that no worker can replay: `python -m agent.repair [CHAT]`; without CHAT, all open chats.

The run is reset to its last workflow task that a replay decides as it was decided, and goes on from there. The server
applies the later signals again; what the tools did after that task, which a reset forgets, is told to the new run by a
signal of ours, so that no tool runs a second time by itself.
"""

import argparse
import asyncio
import secrets
import sys
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import ResetReapplyType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.client import Client, WorkflowHistory
from temporalio.converter import DataConverter, PayloadConverter
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner, WorkflowInstance, WorkflowInstanceDetails
from temporalio.workflow import NondeterminismError

from agent.client import WORKFLOW
from agent.errors import ChatClosed, ChatError, KeyMissing, ServerUnavailable, SettingsError
from agent.eviction import WatchedRun
from agent.local import status
from agent.messages import PastCall, Plan, Repair, ToolAnswer, ToolCall
from agent.settings import load_settings
from agent.temporal import connect
from agent.workflow import AgentGoalWorkflow

KEPT_BYTES = 1_000_000
"""What the results that are told to a repaired run may come to; a signal carries 2 MB at most."""

_LOST = "This chat was repaired before the tool answered."


@dataclass(frozen=True)
class Repaired:
    """The new run, the event of the old one that it goes on from, and the tools that had run after it."""

    run_id: str
    event: int
    calls: list[PastCall]


async def repair(client: Client, chat_id: str) -> Repaired | None:
    """Repair a chat; None when nothing is wrong with its history. Raises ChatError, RPCError.

    A chat that ended is left as it is. What still runs of a tool is cancelled, and counts as unknown.
    """
    handle = client.get_workflow_handle(chat_id)
    described = await handle.describe()
    if described.close_time is not None:
        raise ChatClosed("This chat has ended. Start a new one to go on.")
    handle = client.get_workflow_handle(chat_id, run_id=described.run_id)
    history = await handle.fetch_history()
    event = await last_good_task(history, client.data_converter)
    if event is None:
        return None
    past = await _past(history, event, client.data_converter)
    await handle.signal("repaired", past)  # the reset applies it again, after all that people sent
    reset = await client.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=chat_id, run_id=described.run_id),
            reason="Its history could not be replayed.",
            workflow_task_finish_event_id=event,
            request_id=secrets.token_hex(16),
            reset_reapply_type=ResetReapplyType.RESET_REAPPLY_TYPE_ALL_ELIGIBLE,
        )
    )
    return Repaired(reset.run_id, event, past.calls)


async def last_good_task(history: WorkflowHistory, converter: DataConverter) -> int | None:
    """The id of the event by which the run was given its last task that holds, or None if all of it replays.

    The first task that a replay decides otherwise is done again: the reset keeps what came before its decisions.
    """
    recorder = _Recorder(converter.payload_converter)
    replayer = Replayer(
        workflows=[AgentGoalWorkflow],
        data_converter=converter,
        workflow_runner=recorder,
        debug_mode=True,  # a machine that is busy for 2 s is no deadlock
    )
    replay = await replayer.replay_workflow(history, raise_on_replay_failure=False)
    if replay.replay_failure is None:
        return None
    if "PAYLOAD_KEYS" in str(replay.replay_failure):
        raise KeyMissing("This chat is encrypted with a key that PAYLOAD_KEYS here lacks. Add it, and try again.")
    if not isinstance(replay.replay_failure, NondeterminismError):
        raise ChatError("The workflow itself fails at this chat, which no repair can cure. Look at the worker's log.")
    scheduled: dict[int, list[Any]] = defaultdict(list)
    for event in history.events:
        if event.HasField("activity_task_scheduled_event_attributes"):
            made = event.activity_task_scheduled_event_attributes
            arguments = await converter.decode(made.input.payloads)
            scheduled[made.workflow_task_completed_event_id].append((made.activity_type.name, arguments))
    tasks = [event for event in history.events if event.HasField("workflow_task_completed_event_attributes")]
    reset = tasks[0]
    for task in tasks:
        started = task.workflow_task_completed_event_attributes.started_event_id
        if started not in recorder.decided:
            break
        reset = task
        if not _alike(recorder.decided[started], scheduled[task.event_id]):
            break
    return _before_its_tools(history, reset).event_id


class _Recorder(UnsandboxedWorkflowRunner):
    """Notes which activities a replay schedules in each workflow task, by the id of the event that started the task."""

    def __init__(self, converter: PayloadConverter) -> None:
        self.decided: dict[int, list[Any]] = defaultdict(list)
        self._converter = converter

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        return _ReplayedRun(super().create_instance(det), self)

    def note(self, started: int, completion: WorkflowActivationCompletion) -> None:
        decided = self.decided[started]
        for command in completion.successful.commands:
            if command.HasField("schedule_activity"):
                made = command.schedule_activity
                decided.append((made.activity_type, self._converter.from_payloads(made.arguments)))


class _ReplayedRun(WatchedRun):
    def __init__(self, instance: WorkflowInstance, recorder: _Recorder) -> None:
        super().__init__(instance)
        self._recorder = recorder

    def activate(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        completion = super().activate(act)
        self._recorder.note(act.history_length, completion)
        return completion


def _alike(one: Any, other: Any) -> bool:
    """Whether two decisions are the same but for their times, and for fields that only one version of us writes."""
    if isinstance(one, dict) and isinstance(other, dict):
        return all(_alike(one[name], other[name]) for name in one.keys() & other.keys() - {"at"})
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(_alike, one, other))
    return bool(one == other)


def _before_its_tools(history: WorkflowHistory, task: HistoryEvent) -> HistoryEvent:
    """The task before which no tool is under way: a reset runs again what had not ended by then."""
    events = {event.event_id: event for event in history.events}
    closed = {_scheduled_by(event): event.event_id for event in history.events}
    while True:
        started = task.workflow_task_completed_event_attributes.started_event_id
        open_then = [
            event
            for event in history.events
            if event.event_id < started and _is_tool(event) and closed.get(event.event_id, started) >= started
        ]
        if not open_then:
            return task
        task = events[open_then[0].activity_task_scheduled_event_attributes.workflow_task_completed_event_id]


def _is_plan(event: HistoryEvent) -> bool:
    return event.activity_task_scheduled_event_attributes.activity_type.name == "plan"


def _is_tool(event: HistoryEvent) -> bool:
    return event.activity_task_scheduled_event_attributes.activity_type.name not in ("", "plan", "summarize")


def _scheduled_by(event: HistoryEvent) -> int:
    """The event that scheduled the activity which this one closes, else 0."""
    for closing in ("completed", "failed", "timed_out", "canceled"):
        name = f"activity_task_{closing}_event_attributes"
        if event.HasField(name):  # type: ignore[arg-type]
            return int(getattr(event, name).scheduled_event_id)
    return 0


async def _past(history: WorkflowHistory, event_id: int, converter: DataConverter) -> Repair:
    """What the part of a run did that a reset to this event takes back."""
    events = {event.event_id: event for event in history.events}
    started = events[event_id].workflow_task_completed_event_attributes.started_event_id
    closed = {_scheduled_by(event): event for event in history.events}
    repair = Repair()
    for event in history.events[started:]:
        if _is_tool(event):
            past = await _past_call(event, closed.get(event.event_id), converter)
            repair.proposals += 1  # a lost result is asked about
            if past.outcome != "unknown" or past.call.effect != "read":
                repair.calls.append(past)
        elif event.HasField("activity_task_completed_event_attributes") and _is_plan(events[_scheduled_by(event)]):
            payloads = event.activity_task_completed_event_attributes.result.payloads
            [plan] = await converter.decode(payloads, [Plan])
            repair.proposals += len(plan.proposals)
    return _fitting(repair)


def _fitting(repair: Repair) -> Repair:
    """As much of the results as one signal carries, the newest first."""
    left = KEPT_BYTES
    for past in reversed(repair.calls):
        left -= len(past.model_dump_json())
        if left < 0:
            past.answer = ToolAnswer(result="It worked. What it returned is in an earlier run of this chat.")
    return repair


async def _past_call(event: HistoryEvent, closed: HistoryEvent | None, converter: DataConverter) -> PastCall:
    scheduled = event.activity_task_scheduled_event_attributes
    [call] = await converter.decode(scheduled.input.payloads, [ToolCall])
    past = PastCall(call=call, timeout=scheduled.start_to_close_timeout.ToTimedelta().total_seconds(), error=_LOST)
    if closed is None:
        return past
    if closed.HasField("activity_task_completed_event_attributes"):
        payloads = closed.activity_task_completed_event_attributes.result.payloads
        [answer] = await converter.decode(payloads, [ToolAnswer])
        return past.model_copy(update={"outcome": "ok", "answer": answer, "error": ""})
    if closed.HasField("activity_task_failed_event_attributes"):
        failure = await converter.decode_failure(closed.activity_task_failed_event_attributes.failure)
        if isinstance(failure, ApplicationError) and failure.type == "ToolError":
            return past.model_copy(update={"outcome": "failed", "error": failure.message})
    return past


async def _open_chats(client: Client) -> list[str]:
    query = f"WorkflowType = '{WORKFLOW}' AND ExecutionStatus = 'Running'"
    return [run.id async for run in client.list_workflows(query)]


async def main(chats: list[str]) -> int:
    settings = load_settings()
    client = await connect(settings, settings.temporal_address or status(settings).address)
    failed = False
    for chat_id in chats or await _open_chats(client):
        try:
            done = await repair(client, chat_id)
        except (ChatError, RPCError) as error:
            failed = True
            said = str(error)
        else:
            said = _told(done)
        print(f"{chat_id}: {said}", flush=True)  # noqa: T201
    return int(failed)


def _told(done: Repaired | None) -> str:
    if done is None:
        return "nothing to repair: its history replays."
    outcomes = ", ".join(f"{past.call.tool} ({past.outcome})" for past in done.calls)
    ran = f" Tools that had run after it: {outcomes}." if outcomes else ""
    return f"repaired: it goes on from event {done.event}, as run {done.run_id}.{ran}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m agent.repair", description=__doc__)
    parser.add_argument("chat", nargs="*", help="the ids of chats; all open ones when left out")
    try:
        sys.exit(asyncio.run(main(parser.parse_args().chat)))
    except (SettingsError, ServerUnavailable) as problem:
        sys.exit(str(problem))
