"""The ancestors' shapes, read and written here and nowhere else.

They are those of Temporal's tutorial "Build a durable AI agent" and of temporal-community/temporal-ai-agent: the start
input, the signals' bare and rich forms, and the two queries. What cannot be read raises Unreadable with one sentence.
"""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeGuard

from pydantic import BaseModel, ValidationError
from pydantic_core import to_json

from agent.conversation import INBOX_BYTES, Conversation
from agent.messages import (
    EPOCH,
    MESSAGE_LIMIT,
    AgentMessage,
    Decision,
    Goal,
    Instruction,
    Json,
    Message,
    Notice,
    ProposalMessage,
    ToolResult,
    ToolSpec,
    UserMessage,
)
from agent.window import size

HISTORY_BYTES = 1_000_000
"""The newest messages up to here go into get_conversation_history, in bytes (a query's answer may have 2 MiB)."""

RESERVED = ("plan", "summarize", "finish", "off_goal", "switch_goal")
"""Names of activities and of built-in tools, which a goal's own tools cannot have."""

_INSTRUCTION = "###"
_INSTRUCTION_LIMIT = 2 * MESSAGE_LIMIT
_TOOL_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_GOAL_BYTES = 100_000
_ARGUMENTS_BYTES = 64_000
_ARGUMENTS_DEPTH = 50
_ID_LENGTH = 128
_CONTROLS = dict.fromkeys([*range(32), *range(127, 160)]) | {ord("\n"): "\n", ord("\t"): "\t"}


class Unreadable(ValueError):
    """Input that is not of any known form; the message is one sentence for the page."""


# The start input


class AgentGoal(BaseModel):
    """A goal by value, as the ancestors' clients send it."""

    agent_name: str = "Agent"
    description: str = ""
    starter_prompt: str = ""
    example_conversation_history: str = ""
    tools: list[ToolSpec] = []
    id: str = ""


class ToolParams(BaseModel):
    conversation_summary: str | None = None
    prompt_queue: list[str] | None = None


class StartInput(BaseModel):
    """What `AgentGoalWorkflow` is started with. Fields after tool_params are ours and may be left out."""

    agent_goal: AgentGoal | None = None
    tool_params: ToolParams | None = None
    model: str = ""
    window_bytes: int | None = None
    history_limit: int | None = None
    resume: Conversation | None = None


def start_input(
    goal: Goal,
    model: str = "",
    *,
    window_bytes: int | None = None,
    history_limit: int | None = None,
) -> dict[str, Json]:
    """The input that starts a chat whose agent greets first."""
    start = StartInput(
        agent_goal=AgentGoal(
            id=goal.name,
            agent_name=goal.title,
            description=goal.description,
            starter_prompt=goal.starter_prompt,
            example_conversation_history=goal.example,
            tools=goal.tools,
        ),
        tool_params=ToolParams(prompt_queue=[f"{_INSTRUCTION} {goal.starter_prompt or 'Greet, and say what you do.'}"]),
        model=model,
        window_bytes=window_bytes,
        history_limit=history_limit,
    )
    return start.model_dump(mode="json", exclude_none=True)


def resume_input(conversation: Conversation) -> dict[str, Json]:
    """The input of the next run of the same chat."""
    return {"resume": conversation.model_dump(mode="json")}


