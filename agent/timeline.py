"""What the history of a chat says of when and how often things happened. Pure: from Temporal's events to facts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import ValidationError
from temporalio.api.common.v1 import Payloads
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent

from agent.messages import EPOCH, Interruption, Json

Kind = Literal["begun", "signal", "scheduled", "started", "completed", "failed", "closed"]

_CLOSING = {
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW,
}
_TELLING = ("interruptions", "id", "idempotency_key", "effect")
_THINKING = ("plan", "summarize")


@dataclass(frozen=True)
class Fact:
    """One event. about: the event that scheduled the activity. details: the few values of its payload that are needed."""

    number: int
    at: datetime
    kind: Kind
    name: str = ""
    about: int = 0
    activity_id: str = ""
    attempt: int = 0
    worker: str = ""
    details: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True)
class RunHistory:
    """Facts of one run, oldest first; previous_run_id: of the run that it continues, if any."""

    run_id: str
    facts: tuple[Fact, ...]
    previous_run_id: str = ""

    @property
    def closed(self) -> bool:
        return bool(self.facts) and self.facts[-1].kind == "closed"


def payloads(event: HistoryEvent) -> Payloads | None:
    """What is to be decoded of an event, for `fact`; None for most."""
    if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
        return event.workflow_execution_signaled_event_attributes.input
    if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
        return event.activity_task_scheduled_event_attributes.input
    if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
        return event.activity_task_completed_event_attributes.result
    return None


def fact(event: HistoryEvent, payload: Json = None) -> Fact | None:
    """What an event says; None if nothing of use. payload: the first of its payloads, decoded."""
    number, at = event.event_id, event.event_time.ToDatetime(tzinfo=UTC)
    told = _details(payload)
    kind = event.event_type
    if kind == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
        return Fact(number, at, "begun")
    if kind in _CLOSING:
        return Fact(number, at, "closed")
    if kind == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
        return Fact(number, at, "signal", event.workflow_execution_signaled_event_attributes.signal_name, details=told)
    if kind == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
        scheduled = event.activity_task_scheduled_event_attributes
        name, activity_id = scheduled.activity_type.name, scheduled.activity_id
        return Fact(number, at, "scheduled", name, number, activity_id, details=told)
    if kind == EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED:
        started = event.activity_task_started_event_attributes
        about, attempt, worker = started.scheduled_event_id, started.attempt, started.identity
        return Fact(number, at, "started", about=about, attempt=attempt, worker=worker)
    if kind == EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
        about = event.activity_task_completed_event_attributes.scheduled_event_id
        return Fact(number, at, "completed", about=about, details=told)
    about = (
        event.activity_task_failed_event_attributes.scheduled_event_id
        or event.activity_task_timed_out_event_attributes.scheduled_event_id
        or event.activity_task_canceled_event_attributes.scheduled_event_id
    )
    if about:
        return Fact(number, at, "failed", about=about)
    return None


def _details(payload: Json) -> dict[str, Json]:
    """Of a signal its id, of a tool's call its key and effect, of a call of the model which messages it reads."""
    if not isinstance(payload, dict):
        return {}
    told = {name: payload[name] for name in _TELLING if name in payload}
    said = payload.get("messages")
    if isinstance(said, list):
        told["said"] = [each.get("seq") for each in said if isinstance(each, dict) and each.get("kind") == "user"]
    return told


@dataclass(frozen=True)
class Call:
    """An activity as a whole: from when it was scheduled, over all attempts, to its end (None = it still runs)."""

    name: str
    activity_id: str
    scheduled: datetime
    started: datetime | None = None
    ended: datetime | None = None
    failed: bool = False
    worker: str = ""
    interruptions: tuple[Interruption, ...] = ()
    details: Mapping[str, Json] = field(default_factory=dict)
    attempt: int = 0

    @property
    def is_tool(self) -> bool:
        return self.name not in _THINKING

    @property
    def attempts(self) -> int:
        """How often it was tried; 0 = not known yet."""
        return max(self.attempt, 1 + sum(each.times for each in self.interruptions)) if self.ended else 0


def calls(facts: Iterable[Fact]) -> list[Call]:
    """All activities of one run, in the order in which they were scheduled."""
    scheduled: dict[int, dict[str, Any]] = {}
    for each in facts:
        if each.kind == "scheduled":
            own = {"activity_id": each.activity_id, "details": each.details}
            scheduled[each.number] = {"name": each.name, "scheduled": each.at, **own}
        elif each.about in scheduled:
            known = scheduled[each.about]
            if each.kind == "started":
                known |= {"started": each.at, "worker": each.worker, "attempt": each.attempt}
            elif each.kind in ("completed", "failed"):
                found = _interruptions(each.details.get("interruptions"))
                known |= {"ended": each.at, "failed": each.kind == "failed", "interruptions": found}
    return [Call(**known) for known in scheduled.values()]


def _interruptions(value: Json) -> tuple[Interruption, ...]:
    try:
        return tuple(Interruption.model_validate(each) for each in value or ())
    except (ValidationError, TypeError):
        return ()


@dataclass(frozen=True)
class Span:
    """A stretch of time of a turn. outcome: how an attempt ended, if not well."""

    kind: Literal["signal", "model", "tool", "person"]
    name: str
    start: datetime
    end: datetime
    outcome: Literal["", "died", "failed", "lost"] = ""
    worker: str = ""
    attempt: int = 1

    @property
    def seconds(self) -> float:
        return max(0.0, (self.end - self.start).total_seconds())


