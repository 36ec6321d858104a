"""AgentGoalWorkflow: one chat. Start reading at `run`; what each step does to the chat is in agent/conversation.py.

Changing what this file does in which order breaks running chats: see docs/changing-the-workflow.md.
"""

import asyncio
import contextlib
import hashlib
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import RawValue, RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError

with workflow.unsafe.imports_passed_through():
    from agent import steps, visibility, wire
    from agent.attempts import KEY_MISSING, failure_interruptions, failure_sentence, failure_usage
    from agent.messages import (
        ChatView,
        Decision,
        Handover,
        Json,
        Plan,
        Proposal,
        SummaryRequest,
        ToolAnswer,
        ToolCall,
    )

PLAN_RETRIES = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=15))
"""Without limit: the chat continues by itself when the network, the key or the worker is back."""

TOOL_RETRIES = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_attempts=4)
HASHED_KEYS = "hashed-idempotency-keys"
"""The patch since which a new chat's idempotency keys, which services store, do not name the chat."""

LISTED = "listed"
"""The patch since which a chat that is asked to keeps what it waits for where lists find it."""

HEARTBEAT_TIMEOUT = timedelta(seconds=5)
KEY_LIFETIME = timedelta(hours=20)
"""How long a tool may be retried: Stripe forgets an idempotency key after 24 h, and would then act twice."""

ENDING_TIMEOUT = timedelta(seconds=30)
"""How long an ended chat waits for a side effect that is under way."""

STOP_TIMEOUT = timedelta(seconds=10)
"""How long a stopped reply waits for the worker to hand over what it has written."""

SUMMARY_TIMEOUT = timedelta(minutes=10)
"""How long a summary may take in all; a run that is due to continue as new waits for it, and takes turns meanwhile."""

TOOL_ERROR = "ToolError"
"""The type of the failure that a tool reports itself: nothing about its effect is unknown."""