def read_start(raw: Any, key: str, *, continued: bool = False) -> Conversation:
    """The conversation that a start input begins, or goes on with when continued; key makes its proposals' ids unique."""
    try:
        start = StartInput.model_validate(raw if raw is not None else {})
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "the whole of it"
        raise Unreadable(f"The start input cannot be read: {where}: {first['msg']}.") from None
    if continued and start.resume is not None:
        return start.resume
    if start.agent_goal is None:
        raise Unreadable("The start input has no agent_goal; send the goal that the chat is to reach.")
    goal, params = start.agent_goal, start.tool_params or ToolParams()
    if refused := _refused(goal):
        raise Unreadable(f"The start input cannot be used: {refused}.")
    chat = Conversation(
        key=key,
        model=start.model,
        summary=clean(params.conversation_summary or "")[:_INSTRUCTION_LIMIT],
        goal=Goal(
            name=goal.id or goal.agent_name,
            title=goal.agent_name,
            description=goal.description,
            starter_prompt=goal.starter_prompt,
            example=goal.example_conversation_history,
            tools=goal.tools,
        ),
    )
    for line in params.prompt_queue or []:
        if clean(line):
            chat.queue_up(_queued(line))
    if chat.inbox_bytes > INBOX_BYTES:
        raise Unreadable(f"The start input cannot be used: its prompt_queue is longer than {INBOX_BYTES // 1000} kB.")
    if start.window_bytes:
        chat.window_bytes = min(max(start.window_bytes, 2_000), 300_000)
    if start.history_limit:
        chat.history_limit = start.history_limit
    return chat


def _refused(goal: AgentGoal) -> str:
    if len(to_json(goal)) > _GOAL_BYTES:
        return f"its agent_goal is larger than {_GOAL_BYTES // 1000} kB"
    for tool in goal.tools:
        if not _TOOL_NAME.fullmatch(tool.name):
            return "a tool's name must be 1 to 64 letters, digits, - or _"
        if tool.name in RESERVED:
            return f"no tool can be called {tool.name}, which is a name of the agent's own"
    return ""


def _queued(line: str) -> UserMessage | Instruction:
    text = clean(line)[:_INSTRUCTION_LIMIT]
    if text.startswith(_INSTRUCTION):
        return Instruction(text=text.removeprefix(_INSTRUCTION).strip())
    return UserMessage(text=text)


# Signals


def clean(text: str) -> str:
    """Text without control characters (line ends and tabs stay) and without halves of surrogate pairs."""
    return text.replace("\r\n", "\n").translate(_CONTROLS).encode("utf-8", "replace").decode().strip()


def read_prompt(raw: Any) -> UserMessage:
    """`user_prompt`: a string, or {"text", "id"?, "who"?, "insist"?} (an id sent twice is said once)."""
    fields = {"text": raw} if isinstance(raw, str) else raw
    if not isinstance(fields, dict) or not isinstance(fields.get("text"), str):
        raise Unreadable("A message without text arrived and was not taken up.")
    text = clean(fields["text"])
    if not text:
        raise Unreadable("An empty message arrived and was not taken up.")
    if len(text) > MESSAGE_LIMIT:
        raise Unreadable(
            f"A message of {len(text):,} characters arrived and was not taken up; at most {MESSAGE_LIMIT:,} can be sent."
        )
    insist = fields.get("insist") is True
    return UserMessage(text=text, id=_word(fields.get("id")), who=_word(fields.get("who")), insist=insist)


@dataclass(frozen=True)
class Verdict:
    """A decision as it came: which proposal ("" = the one that waits), with which words or arguments."""

    proposal_id: str = ""
    arguments: dict[str, Json] | None = None
    reason: str = ""
    who: str = ""


def read_verdict(raw: Any) -> Verdict:
    """`confirm` and `decline`: nothing, or {"proposal_id"?, "arguments"?, "reason"?, "who"?}."""
    if raw is None:
        return Verdict()
    if not isinstance(raw, dict):
        raise Unreadable("A decision of an unknown form arrived and was not taken up.")
    arguments = raw.get("arguments")
    if arguments is not None and not are_arguments(arguments):
        raise Unreadable("The arguments of a decision cannot be used, so the decision was not taken up.")
    reason = raw.get("reason")
    return Verdict(
        proposal_id=_word(raw.get("proposal_id")),
        arguments=arguments,
        reason=clean(reason)[:MESSAGE_LIMIT] if isinstance(reason, str) else "",
        who=_word(raw.get("who")),
    )


def read_model(raw: Any) -> str:
    """`set_model`: a model's name, "" for the first of the settings."""
    if raw is not None and not isinstance(raw, str):
        raise Unreadable("A choice of model of an unknown form arrived and was not taken up.")
    return _word(raw)