@dataclass(frozen=True)
class Turn:
    """From a message of the person, or the start of a run, to the last answer before the next message."""

    spans: tuple[Span, ...]

    @property
    def start(self) -> datetime:
        return self.spans[0].start

    @property
    def end(self) -> datetime:
        return max(span.end for span in self.spans)


def turns(facts: Sequence[Fact]) -> list[Turn]:
    """The turns of one run, oldest first. What has not ended yet is left out."""
    found: list[Turn] = []
    spans: list[Span] = []
    done = {call.scheduled: call for call in calls(facts) if call.ended is not None and call.name != "summarize"}
    since: datetime | None = None  # of the signal, or of the last answer
    waits_for = ""
    for each in facts:
        if each.kind == "signal" and each.name == "user_prompt":
            if spans:
                found.append(Turn(tuple(spans)))
                spans = []
            elif waits_for == "message":
                continue  # several were sent before the first was taken up
            since, waits_for = each.at, "message"
        elif each.kind == "begun":
            since, waits_for = each.at, "start"
        elif each.kind == "signal":
            if spans and waits_for == "person" and since is not None and since <= each.at:
                spans.append(Span("person", each.name, since, each.at))
            since, waits_for = max(since or each.at, each.at), each.name  # a call may still be under way
        elif each.kind == "scheduled" and each.at in done:
            call = done[each.at]
            assert call.ended is not None
            if since is not None and waits_for != "person" and since <= each.at:
                spans.append(Span("signal", waits_for, since, each.at))
            spans += _attempts(call)
            since, waits_for = call.ended, "person"
    return [*found, Turn(tuple(spans))] if spans else found


def _attempts(call: Call) -> list[Span]:
    kind: Literal["tool", "model"] = "tool" if call.is_tool else "model"
    spans, start, number = [], call.scheduled, 1
    for each in call.interruptions:
        if each.kind == "lost" or each.resumed == EPOCH:
            number += each.times
            continue
        outcome: Literal["died", "failed"] = "died" if each.kind == "died" else "failed"
        spans.append(Span(kind, call.name, start, max(start, each.at), outcome, each.worker, number))
        start, number = max(start, each.resumed), number + each.times
    assert call.ended is not None
    began = max(start, call.started) if call.started and call.attempts > 1 else start
    spans.append(Span(kind, call.name, began, call.ended, "failed" if call.failed else "", call.worker, number))
    return spans


@dataclass(frozen=True)
class Score:
    """Counts over whole histories. sent: by id. taken_up: what a call of the model has read, by seq. dead: workers that died under a call. slowest: seconds until the next attempt began."""

    chats: int = 0
    since: datetime | None = None
    sent: frozenset[str] = frozenset()
    taken_up: frozenset[str] = frozenset()
    confirmed: int = 0
    done: int = 0
    doubled: int = 0
    dead: frozenset[str] = frozenset()
    repeated: int = 0
    slowest: float = 0.0

    def plus(self, other: "Score") -> "Score":
        """Both together; a worker that died under several chats died once."""
        times = [each for each in (self.since, other.since) if each]
        return Score(
            self.chats + other.chats,
            min(times) if times else None,
            self.sent | other.sent,
            self.taken_up | other.taken_up,
            self.confirmed + other.confirmed,
            self.done + other.done,
            self.doubled + other.doubled,
            self.dead | other.dead,
            self.repeated + other.repeated,
            max(self.slowest, other.slowest),
        )


def score(chat_id: str, runs: Sequence[RunHistory]) -> Score:
    """One chat, all its runs, oldest first."""
    sent: set[str] = set()
    taken: set[str] = set()
    made: list[Call] = []
    for run in runs:
        made += calls(run.facts)
        for each in run.facts:
            if each.kind == "signal" and each.name == "user_prompt" and each.details.get("id"):
                sent.add(f"{chat_id}/{each.details['id']}")
    for call in made:
        taken |= {f"{chat_id}/{said}" for said in call.details.get("said", ())}
    ran = [call for call in made if call.is_tool]
    done = [call for call in ran if call.ended and not call.failed]
    found = [each for call in made for each in call.interruptions]
    died = [each for each in found if each.kind == "died" and each.worker != each.next_worker]
    recovered = [(each.resumed - each.at).total_seconds() for each in found if EPOCH not in (each.resumed, each.at)]
    begun = [run.facts[0].at for run in runs if run.facts]
    return Score(
        chats=1,
        since=min(begun, default=None),
        sent=frozenset(sent),
        taken_up=frozenset(taken),
        confirmed=len(ran),
        done=len(done),
        doubled=_doubled(done),
        dead=frozenset(each.worker for each in died),
        repeated=sum(each.times for each in found),
        slowest=max(recovered, default=0.0),
    )


def _doubled(done: Sequence[Call]) -> int:
    """Effects that may have happened twice: completed twice under one key, or a tool without keys that was tried twice."""
    acting = [call for call in done if call.details.get("effect", "once") != "read"]
    keys = [str(call.details.get("idempotency_key")) for call in acting]
    unkeyed = [call for call in acting if call.details.get("effect", "once") == "once" and call.attempts > 1]
    return len(keys) - len(set(keys)) + len(unkeyed)
