"""ChatClient: what a page does with chats. The page meets Temporal here and nowhere else.

Every method raises ChatError with a sentence ready to be shown: ChatNotFound, ChatClosed, MessageRefused,
ServerUnavailable, NoWorker, ChatWedged, KeyMissing.
"""

import asyncio
import copy
import math
import secrets
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType, PendingActivityState, WorkerStatus, WorkflowTaskFailedCause
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.api.workflowservice.v1 import (
    DeleteWorkflowExecutionRequest,
    GetWorkflowExecutionHistoryReverseRequest,
    ListWorkersRequest,
    ResetActivityRequest,
)
from temporalio.client import (
    Client,
    WorkflowExecutionDescription,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowQueryFailedError,
    WorkflowQueryRejectedError,
)
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from agent import fork, timeline, titles, visibility, wire
from agent.attempts import failure_sentence
from agent.credentials import explain_failed_connection, explain_refusal
from agent.errors import (
    ChatClosed,
    ChatError,
    ChatNotFound,
    ChatWedged,
    KeyMissing,
    MessageRefused,
    NoWorker,
    ServerUnavailable,
    TooManyMessages,
)
from agent.export import VERSION, Transcript
from agent.fork import TRANSCRIPT_BYTES
from agent.ledger import Ledger
from agent.messages import (
    MESSAGE_LIMIT,
    AgentMessage,
    ChatView,
    GoalSpec,
    Json,
    LinkKind,
    ListedIn,
    Message,
    UserMessage,
    Verdict,
)
from agent.settings import Settings
from agent.temporal import check_namespace
from agent.text import sanitize_text
from agent.timeline import RunHistory
from agent.visitor import OWNER, Visitor
from agent.window import size

WORKFLOW = "AgentGoalWorkflow"
QUERY_TIMEOUT = timedelta(seconds=5)
UNLIKELY_QUERY_TIMEOUT = timedelta(seconds=1)
RPC_TIMEOUT = timedelta(seconds=5)
LINGER = 30 * 60
"""Seconds for which a chat that a page began stays open once its goal is reached."""

WORKER_SILENCE = 5.0
"""Seconds without a heartbeat of any worker (each sends one a second) after which a page says that none runs."""

WORKER_LOOK = 1.0
"""Seconds for which the last look at the workers is reused, by all chats of the process."""

HISTORY_PAGE = 500
"""Events of a history that are read at once."""

SCANNED = 1000
"""Chats among which a visitor's are looked for where the server keeps no search attributes."""

UNLISTED = 3
"""Answers, a second apart, of workers that are not listed: this server, or theirs, knows no heartbeats."""

_NONDETERMINISM = WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR
_KEY_MISSING = KeyMissing.__name__
_AT_WORK = (WorkerStatus.WORKER_STATUS_RUNNING, WorkerStatus.WORKER_STATUS_SHUTTING_DOWN)

RunStatus = Literal["running", "completed", "failed", "terminated", "timed_out", "canceled"]
_STATUS: dict[WorkflowExecutionStatus | None, RunStatus] = {
    WorkflowExecutionStatus.COMPLETED: "completed",
    WorkflowExecutionStatus.FAILED: "failed",
    WorkflowExecutionStatus.TERMINATED: "terminated",
    WorkflowExecutionStatus.TIMED_OUT: "timed_out",
    WorkflowExecutionStatus.CANCELED: "canceled",
}

UNREADABLE = "Encrypted chat"
"""The title of a chat whose key is missing."""

_ENDED = ("Completed", "Failed", "Terminated", "TimedOut", "Canceled")


@dataclass(frozen=True)
class Attempt:
    """The activity under way: `plan` or a tool's name. next_in: seconds until the next attempt, while it waits for one."""

    name: str
    number: int = 1
    partial: str = ""
    progress: str = ""
    waiting_for: str = ""
    fraction: float | None = None
    error: str = ""
    next_in: float | None = None


@dataclass(frozen=True)
class Look:
    """What the server says of a chat: no worker is needed for it, and Temporal Cloud bills nothing.

    Whatever happens in a chat changes `position`; queries do not. task_due: a worker has yet to take up what happened.
    """

    chat_id: str
    run_id: str
    run_status: RunStatus
    events: int
    task_due: bool
    attempt: Attempt | None
    worker: Literal["alive", "missing", "unknown"]
    owner: str = ""

    @property
    def position(self) -> tuple[str, int, str]:
        return (self.run_id, self.events, self.run_status)


@dataclass(frozen=True)
class Snapshot:
    """A chat at one moment: what its workflow says of it, and what the server knows besides."""

    chat_id: str
    run_id: str
    run_status: RunStatus
    view: ChatView | None
    attempt: Attempt | None
    worker: Literal["alive", "missing", "unknown"]