@workflow.defn(name="AgentGoalWorkflow")
class AgentGoalWorkflow:
    """A chat that reaches a goal with tools. Input, signals and queries: agent/wire.py."""

    @workflow.init
    def __init__(self, *start: Any) -> None:
        self._unreadable = ""
        self._summary: asyncio.Task[None] | None = None
        info = workflow.info()
        try:
            self.chat = wire.read_start(
                start[0] if start else None,
                # its last digits are random; the first ones are the time, and chats with the same id may follow quickly
                key=info.first_execution_run_id[-12:],
                now=workflow.now(),
                continued=info.continued_run_id is not None,
            )
            if info.continued_run_id is None:
                self.chat.hashed_keys = workflow.patched(HASHED_KEYS)
                if self.chat.listed_in and not workflow.patched(LISTED):
                    self.chat.listed_in = ""  # it began with a worker that knew nothing of it
        except wire.Unreadable as error:
            self._unreadable = str(error)

    @workflow.run
    async def run(self, *_: Any) -> dict[str, Json]:
        """Chat until the end. Returns this run's segment of the transcript, as the ancestors do."""
        if self._unreadable:
            raise ApplicationError(self._unreadable, type="Unreadable", non_retryable=True)
        chatting = asyncio.create_task(self._chat())
        try:
            await asyncio.shield(chatting)
        except asyncio.CancelledError:  # of the workflow, from Temporal's own tools
            self.chat.end(workflow.now())
            await chatting
            raise
        return wire.history(self.chat, with_context=False)

    async def _chat(self) -> None:
        """Take turns until the chat ends."""
        chat = self.chat
        while not chat.ended:
            self._describe()
            try:
                await workflow.wait_condition(
                    lambda: bool(chat.has_work or chat.ended or chat.is_listed_wrongly or self._is_long()),
                    timeout=_sooner(chat.open_for(workflow.now()), chat.notify_in(workflow.now())),
                )
            except TimeoutError:
                if chat.notify_in(workflow.now()) == timedelta():
                    self._notify()
                else:
                    chat.close()
                continue
            if chat.is_listed_wrongly:
                self._list()
            if self._is_long():
                following = wire.resume_input(chat.next_run_state(workflow.info().run_id))
                # the server would hand on the memo that the chat began with, without what was changed since
                workflow.continue_as_new(args=[following], memo=workflow.memo())
            elif chat.receipt:
                await self._run_tool(*chat.begin_tool())
            elif chat.has_work:
                await self._plan()

    def _notify(self) -> None:
        """Have somebody told, beside everything else; what cannot be delivered is in the worker's log."""
        told = self.chat.notified(workflow.uuid4().hex[:16], workflow.now())
        if told is not None:
            call = workflow.start_activity(
                "notify",
                told,
                start_to_close_timeout=timedelta(minutes=1),
                retry_policy=RetryPolicy(maximum_attempts=5),
                summary=f"Tell that {told.tool} waits",
            )
            call.add_done_callback(lambda done: done.cancelled() or done.exception())

    def _list(self) -> None:
        """Tell those who list chats what this one waits for. Temporal Cloud bills each time, so only when it changes."""
        chat = self.chat
        chat.listed = chat.waits_for
        if chat.listed_in == "attributes":
            workflow.upsert_search_attributes(visibility.updates(chat.listed))
        else:
            workflow.upsert_memo({visibility.MEMO: chat.listed or None})

    def _describe(self) -> None:
        """Show the last lines in Temporal's own UI; no event of the history."""
        workflow.set_current_details(steps.last_lines(self.chat.messages, self.chat.proposal))

    def _is_long(self) -> bool:
        """Whether this run should continue as new."""
        if self.chat.ended:
            return False
        if _is_full():
            return True
        return self._is_past_limit() and bool(self.chat.messages) and (self._summary is None or self._summary.done())

    def _is_past_limit(self) -> bool:
        return workflow.info().get_current_history_size() > self.chat.history_limit

    # Steps of a turn

    async def _plan(self) -> None:
        """Ask the model for the next step, unless the person ends the chat, picks another model, or fills this run."""
        chat = self.chat
        request = chat.begin_plan(workflow.now())
        self._describe()
        call = workflow.start_activity(
            "plan",
            request,
            result_type=Plan,
            start_to_close_timeout=timedelta(hours=1),  # the activity keeps the shorter limit of its own settings
            heartbeat_timeout=HEARTBEAT_TIMEOUT,
            retry_policy=PLAN_RETRIES,
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
            summary=steps.plan_line(request),
        )
        try:
            await workflow.wait_condition(
                lambda: bool(call.done() or chat.ended or chat.stopping or chat.model != request.model or _is_full())
            )
            if call.done():
                chat.finish_plan(await call, workflow.now())
                self._summarize_backlog()
            elif chat.stopping and not chat.ended:
                chat.finish_plan(await _stop(call, lambda: bool(chat.ended)), workflow.now())
            else:
                _cancel(call)
                chat.stop_plan(again=not chat.ended)
        except ActivityError as error:
            chat.fail_plan(failure_sentence(error.cause), workflow.now(), failure_usage(error.cause))

    async def _run_tool(self, proposal: Proposal, receipt: Decision) -> None:
        """Run a tool under its receipt. An unknown outcome is reported as unknown, never as a failure."""
        chat = self.chat
        once, read = proposal.effect == "once", proposal.effect == "read"
        call = workflow.start_activity(
            proposal.tool,
            ToolCall(
                proposal_id=proposal.id,
                tool=proposal.tool,
                arguments=receipt.arguments,
                idempotency_key=f"{self._chat_name()}/{chat.effect_id(proposal, receipt)}",
                effect=proposal.effect,
            ),
            result_type=ToolAnswer,
            activity_id=proposal.id,
            start_to_close_timeout=timedelta(seconds=proposal.timeout + 10),  # the activity stops itself before
            schedule_to_close_timeout=KEY_LIFETIME,
            heartbeat_timeout=HEARTBEAT_TIMEOUT,
            retry_policy=RetryPolicy(maximum_attempts=1) if once else TOOL_RETRIES,
            summary=steps.tool_line(proposal.tool, receipt.arguments),
        )
        try:
            if await _until(call, lambda: bool(chat.ended), grace=not read):
                chat.finish_tool(await call, workflow.now())
            elif read:
                chat.fail_tool("The chat was ended before the tool answered.", workflow.now())
            else:
                chat.lose_tool("The chat was ended and the tool did not answer in time.", workflow.now())
        except ActivityError as error:
            kind = error.cause.type if isinstance(error.cause, ApplicationError) else ""
            if read or kind == TOOL_ERROR or (once and kind == KEY_MISSING):  # its only attempt was not even read
                chat.fail_tool(failure_sentence(error.cause), workflow.now())
            else:
                chat.lose_tool(failure_sentence(error.cause), workflow.now(), failure_interruptions(error.cause))

    def _chat_name(self) -> str:
        """What services and tools know a chat by: the same for all of its effects, and no way to its id."""
        chat_id = workflow.info().workflow_id
        if not self.chat.hashed_keys:
            return chat_id
        return hashlib.sha256(f"{chat_id}/{self.chat.key}".encode()).hexdigest()[:32]

    def _summarize_backlog(self) -> None:
        """Fold the oldest messages into the summary, in the background.

        A run that is due to continue as new waits for its summary, so it starts no other one.
        """
        free = self._summary is None or (self._summary.done() and not self._is_past_limit())
        if free and (backlog := self.chat.backlog()):
            self._summary = asyncio.create_task(self._summarize(*backlog))

    async def _summarize(self, messages: list[Any], through: int) -> None:
        try:
            plan = await workflow.execute_activity(
                "summarize",
                SummaryRequest(
                    goal=self.chat.goal, summary=self.chat.summary, messages=messages, model=self.chat.model
                ),
                result_type=Plan,
                schedule_to_close_timeout=SUMMARY_TIMEOUT,
                heartbeat_timeout=HEARTBEAT_TIMEOUT,
                retry_policy=RetryPolicy(maximum_attempts=3),
                summary=f"Summarize {len(messages)} messages",
            )
        except ActivityError as error:  # the next turn tries again; until then the window drops its oldest messages
            self.chat.count_usage(failure_usage(error.cause))
        else:
            self.chat.summarize(plan.text, through, plan.by)

    # Signals and queries

    @workflow.signal(dynamic=True)
    def on_signal(self, name: str, args: Sequence[RawValue]) -> None:
        """The one handler of all signals: whatever is wrong with one, it is ignored, and the page shows why.

        With typed handlers, a client could wedge the chat by sending the wrong number of arguments.
        """
        if self._unreadable:
            return
        try:
            self._handle(name, args)
        except wire.Unreadable as error:
            self.chat.reject_input(str(error), workflow.now())
        except Exception:  # a converter may raise anything on bytes it cannot decode
            self.chat.reject_input("Ignored a signal that could not be decoded.", workflow.now())

    def _handle(self, name: str, args: Sequence[RawValue]) -> None:
        now = workflow.now()
        if name == "end_chat":  # whatever it carries
            return self.chat.end(now)
        payload = workflow.payload_converter().from_payload(args[0].payload) if args else None
        match name:
            case "user_prompt":
                self.chat.receive_message(wire.read_prompt(payload), now)
            case "confirm":
                verdict = wire.read_verdict(payload)
                self.chat.confirm(now, verdict.proposal_id, verdict.arguments, verdict.who)
            case "decline":
                verdict = wire.read_verdict(payload)
                self.chat.decline(now, verdict.proposal_id, verdict.reason, verdict.who)
            case "decide":
                self.chat.decide(wire.read_verdicts(payload), now)
            case "add_rule":
                rule, proposal_id = wire.read_rule(payload, now)
                self.chat.add_rule(rule, now, proposal_id)
            case "revoke_rule":
                self.chat.revoke_rule(wire.read_rule_id(payload), now)
            case "stop":
                self.chat.stop(now)
            case "regenerate":
                self.chat.regenerate(now, wire.read_seq(payload))
            case "set_model":
                self.chat.pick_model(wire.read_model(payload))
            case "rename":
                self.chat.rename(wire.read_title(payload))
                workflow.upsert_memo({"title": self.chat.title})
            case "add_link":
                self.chat.add_link(wire.read_link(payload, now), now)
            case "revoke_link":
                self.chat.revoke_link(wire.read_link_id(payload), now)
            case "hand_over":
                self._hand_over(wire.read_handover(payload))
            case "decide_by_link":
                self.chat.decide_by_link(*wire.read_link_verdict(payload), now)
            case "repaired":
                self.chat.repair(wire.read_repair(payload), now)
            case _:
                raise wire.Unreadable("Ignored a signal with an unknown name.")
        return None

    def _hand_over(self, handover: Handover) -> None:
        if not self.chat.hand_over(handover.link, handover.who, workflow.now()):
            return
        workflow.upsert_memo({visibility.MEMO_OWNER: handover.owner})
        if handover.attribute and self.chat.listed_in == "attributes":
            workflow.upsert_search_attributes([visibility.VISITOR.value_set(handover.owner)])

    @workflow.query
    def get_chat(self, since: Any = 0) -> ChatView:
        """What a page draws, see ChatView."""
        return wire.chat_view(self.chat, wire.read_since(since))

    @workflow.query
    def get_conversation_history(self) -> dict[str, Json]:
        """The transcript in the ancestors' shape."""
        return wire.history(self.chat)

    @workflow.query
    def get_agent_goal(self) -> dict[str, Json]:
        """The goal in the ancestors' shape."""
        return wire.agent_goal(self.chat.goal)

    @workflow.query
    def get_summary_from_history(self) -> str | None:
        """The summary of what came before, None when there is none."""
        return self.chat.summary or None

    @workflow.query
    def get_latest_tool_data(self) -> dict[str, Json] | None:
        """The agent's newest message in the ancestors' shape."""
        return wire.latest_tool_data(self.chat)


