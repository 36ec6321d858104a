"""The activities of the workflow: plan, run a tool, summarize. worker.py gives them their model and tools."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from pydantic_core import to_json
from temporalio import activity
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError

from agent import notify, planning, prompts
from agent.attempts import explained_failures, log_redacted
from agent.errors import ContextTooLong, ModelGarbled, ModelRefused
from agent.goals import goal_for
from agent.heartbeat import Heartbeater, heartbeating
from agent.ledger import Ledger
from agent.messages import (
    GoalSpec,
    ModelUse,
    Notification,
    Plan,
    PlanRequest,
    Proposal,
    SummaryRequest,
    ToolAnswer,
    ToolCall,
    UserMessage,
)
from agent.model import Model, ModelRequest, Reply
from agent.settings import Settings
from agent.telemetry import Metrics, Work
from agent.text import sanitize_text
from agent.tracing import Tracing
from tools import Tool, ToolContext, ToolError, Toolset, TryAgain
from tools.kit.results import hide, hide_growing
from tools.kit.threads import in_thread
from tools.mcp import Servers

REPLY_LENGTH = 100_000
"""Characters of a reply at most: a model that does not stop must not make its plan too large for Temporal."""

WAIT_SHOWN_AFTER = 10.0
"""Seconds without a first word after which the heartbeats name the model that is waited for."""

SUMMARY_LENGTH = 4_000
"""Characters of a summary at most: a quarter of the usual window."""


class Activities:
    """guard: the model of GUARDRAIL_MODEL, or None. tool_returned: called when a tool has run, before that is told.

    ledger: of the budgets of a day."""

    def __init__(
        self,
        settings: Settings,
        model: Model,
        toolset: Toolset,
        guard: Model | None = None,
        tool_returned: Callable[[], None] | None = None,
        metrics: Metrics | None = None,
        tracing: Tracing | None = None,
        ledger: Ledger | None = None,
    ) -> None:
        self._settings = settings
        self._model = model
        self._toolset = toolset
        self._guard = guard
        self._tool_returned = tool_returned
        self._metrics = metrics or Metrics()
        self._tracing = tracing or Tracing(Settings(), "")
        self._ledger = ledger
        self._goals = {name: goal_for(toolset, name) for name in toolset.goals}
        self._servers = Servers(toolset, settings.environment)

    def all(self) -> list[Callable[..., Any]]:
        """What a Worker is given."""
        return [self.plan, self.summarize, self.notify, self.run_tool]

    async def close(self) -> None:
        """End the sessions with MCP servers."""
        await self._servers.close()

    @activity.defn
    async def plan(self, request: PlanRequest) -> Plan:
        """One turn of the model. Retried while no model works; fails for good when the request can never work."""
        async with self._attempt("plan", self._settings.stream_interval) as heartbeater:
            with explained_failures(heartbeater, self._settings.environment):  # also while MCP servers list tools
                await self._check_ledger()
                try:
                    plan = self._over_budget(request, heartbeater.usage) or await self._plan(request, heartbeater)
                except asyncio.CancelledError:
                    cancelled = activity.cancellation_details()
                    if cancelled is None or not cancelled.cancel_requested:
                        raise
                    plan = Plan(text=self._kept(heartbeater.text), stopped=True)  # the chat says whether it is kept
                plan.by = _total(plan.by, heartbeater.usage)
                plan.interruptions = heartbeater.interruptions
                to_json(plan)  # what could not be written would fail after this attempt, and be paid for again
                self._metrics.planned(plan, heartbeater.first_word)
                return plan

    async def _plan(self, request: PlanRequest, heartbeater: Heartbeater) -> Plan:
        toolbox = await self._toolbox(request.goal)
        insisted = _insisted(request)
        model_request = ModelRequest(
            messages=[
                {
                    "role": "system",
                    "content": prompts.system(request.goal, request.summary, date.today(), toolbox.unavailable),
                },
                *prompts.chat(request.messages),
            ],
            tools=toolbox.functions(insisted=insisted),
            model=request.model,
            on_wait=_waiting(heartbeater),
        )
        if self._guard is None or insisted or not _has_new_words(request):
            return await self._ask_model(
                model_request,
                toolbox,
                heartbeater,
                lambda text: heartbeater.show(text=hide_growing(text, self._settings.environment)[:REPLY_LENGTH]),
            )
        plan_task = asyncio.create_task(self._ask_model(model_request, toolbox, heartbeater, lambda _: None))
        try:
            refusal = await self._refusal(self._guard, request, heartbeater)
            return await plan_task if refusal is None else refusal
        finally:
            plan_task.cancel()

    @activity.defn
    async def summarize(self, request: SummaryRequest) -> Plan:
        """Fold messages into the summary; the new summary is the plan's text."""
        model_request = ModelRequest(
            messages=prompts.summary(request.goal, request.summary, request.messages),
            model=request.model,
        )
        async with self._attempt("summarize", 0) as heartbeater:
            with explained_failures(heartbeater, self._settings.environment):
                await self._check_ledger()
                reply = await self._model.summarize(model_request)
                heartbeater.add_usage(reply.use)
        return Plan(text=self._kept(reply.text)[:SUMMARY_LENGTH], by=_total(reply.use, heartbeater.usage))

    @activity.defn
    async def notify(self, told: Notification) -> bool:
        """Tell NOTIFY_URLS of what waits; fails unless all were told."""
        try:
            if await notify.notify(self._settings, activity.info().workflow_id or "", told):
                return True
        except Exception as error:
            log_redacted(error, self._settings.environment)
        raise ApplicationError("NOTIFY_URLS could not be told; the worker's log has the details.", type="NotTold")

    @activity.defn(dynamic=True)
    async def run_tool(self, args: Sequence[RawValue]) -> ToolAnswer:
        """Run the tool that this activity is named after, under one receipt. Fails with ToolError when the tool did."""
        async with self._attempt("tool", self._settings.stream_interval) as heartbeater:
            with explained_failures(heartbeater, self._settings.environment):
                call = activity.payload_converter().from_payload(args[0].payload, ToolCall)
                try:
                    tool = await self._resolve_tool(call.tool)
                    with self._tracing.tool(call) as recorded:
                        returned = await tool.run(call.arguments, self._context(call, heartbeater))
                        recorded.words("gen_ai.tool.call.result", returned.result)
                    if self._tool_returned:
                        self._tool_returned()
                except ToolError as error:
                    if error.__cause__ is not None:
                        log_redacted(error, self._settings.environment)
                    raise ApplicationError(str(error), type="ToolError", non_retryable=True) from None
                except TryAgain as error:
                    delay = timedelta(seconds=min(error.retry_after, 60)) if error.retry_after else None
                    raise ApplicationError(str(error), type="TryAgain", next_retry_delay=delay) from None
                return ToolAnswer(
                    result=returned.result, source=returned.source, interruptions=heartbeater.interruptions
                )

    @asynccontextmanager
    async def _attempt(self, work: Work, interval: float) -> AsyncIterator[Heartbeater]:
        """An attempt that is measured, and sends heartbeats."""
        uses: list[ModelUse] = []

        def note(use: ModelUse) -> None:
            self._metrics.used(use)
            uses.append(use)

        with self._metrics.attempt(work):
            async with heartbeating(interval, note) as heartbeater:
                try:
                    yield heartbeater
                finally:
                    if self._ledger:
                        await self._ledger.spend(activity.info().workflow_id or "", uses)

    async def _check_ledger(self) -> None:
        if self._ledger:
            await self._ledger.check(activity.info().workflow_id or "")

    def _context(self, call: ToolCall, heartbeater: Heartbeater) -> ToolContext:
        def report(text: str, fraction: float | None) -> None:
            heartbeater.show(progress=text, fraction=fraction)

        return ToolContext(
            idempotency_key=call.idempotency_key,
            environment=self._settings.environment,
            home=self._settings.home,
            report=report,
        )

    async def _ask_model(
        self,
        model_request: ModelRequest,
        toolbox: planning.Toolbox,
        heartbeater: Heartbeater,
        on_text: Callable[[str], None],
    ) -> Plan:
        """A plan; an invalid tool call goes back to the model once, and then becomes a question to the person."""
        reply = await self._reply(model_request, heartbeater, on_text)
        try:
            return await in_thread(partial(planning.interpret, reply, toolbox))
        except planning.InvalidToolCall as error:
            messages = [*model_request.messages, *planning.correction(reply, error)]
            again = dataclasses.replace(model_request, messages=messages)
        reply = await self._reply(again, heartbeater, on_text)
        try:
            return await in_thread(partial(planning.interpret, reply, toolbox))
        except planning.InvalidToolCall as error:
            return planning.ask_person(error, reply)

    async def _reply(
        self, model_request: ModelRequest, heartbeater: Heartbeater, on_text: Callable[[str], None]
    ) -> Reply:
        """One answer; a request that is longer than the model reads is cut from its oldest end, twice at most."""
        for attempt in range(3):
            try:
                reply = await self._model.reply(model_request, on_text)
                break
            except ContextTooLong:
                if attempt == 2:
                    raise
                model_request = dataclasses.replace(model_request, messages=prompts.newer_half(model_request.messages))
        heartbeater.add_usage(reply.use)
        return self._kept_reply(reply)

    def _kept_reply(self, reply: Reply) -> Reply:
        calls = [
            dataclasses.replace(call, arguments=hide(call.arguments, self._settings.environment))
            for call in reply.calls
        ]
        return dataclasses.replace(reply, text=self._kept(reply.text), calls=calls)

    def _kept(self, text: str) -> str:
        """What a model wrote, as it may be stored and shown: without keys and control characters, and not endless."""
        return hide(sanitize_text(text), self._settings.environment)[:REPLY_LENGTH]

    async def _refusal(self, guard: Model, request: PlanRequest, heartbeater: Heartbeater) -> Plan | None:
        """The independent check: a plan that says no, or None when what was said fits the goal."""
        messages = prompts.guardrail(request.goal, request.messages)
        model_request = ModelRequest(messages, [prompts.VERDICT], must_call=prompts.VERDICT["function"]["name"])
        try:
            reply = await guard.reply(model_request, lambda _: None)
        except ModelRefused:  # a model without tools answers in text
            reply = await guard.reply(ModelRequest(messages), lambda _: None)
        heartbeater.add_usage(reply.use)
        if reply.stopped == "length" and not reply.calls and not reply.text.strip():
            raise ModelGarbled(f"{reply.use.model} gave no verdict within LLM_MAX_TOKENS.")
        sentence = planning.objection(self._kept_reply(reply))
        return Plan(text=sentence, off_goal=True, by=reply.use) if sentence else None

    async def _toolbox(self, goal: GoalSpec) -> planning.Toolbox:
        tools: Mapping[str, Tool]
        unavailable: list[str] = []
        if goal.name in self._toolset.goals:
            tools, unavailable = await self._servers.tools_of(goal.name)
        else:
            ours = self._toolset.tools
            tools = {spec.name: ours[spec.name] for spec in goal.tools if spec.name in ours}
        foreign = {spec.name: spec for spec in goal.tools if spec.name not in tools}
        goals = {name: other for name, other in self._goals.items() if name != goal.name}
        return planning.Toolbox(tools, foreign, goals, self._settings.show_confirm, unavailable)

    async def _resolve_tool(self, name: str) -> Tool:
        """The tool; when an earlier attempt may have had an effect, a missing one is no proof that it failed."""
        try:
            return await self._tool(name)
        except ToolError as error:
            if activity.info().attempt > 1:
                raise TryAgain(str(error)) from None
            raise

    async def _tool(self, name: str) -> Tool:
        tool = self._toolset.tools.get(name) or await self._servers.tool(name)
        if tool is None:
            raise ToolError(f"This worker has no tool called {name}. Add it to tools/ and restart the worker.")
        return tool

    def _over_budget(self, request: PlanRequest, used: ModelUse | None) -> Plan | None:
        """A question to the person when the chat has cost what it may; tokens count where the price is unknown."""
        agreed, settings = request.extensions + 1, self._settings
        dollars, tokens = settings.chat_budget_usd, settings.chat_budget_tokens
        spent = ModelUse(model="", prompt_tokens=request.tokens, cost_usd=request.cost_usd)
        spent = spent.plus(used) if used else spent
        used_tokens = (spent.prompt_tokens or 0) + (spent.completion_tokens or 0)
        if dollars and spent.cost_usd is not None and Decimal(spent.cost_usd) >= dollars * agreed:
            amount = f"about ${Decimal(spent.cost_usd):.2f} of the ${dollars * agreed} it may cost"
        elif tokens and (not dollars or spent.cost_usd is None) and used_tokens >= tokens * agreed:
            amount = f"{used_tokens:,} of the {tokens * agreed:,} tokens it may use"
        else:
            return None
        return Plan(
            proposals=[Proposal(kind="budget", text=f"This chat has spent {amount}. Shall we go on?", effect="read")]
        )


def _waiting(heartbeater: Heartbeater) -> Callable[[str], None]:
    """Has the heartbeats name a model that takes long to begin its answer; "" = it has begun."""

    def wait(name: str) -> None:
        if name:
            heartbeater.show_after(WAIT_SHOWN_AFTER, waiting_for=name)
        else:
            heartbeater.show()

    return wait


def _has_new_words(request: PlanRequest) -> bool:
    return bool(request.messages) and isinstance(request.messages[-1], UserMessage)


def _insisted(request: PlanRequest) -> bool:
    newest = request.messages[-1] if request.messages else None
    return isinstance(newest, UserMessage) and newest.insist


def _total(use: ModelUse | None, used: ModelUse | None) -> ModelUse | None:
    """What all calls and attempts used, under the name of the model that answered."""
    if use is None or used is None:
        return use or used
    return used.model_copy(update={"model": use.model, "note": use.note})