@dataclass(frozen=True)
class ChatRow:
    """One line of the list of chats. waiting: it is open, and waits for a decision of the person."""

    chat_id: str
    title: str
    goal: str
    started: datetime
    status: RunStatus
    waiting: bool = False


class ChatClient:
    """Chats of one server, namespace and task queue, as far as its visitor may use them; made for the owner of all.

    Every method that names a chat looks first whose it is. Belongs to the event loop that its client belongs to.
    """

    def __init__(self, client: Client, settings: Settings) -> None:
        self._client = client
        self._settings = settings
        self._visitor = OWNER
        self._ledger = Ledger(client, settings)
        self._lists_workers = True
        self._unlisted_answers = 0
        self._answered_at = -WORKER_SILENCE
        self._judged: dict[str, tuple[tuple[str, int], ChatError | None]] = {}
        self._listed_in: list[ListedIn] = []  # empty: not known yet; shared by the clients of all visitors
        self._seen_worker: tuple[float, Literal["alive", "missing"]] | None = None

    def of(self, visitor: Visitor) -> "ChatClient":
        """The same for another visitor, whose chats it begins, lists, reads and changes."""
        found = copy.copy(self)
        found._visitor = visitor
        return found

    async def start(self, goal: GoalSpec, *, model: str = "") -> str:
        """Begin a chat in which the model greets first; returns its id, which nobody can guess."""
        chat_id = new_chat_id()
        await self._start(chat_id, goal, goal.title or goal.name, model=model)
        return chat_id

    async def begin(self, chat_id: str, goal: GoalSpec, text: str, message_id: str, *, welcome: str) -> None:
        """Begin a chat with a message of the person, in answer to the welcome that they saw; both are durable once this
        returns. Where the chat is there already, only the message is sent; with the same id, it counts once."""
        said: dict[str, Json] = {"text": _sendable(text), "id": message_id}
        await self._admit(chat_id)
        await self._start(chat_id, goal, titles.title(text) or goal.title, welcome=welcome, said=said, linger=LINGER)

    async def fork(self, source: str, chat_id: str, *, seq: int, text: str = "", message_id: str = "") -> None:
        """Begin a chat with what was said in another one up to the message `seq`, and perhaps a message that follows it.

        No decision of the other chat, and no rule, permits anything in this one.
        """
        said: dict[str, Json] | None = {"text": _sendable(text), "id": message_id} if text else None
        await self._admit(source)
        view, messages, _ = await self._read_all(source)
        kept = fork.up_to(messages, seq)
        if not kept and not said:
            raise ChatNotFound("There is nothing in this chat yet that could be forked.")
        goal = fork.goal_at(messages, seq, view.goal)
        has_said = any(isinstance(each, UserMessage) for each in kept)
        title = view.title or titles.of_transcript(kept) or titles.title(text) or goal.title
        await self._start(
            chat_id,
            goal,
            titles.forked(title) if has_said else title,
            model=view.model,
            welcome=next((each.text for each in kept if isinstance(each, AgentMessage)), ""),
            said=said,
            linger=LINGER,
            transcript=kept if has_said else (),
        )

    async def import_chat(self, chat_id: str, transcript: Transcript) -> None:
        """Begin, and end, a chat that shows what was said in an exported one: it can be read, and forked."""
        if sum(map(size, transcript.messages)) > TRANSCRIPT_BYTES:
            raise MessageRefused(
                f"The file holds more than {TRANSCRIPT_BYTES / 1e6:.1f} MB of messages, which is more than a chat can "
                "begin with."
            )
        if not transcript.messages:
            raise MessageRefused("The file holds no messages.")
        title = titles.of_transcript(transcript.messages) or transcript.goal.title
        await self._start(chat_id, transcript.goal, title, transcript=transcript.messages, read_only=True)

    async def _start(
        self,
        chat_id: str,
        goal: GoalSpec,
        title: str,
        *,
        model: str = "",
        welcome: str = "",
        said: dict[str, Json] | None = None,
        linger: int = 0,
        transcript: Sequence[Message] = (),
        read_only: bool = False,
    ) -> None:
        async with self._calling(chat_id):
            listed_in = await self._where_listed()
            start = wire.start_input(
                goal,
                model,
                window_bytes=self._settings.llm_context_tokens * 4,
                listed_in=listed_in,
                welcome=welcome,
                linger=linger,
                transcript=transcript,
                read_only=read_only,
                notify_after=math.ceil(self._settings.notify_after) if self._settings.notify_urls else 0,
            )
            if read_only:
                _check_imported(start)
            owner = self._visitor.id
            await self._client.start_workflow(
                WORKFLOW,
                start,
                id=chat_id,
                task_queue=self._settings.temporal_task_queue,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                start_signal="user_prompt" if said else None,
                start_signal_args=[said] if said else [],
                memo={"goal": goal.name, "title": title, visibility.MEMO_OWNER: owner},
                search_attributes=visibility.at_start(goal.name, owner) if listed_in == "attributes" else None,
                static_summary=title,
                rpc_timeout=RPC_TIMEOUT,
            )

    async def send(self, chat_id: str, text: str, message_id: str = "", *, insist: bool = False) -> None:
        """Send a message. It is durable once this returns; sent twice with the same id, it counts once."""
        said: dict[str, Json] = {"text": _sendable(text), "id": message_id or secrets.token_hex(8)}
        await self._admit(chat_id)
        await self._signal(chat_id, "user_prompt", said | ({"insist": True} if insist else {}))

    async def confirm(self, chat_id: str, proposal_id: str, arguments: dict[str, Json] | None = None) -> None:
        """Accept a proposal, perhaps with other arguments. A proposal that no longer waits is left as it is."""
        verdict: dict[str, Json] = {"proposal_id": proposal_id, "who": self._visitor.label}
        await self._signal(chat_id, "confirm", verdict | ({} if arguments is None else {"arguments": arguments}))

    async def decline(self, chat_id: str, proposal_id: str, reason: str = "") -> None:
        """Refuse a proposal; the reason reaches the model."""
        await self._signal(
            chat_id, "decline", {"proposal_id": proposal_id, "reason": reason, "who": self._visitor.label}
        )

    async def decide(self, chat_id: str, verdicts: Sequence[Verdict]) -> None:
        """Decide several proposals of one card at once; if one of them waits no longer, nothing is decided."""
        decisions = []
        for each in verdicts:
            word = "confirm" if each.accepts else "decline"
            decisions.append(each.model_dump(mode="json", exclude={"accepts", "who"}) | {"verdict": word})
        await self._signal(chat_id, "decide", {"decisions": decisions, "who": self._visitor.label})

    async def add_rule(
        self,
        chat_id: str,
        tool: str,
        *,
        rule_id: str = "",
        seconds: float | None = None,
        most: str = "",
        currency: str = "",
        proposal_id: str = "",
    ) -> None:
        """Let a tool run without a question from now on; the proposal, if one is named, is confirmed with it.

        Sent twice with the same rule_id, it counts once.
        """
        rule: dict[str, Json] = {"id": rule_id or secrets.token_hex(8), "tool": tool, "proposal_id": proposal_id}
        rule["who"] = self._visitor.label
        limits: dict[str, Json] = {"seconds": seconds, "most": most or None, "currency": currency or None}
        await self._signal(
            chat_id, "add_rule", rule | {name: value for name, value in limits.items() if value is not None}
        )

    async def revoke_rule(self, chat_id: str, rule_id: str) -> None:
        """Ask about it again."""
        await self._signal(chat_id, "revoke_rule", rule_id)

    async def add_link(
        self, chat_id: str, kind: LinkKind, *, seconds: int, link_id: str = "", proposal_id: str = ""
    ) -> None:
        """Let others see the chat, take it over, or decide one proposal; the same link_id counts once."""
        link: dict[str, Json] = {"id": link_id or secrets.token_hex(8), "kind": kind, "seconds": seconds}
        await self._signal(chat_id, "add_link", link | {"proposal_id": proposal_id, "who": self._visitor.label})

    async def revoke_link(self, chat_id: str, link_id: str) -> None:
        """The link opens nothing from now on."""
        await self._signal(chat_id, "revoke_link", link_id)

    async def hand_over(self, chat_id: str, link_id: str, visitor: Visitor) -> None:
        """Make the chat this visitor's, by a link that permits it once."""
        told: dict[str, Json] = {"link": link_id, "owner": visitor.id, "who": visitor.label}
        async with self._calling(chat_id):
            told["attribute"] = await self._where_listed() == "attributes"
        await self._signal(chat_id, "hand_over", told)

    async def decide_by_link(self, chat_id: str, link_id: str, *, accepts: bool, who: str) -> None:
        """Decide the proposal of a link that permits it once."""
        verdict = "confirm" if accepts else "decline"
        await self._signal(chat_id, "decide_by_link", {"link": link_id, "verdict": verdict, "who": who})

    async def end(self, chat_id: str) -> None:
        """End a chat; one that has ended already stays so."""
        try:
            await self._signal(chat_id, "end_chat")
        except ChatClosed:
            return

    async def stop(self, chat_id: str) -> None:
        """Stop the reply that is being written; what there is of it stays."""
        await self._signal(chat_id, "stop")

    async def regenerate(self, chat_id: str, seq: int = 0) -> None:
        """Write the newest reply again; the one with this seq, so that a doubled click asks once."""
        await self._signal(chat_id, "regenerate", {"seq": seq})

    async def rename(self, chat_id: str, title: str) -> None:
        """Call an open chat this from now on."""
        if not title.strip():
            raise MessageRefused("A title needs at least one letter.")
        await self._signal(chat_id, "rename", title)

    async def retry_now(self, chat_id: str) -> bool:
        """Have the step that waits for its next attempt tried at once; False when none waits."""
        async with self._calling(chat_id):
            described = await self._client.get_workflow_handle(chat_id).describe(rpc_timeout=RPC_TIMEOUT)
            waiting = [each for each in described.raw_description.pending_activities if _waits(each)]
            for activity in waiting:
                await self._client.workflow_service.reset_activity(
                    ResetActivityRequest(
                        namespace=self._client.namespace,
                        execution=WorkflowExecution(workflow_id=chat_id, run_id=described.run_id),
                        id=activity.activity_id,
                    ),
                    timeout=RPC_TIMEOUT,
                )
        return bool(waiting)

    async def delete(self, chat_id: str) -> int:
        """Delete a chat from the server: the histories of all its runs, whatever they do now. How many there were."""
        async with self._calling(chat_id):
            newest = await self._client.get_workflow_handle(chat_id).describe(rpc_timeout=RPC_TIMEOUT)
            if newest.workflow_type != WORKFLOW:
                raise _not_a_chat(chat_id)
            runs = [newest.run_id]
            while before := await self._run_before(chat_id, runs[-1]):
                runs.append(before)
            query = f"WorkflowType = '{WORKFLOW}' AND WorkflowId = '{chat_id}'"  # a repair leaves runs beside the line
            runs += [run.run_id async for run in self._client.list_workflows(query) if run.run_id not in runs]
            for run_id in runs:
                execution = WorkflowExecution(workflow_id=chat_id, run_id=run_id)
                request = DeleteWorkflowExecutionRequest(namespace=self._client.namespace, workflow_execution=execution)
                await self._client.workflow_service.delete_workflow_execution(request, timeout=RPC_TIMEOUT)
        return len(runs)

    async def _run_before(self, chat_id: str, run_id: str) -> str:
        """The run that continued as this one, "" for the first, or where that is gone."""
        handle = self._client.get_workflow_handle(chat_id, run_id=run_id)
        try:
            async for event in handle.fetch_history_events(page_size=1, rpc_timeout=RPC_TIMEOUT):
                return event.workflow_execution_started_event_attributes.continued_execution_run_id
        except RPCError as error:
            if error.status != RPCStatusCode.NOT_FOUND:
                raise
        return ""

    async def set_model(self, chat_id: str, model: str) -> None:
        """Answer with another model from now on; a call under way is asked again of it."""
        await self._signal(chat_id, "set_model", model)

    async def exists(self, chat_id: str) -> bool:
        """Whether there is a chat of this id, open or ended. Needs no worker, and costs no Action."""
        try:
            async with self._calling(chat_id):
                await self._client.get_workflow_handle(chat_id).describe(rpc_timeout=RPC_TIMEOUT)
        except ChatNotFound:
            return False
        return True

    async def look(self, chat_id: str, worker_age: float = WORKER_LOOK) -> Look:
        """What the server says of the chat now. worker_age: how old, in seconds, the look at the workers may be.

        Raises ChatWedged when no worker can replay it, and KeyMissing when the worker cannot read it.
        """
        handle = self._client.get_workflow_handle(chat_id)
        async with self._calling(chat_id):
            described = await handle.describe(rpc_timeout=RPC_TIMEOUT)
            if described.workflow_type != WORKFLOW:
                raise _not_a_chat(chat_id)
            if stuck := await self._why_stuck(described):
                raise stuck
            return Look(
                chat_id,
                described.run_id,
                _STATUS.get(described.status, "running"),
                described.history_length,
                described.raw_description.HasField("pending_workflow_task"),
                await _attempt(described),
                await self._worker(worker_age),
                await _owner(described),
            )

    async def read(self, look: Look, since: int = 0) -> ChatView | None:
        """The run that was looked at, with its messages after `since`: a query, which Temporal Cloud bills.

        None for a chat that never came to a state that can be shown. Raises NoWorker when no worker answers in time.
        """
        async with self._calling(look.chat_id):
            handle = self._client.get_workflow_handle(look.chat_id, run_id=look.run_id)
            timeout = QUERY_TIMEOUT if look.worker != "missing" else UNLIKELY_QUERY_TIMEOUT
            view = await self._query(handle, since, look.run_status, timeout)
        self._note_answer()
        return view

    async def view(self, chat_id: str, since: int = 0) -> Snapshot:
        """The chat now, with its messages after `since`. Raises NoWorker when no worker answers the query in time."""
        look = await self.look(chat_id)
        worker = look.worker
        try:
            view = await self.read(look, since)
            worker = "alive"
        except NoWorker:
            if worker != "missing":
                raise
            view = None
        return Snapshot(chat_id, look.run_id, look.run_status, view, look.attempt, worker)

    async def earlier(self, chat_id: str, run_id: str) -> ChatView:
        """The segment of an earlier run (view.previous_run_id), for scrolling back."""
        async with self._calling(chat_id):
            handle = self._client.get_workflow_handle(chat_id, run_id=run_id)
            segment = await self._query(handle, 0, "completed")
            assert segment is not None
            while segment.more:
                rest = await self._query(handle, segment.messages[-1].seq, "completed")
                assert rest is not None
                segment.messages += rest.messages
                segment.more = rest.more
            return segment

    async def transcript(self, chat_id: str) -> Transcript:
        """Everything that was said, of all runs that the server still has."""
        view, messages, complete = await self._read_all(chat_id)
        return Transcript(
            version=VERSION,
            chat_id=chat_id,
            goal=view.goal,
            exported_at=datetime.now(UTC),
            complete=complete,
            messages=messages,
        )

    async def _read_all(self, chat_id: str) -> tuple[ChatView, list[Message], bool]:
        """The newest state, all messages, and whether no earlier run is missing."""
        look = await self.look(chat_id)
        newest = await self.read(look)
        if newest is None:
            raise ChatNotFound("This chat has nothing that can be read.")
        view, messages = newest, [*newest.messages]
        while view.more:
            rest = await self.read(look, messages[-1].seq)
            if rest is None:
                break
            view, messages = rest, [*messages, *rest.messages]
        run_id = view.previous_run_id
        while run_id:
            try:
                earlier = await self.earlier(chat_id, run_id)
            except ChatNotFound:
                return newest, messages, False
            run_id, messages = earlier.previous_run_id, [*earlier.messages, *messages]
        return newest, messages, True

    async def history(self, chat_id: str, run_id: str = "", known: RunHistory | None = None) -> RunHistory:
        """What the history of a run says; known: what was read of it before. Needs no worker, and costs no Action."""
        newest = known.facts[-1].number if known and known.facts else 0
        events: list[HistoryEvent] = []
        request = GetWorkflowExecutionHistoryReverseRequest(
            namespace=self._client.namespace,
            execution=WorkflowExecution(workflow_id=chat_id, run_id=run_id),
            maximum_page_size=HISTORY_PAGE,
        )
        async with self._calling(chat_id):
            if not run_id:
                described = await self._client.get_workflow_handle(chat_id).describe(rpc_timeout=RPC_TIMEOUT)
                run_id = request.execution.run_id = described.run_id
                newest = newest if known and known.run_id == run_id else 0
            while True:
                page = await self._client.workflow_service.get_workflow_execution_history_reverse(
                    request, timeout=RPC_TIMEOUT
                )
                events += [event for event in page.history.events if event.event_id > newest]
                request.next_page_token = page.next_page_token
                if (
                    not page.next_page_token
                    or len(page.history.events) == 0
                    or page.history.events[-1].event_id <= newest
                ):
                    break
        found = [fact for event in reversed(events) if (fact := timeline.fact(event, await self._payload(event)))]
        if known and newest:
            return RunHistory(run_id, (*known.facts, *found), known.previous_run_id)
        first = events[-1].workflow_execution_started_event_attributes if events else None
        return RunHistory(run_id, tuple(found), first.continued_execution_run_id if first else "")

    async def _payload(self, event: HistoryEvent) -> Json:
        """The first payload of an event, if it is of use; what cannot be read tells nothing."""
        payloads = timeline.payloads(event)
        if payloads is None or not payloads.payloads:
            return None
        try:
            return (await self._client.data_converter.decode(payloads.payloads[:1]))[0]
        except Exception:  # a converter may raise anything on bytes it cannot decode
            return None

    async def repair(self, chat_id: str) -> bool:
        """Reset a wedged chat to where its history holds; False when nothing was wrong. See agent/repair.py."""
        from agent import repair  # and with it the workflow, which nothing else here needs

        async with self._calling(chat_id):
            return await repair.repair(self._client, chat_id) is not None

    async def ping(self) -> None:
        """Raises ServerUnavailable unless the server answers. Costs no Action."""
        async with self._calling(""):
            await check_namespace(self._client)

    async def failure(self, chat_id: str) -> str:
        """Why a failed chat failed, in one sentence."""
        try:
            async with self._calling(chat_id):
                await self._client.get_workflow_handle(chat_id).result(rpc_timeout=RPC_TIMEOUT)
        except WorkflowFailureError as error:
            return error.cause.message if isinstance(error.cause, ApplicationError) else ""
        return ""

    async def chats(self, limit: int = 30) -> list[ChatRow]:
        """The visitor's newest open chats, then the newest ended ones: at most `limit` of each.

        Runs that continued as new are left out by the query: a long chat has many, and would push others off the list.
        """
        async with self._calling(""):
            rows = await self._rows("ExecutionStatus = 'Running'", limit)
            if await self._where_listed() == "attributes" and len(rows) >= limit:  # older ones may need the person
                rows += await self._rows(
                    f"ExecutionStatus = 'Running' AND {visibility.STATUS.name} = 'deciding'", limit
                )
            rows += await self._rows(f"ExecutionStatus IN ({', '.join(map(repr, _ENDED))})", limit)
        rows.sort(key=lambda row: (row.status == "running", row.started), reverse=True)
        newest: dict[str, ChatRow] = {}
        for row in rows:
            newest.setdefault(row.chat_id, row)  # a repaired chat has a terminated run as well
        return list(newest.values())

    async def _rows(self, which: str, limit: int) -> list[ChatRow]:
        rows: list[ChatRow] = []
        query, most, owns = f"WorkflowType = '{WORKFLOW}' AND {which}", limit, self._visitor.owns
        if not self._visitor.is_owner and await self._where_listed() == "attributes":
            query += f" AND {visibility.VISITOR.name} = '{self._visitor.id}'"
        elif not self._visitor.is_owner:
            most = SCANNED
        async for run in self._client.list_workflows(query, page_size=limit, limit=most, rpc_timeout=RPC_TIMEOUT):
            attributes = run.typed_search_attributes
            try:
                memo = await run.memo()
            except KeyMissing:
                memo = {"title": UNREADABLE, "goal": attributes.get(visibility.GOAL) or ""}
                memo[visibility.MEMO_OWNER] = attributes.get(visibility.VISITOR) or ""
            if not owns(str(memo.get(visibility.MEMO_OWNER, ""))):
                continue
            if len(rows) == limit:
                break
            goal = str(memo.get("goal", ""))
            title = str(memo.get("title", "")) or goal or run.id
            status = _STATUS.get(run.status, "running")
            waiting = status == "running" and visibility.is_deciding(run.typed_search_attributes, memo)
            rows.append(ChatRow(run.id, title, goal, run.start_time, status, waiting))
        return rows

    async def _where_listed(self) -> ListedIn:
        """Where chats say what they wait for. Attributes are added to a server of this machine only: others are shared."""
        if not self._listed_in:
            ours = not self._settings.temporal_address
            self._listed_in.append(await visibility.prepare(self._client, register=ours))
        return self._listed_in[0]

    async def _signal(self, chat_id: str, name: str, *payload: Json) -> None:
        async with self._calling(chat_id):
            handle = self._client.get_workflow_handle(chat_id)
            for pause in (0.1, 0.3, 1.0, 3.0, 0):
                try:
                    await handle.signal(name, args=list(payload), rpc_timeout=RPC_TIMEOUT)
                    break
                except RPCError as error:  # between two runs of a chat, nothing is taken for a moment
                    if error.status != RPCStatusCode.RESOURCE_EXHAUSTED or not pause:
                        raise
                await asyncio.sleep(pause)

    async def _query(
        self, handle: WorkflowHandle[Any, Any], since: int, status: RunStatus, timeout: timedelta = QUERY_TIMEOUT
    ) -> ChatView | None:
        """None for a chat that never came to a state that can be shown."""
        try:
            view: ChatView = await handle.query("get_chat", since, result_type=ChatView, rpc_timeout=timeout)
            return view
        except (WorkflowQueryFailedError, WorkflowQueryRejectedError) as error:
            if status == "failed":
                return None
            if status == "running" and "Nondeterminism" in str(error):
                raise _wedged() from None
            if "PAYLOAD_KEYS" in str(error):
                raise _worker_lacks_key() from None
            raise NoWorker(
                "The worker cannot read this chat. Look at its log, and restart `python worker.py`."
            ) from None
        except RPCError as error:
            if error.status in (
                RPCStatusCode.CANCELLED,
                RPCStatusCode.DEADLINE_EXCEEDED,
                RPCStatusCode.FAILED_PRECONDITION,
            ):
                raise NoWorker(
                    "No worker has answered for 5 seconds. Start one with `python worker.py`; nothing is lost."
                ) from None
            raise

    async def _why_stuck(self, described: WorkflowExecutionDescription) -> ChatError | None:
        """Why its newest workflow task failed: no replay comes to what the history says, or the worker lacks the key."""
        if described.raw_description.pending_workflow_task.attempt < 2:
            self._judged.pop(described.id, None)
            return None
        position = (described.run_id, described.history_length)  # further attempts of the same task add no event
        judged = self._judged.get(described.id)
        if judged is None or judged[0] != position:
            judged = self._judged[described.id] = (position, await self._newest_failure(described))
        return judged[1]

    async def _newest_failure(self, described: WorkflowExecutionDescription) -> ChatError | None:
        request = GetWorkflowExecutionHistoryReverseRequest(
            namespace=self._client.namespace,
            execution=WorkflowExecution(workflow_id=described.id, run_id=described.run_id),
            maximum_page_size=100,
        )
        service = self._client.workflow_service
        found = await service.get_workflow_execution_history_reverse(request, timeout=RPC_TIMEOUT)
        for event in found.history.events:
            if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED:
                failed = event.workflow_task_failed_event_attributes
                if failed.failure.application_failure_info.type == _KEY_MISSING:
                    return _worker_lacks_key()
                return _wedged() if failed.cause == _NONDETERMINISM else None
            if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
                break
        return None

    def _note_answer(self) -> None:
        """An answer is a sign of life, too, and one of a worker that is not listed says what the list is worth."""
        now = time.monotonic()
        if not self._seen_worker or self._seen_worker[1] != "missing":
            self._unlisted_answers = 0
        elif now - self._answered_at > WORKER_LOOK:
            self._unlisted_answers += 1
            self._lists_workers = self._unlisted_answers < UNLISTED
        self._answered_at = now

    async def _worker(self, age: float = WORKER_LOOK) -> Literal["alive", "missing", "unknown"]:
        """Whether any worker serves our task queue: by the heartbeats that workers send to the server, or by an answer."""
        if not self._lists_workers:
            return "unknown"
        if not self._seen_worker or time.monotonic() - self._seen_worker[0] >= age:
            listed = await self._listed_worker()
            if listed == "unknown":
                return listed
            self._seen_worker = (time.monotonic(), listed)
        has_answered = time.monotonic() - self._answered_at < WORKER_SILENCE
        return "alive" if has_answered else self._seen_worker[1]

    async def _listed_worker(self) -> Literal["alive", "missing", "unknown"]:
        request = ListWorkersRequest(
            namespace=self._client.namespace, page_size=100, query=f"TaskQueue = '{self._settings.temporal_task_queue}'"
        )
        try:
            found = await self._client.workflow_service.list_workers(request, timeout=RPC_TIMEOUT)
        except RPCError as error:
            if error.status not in (RPCStatusCode.UNIMPLEMENTED, RPCStatusCode.INVALID_ARGUMENT):
                raise
            self._lists_workers = False  # servers before 1.32 know it behind a flag only
            return "unknown"
        heartbeats = [info.worker_heartbeat for info in found.workers_info]
        newest = max((b.heartbeat_time.seconds for b in heartbeats if b.status in _AT_WORK), default=0)
        return "alive" if time.time() - newest < WORKER_SILENCE else "missing"

    @asynccontextmanager
    async def _calling(self, chat_id: str) -> AsyncIterator[None]:
        """See that the visitor may use the chat, and turn the server's errors into ChatErrors."""
        try:
            if chat_id and not (self._visitor.is_owner or self._settings.open_chats):
                await self._check(chat_id)
            yield
        except WorkflowAlreadyStartedError:  # it began, and ended
            raise _closed() from None
        except RPCError as error:
            raise self._explained(error, chat_id) from None
        except RuntimeError as error:  # a lazy client's first call
            if not str(error).startswith("Failed client connect"):
                raise
            sentence = await explain_failed_connection(error, self._client.service_client.config)
            raise ServerUnavailable(sentence) if sentence else _unavailable() from None
        except TimeoutError:
            raise _unavailable() from None

    async def _admit(self, chat_id: str) -> None:
        """Raise TooManyMessages when the visitor has sent as many as a minute allows."""
        if not self._settings.messages_per_minute or self._visitor.is_owner:
            return
        async with self._calling(chat_id):
            seconds = await self._ledger.wait(self._visitor.id)
        if seconds:
            most = self._settings.messages_per_minute
            raise TooManyMessages(
                f"You can send {most} message{'s' if most > 1 else ''} a minute. The next one can be sent in "
                f"{math.ceil(seconds)} s."
            )

    async def _check(self, chat_id: str) -> None:
        """Raise ChatNotFound for the chat of somebody else, as if there was none; one that is yet to begin is anybody's."""
        try:
            described = await self._client.get_workflow_handle(chat_id).describe(rpc_timeout=RPC_TIMEOUT)
        except RPCError as error:
            if error.status != RPCStatusCode.NOT_FOUND:
                raise
            return
        if not self._visitor.owns(await _owner(described)):
            raise no_such_chat()

    def _explained(self, error: RPCError, chat_id: str) -> ChatError:
        if sentence := explain_refusal(error, self._client.service_client.config, self._client.namespace):
            return ServerUnavailable(sentence)
        if error.status == RPCStatusCode.NOT_FOUND and "already completed" in error.message:
            return _closed()
        if error.status in (RPCStatusCode.NOT_FOUND, RPCStatusCode.INVALID_ARGUMENT) and chat_id:
            return no_such_chat()
        return _unavailable()