def read_since(raw: Any) -> int:
    """`get_chat`: the sequence number after which messages are wanted; anything else means all."""
    return raw if isinstance(raw, int) and raw > 0 else 0


def _word(raw: Any) -> str:
    return clean(raw)[:_ID_LENGTH] if isinstance(raw, str) else ""


def carries(value: Json, depth: int = _ARGUMENTS_DEPTH) -> bool:
    """Whether a value is JSON that every reader can read: no NaN, no halves of surrogate pairs, not nested for its own
    sake (what is written 200 deep can be written, but not read again)."""
    match value:
        case None | bool() | int():
            return True
        case float():
            return math.isfinite(value)
        case str():
            return value.isascii() or value.encode("utf-8", "ignore").decode() == value
        case list():
            return depth > 0 and all(carries(item, depth - 1) for item in value)
        case dict():
            return depth > 0 and all(
                isinstance(name, str) and carries(name) and carries(item, depth - 1) for name, item in value.items()
            )
        case _:
            return False


def are_arguments(value: Json) -> TypeGuard[dict[str, Json]]:
    """Whether a value can be the arguments of a tool."""
    return isinstance(value, dict) and carries(value) and len(to_json(value)) <= _ARGUMENTS_BYTES


# Queries


def history(chat: Conversation, *, with_context: bool = True) -> dict[str, Json]:
    """get_conversation_history: the summary, then what is left of earlier runs, this run's segment, and what waits."""
    messages: Iterable[Message] = [*(chat.context if with_context else []), *chat.messages, *chat.inbox]
    budget, chosen = HISTORY_BYTES, list[dict[str, Json]]()
    for message in reversed(list(messages)):
        budget -= size(message)
        if budget < 0:
            break
        if (shape := _message(message)) is not None:
            chosen.append(shape)
    if with_context and chat.summary:
        chosen.append({"actor": "conversation_summary", "response": chat.summary})
    return {"messages": chosen[::-1]}


def latest_tool_data(chat: Conversation) -> dict[str, Json] | None:
    """get_latest_tool_data: the newest {response, next, tool, args, force_confirm}, None before the first."""
    for message in reversed([*chat.context, *chat.messages]):
        if isinstance(message, AgentMessage | ProposalMessage):
            return _tool_data(message)
    return None


def _message(message: Message) -> dict[str, Json] | None:
    meta: dict[str, Json] = {"seq": message.seq}
    if message.at != EPOCH:
        meta["at"] = message.at.isoformat()
    match message:
        case UserMessage():
            return {"actor": "user", "response": message.text, "meta": meta}
        case AgentMessage() | ProposalMessage():
            return {"actor": "agent", "response": _tool_data(message), "meta": meta}
        case Decision(verdict="confirmed"):
            data = {"next": "user_confirmed_tool_run", "tool": message.tool, "args": message.arguments, "response": ""}
            meta["proposal_id"] = message.proposal_id
            return {"actor": "user_confirmed_tool_run", "response": data, "meta": meta}
        case Decision(verdict="declined"):
            return {"actor": "user", "response": message.reason or "No.", "meta": meta}
        case ToolResult():
            result = message.result if message.outcome == "ok" else {"error": message.error, "outcome": message.outcome}
            meta |= {"proposal_id": message.proposal_id, "tool": message.tool}
            return {
                "actor": "tool_result",
                "response": result if isinstance(result, dict) else {"result": result},
                "meta": meta,
            }
        case Notice():
            return {"actor": "agent", "response": _tool_data(AgentMessage(text=message.text)), "meta": meta}
        case _:
            return None


def _tool_data(message: AgentMessage | ProposalMessage) -> dict[str, Json]:
    if isinstance(message, AgentMessage):
        return {"response": message.text, "next": message.next, "tool": None, "args": {}, "force_confirm": True}
    proposal = message.proposal
    return {
        "response": proposal.text,
        "next": "confirm",
        "tool": proposal.tool,
        "args": proposal.arguments,
        "force_confirm": proposal.needs_confirm,
    }