def _sooner(*times: timedelta | None) -> timedelta | None:
    return min((time for time in times if time is not None), default=None)


async def _until(call: workflow.ActivityHandle[Any], interrupted: Callable[[], bool], *, grace: bool = False) -> bool:
    """Wait for an activity until something else matters more; True = it is done, False = it was cancelled.

    grace: once interrupted, give it a bounded time to finish.
    """
    await workflow.wait_condition(lambda: call.done() or interrupted())
    if grace and not call.done():
        with contextlib.suppress(TimeoutError):
            await workflow.wait_condition(call.done, timeout=ENDING_TIMEOUT)
    if call.done():
        return True
    call.cancel()
    with contextlib.suppress(ActivityError):
        await call
    return False


def _cancel(call: workflow.ActivityHandle[Any]) -> None:
    """Cancel an activity, and do not wait for what becomes of it."""
    call.add_done_callback(lambda done: done.cancelled() or done.exception())  # else asyncio complains that nobody did
    call.cancel()


async def _stop(call: workflow.ActivityHandle[Plan], ended: Callable[[], bool]) -> Plan:
    """Cancel a model call, and take what it has written; nothing, if its worker is dead or does not answer in time."""
    _cancel(call)
    with contextlib.suppress(TimeoutError):
        await workflow.wait_condition(lambda: call.done() or ended(), timeout=STOP_TIMEOUT)
    with contextlib.suppress(ActivityError):
        if call.done():
            return await call
    return Plan(stopped=True)


def _is_full() -> bool:
    """Temporal takes at most 10,000 signals and 51,200 events a run, and asks for the next run well before."""
    return workflow.info().is_continue_as_new_suggested()