def new_chat_id() -> str:
    """An id that nobody can guess."""
    return f"chat-{secrets.token_hex(16)}"


def _sendable(text: str) -> str:
    text = sanitize_text(text)
    if not text:
        raise MessageRefused("There is nothing to send yet. Write a message first.")
    if len(text) > MESSAGE_LIMIT:
        raise MessageRefused(
            f"The message has {len(text):,} characters and at most {MESSAGE_LIMIT:,} can be sent. Shorten it."
        )
    return text


def _check_imported(start: dict[str, Json]) -> None:
    """Nothing of a file has been read by a workflow yet, which could only fail."""
    try:
        wire.read_start(start, key="")
    except wire.Unreadable as error:
        raise MessageRefused(f"The file cannot be imported. {error}") from None


def _closed() -> ChatError:
    return ChatClosed("This chat has ended. Start a new one to go on.")


def no_such_chat() -> ChatNotFound:
    """For an address without a chat and for the chat of somebody else: nobody is to tell them apart."""
    return ChatNotFound("There is no chat at this address that you may open. Start a new one.")


def _not_a_chat(chat_id: str) -> ChatError:
    return ChatNotFound(f"{chat_id} is not a chat of this app. Start a new one.")


def _wedged() -> ChatError:
    return ChatWedged(
        "This chat cannot go on: its history no longer leads to where it is. Repair it; nothing that you wrote is lost."
    )


def _worker_lacks_key() -> ChatError:
    return KeyMissing(
        "The worker lacks a key that this page or this chat is encrypted with. "
        "Put it into the PAYLOAD_KEYS of pages and workers, and restart them; nothing is lost."
    )


def _unavailable() -> ChatError:
    return ServerUnavailable("The Temporal server does not answer. It is tried again by itself; nothing is lost.")


def _waits(activity: PendingActivityInfo) -> bool:
    """Whether it failed, and has not been tried again yet."""
    scheduled = activity.state == PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED
    return scheduled and activity.HasField("next_attempt_schedule_time")


async def _owner(described: WorkflowExecutionDescription) -> str:
    """Whom a chat belongs to; "" where nobody is named: then it is the installation's owner's."""
    try:
        return str(await described.memo_value(visibility.MEMO_OWNER, ""))
    except Exception:  # a converter may raise anything on bytes it cannot decode
        return described.typed_search_attributes.get(visibility.VISITOR) or ""


async def _attempt(described: WorkflowExecutionDescription) -> Attempt | None:
    """The newest activity that a person waits for."""
    pending = [
        activity
        for activity in described.raw_description.pending_activities
        if activity.activity_type.name != "summarize"
    ]
    if not pending:
        return None
    activity = pending[-1]
    shown: dict[str, Any] = {}
    if activity.HasField("heartbeat_details"):
        details = await described.data_converter.decode(activity.heartbeat_details.payloads)
        shown = details[0] if details and isinstance(details[0], dict) else {}
    error, next_in = "", None
    if activity.HasField("last_failure"):
        failure = await described.data_converter.decode_failure(activity.last_failure)
        error = failure_sentence(failure)
    if _waits(activity):
        next_in = max(0.0, activity.next_attempt_schedule_time.ToMilliseconds() / 1000 - time.time())
    return Attempt(
        name=activity.activity_type.name,
        number=activity.attempt,
        partial=str(shown.get("text") or ""),
        progress=str(shown.get("progress") or ""),
        waiting_for=str(shown.get("waiting_for") or ""),
        fraction=shown.get("fraction") if isinstance(shown.get("fraction"), float) else None,
        error=error,
        next_in=next_in,
    )
