"""The start input: a goal by value, as the ancestors send it, and what continue-as-new passes on."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import to_json

from agent.conversation import INBOX_BYTES, Conversation
from agent.errors import Unreadable
from agent.fork import TRANSCRIPT_BYTES
from agent.messages import (
    EPOCH,
    MESSAGE_LIMIT,
    GoalSpec,
    Instruction,
    Json,
    ListedIn,
    Message,
    ToolSpec,
    UserMessage,
)
from agent.text import is_plain_json, sanitize_text
from agent.window import size
from tools.kit.tool import RESERVED

_INSTRUCTION = "###"
_INSTRUCTION_LIMIT = 2 * MESSAGE_LIMIT
_TOOL_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_GOAL_BYTES = 100_000
_TRANSCRIPT_BYTES = TRANSCRIPT_BYTES * 5 // 4
_LONGEST_LINGER = 7 * 24 * 3600


class AgentGoal(BaseModel):
    """A goal by value, as the ancestors' clients send it. Fields that we do not know are kept for get_agent_goal."""

    model_config = ConfigDict(extra="allow")

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
    """What `AgentGoalWorkflow` is started with. Fields after tool_params are ours and may be left out.

    confirm_end: the client can ask whether to end; without it, a chat ends when the model says so, as the ancestors' do.
    listed_in: where the client finds out what the chat waits for (agent/visibility.py), "" = it does not look.
    batch: the client can decide several proposals of one answer at once; without it, they are proposed one by one.
    linger: seconds for which a chat whose goal is reached stays open; without it, it is over then, as the ancestors' are.
    welcome: what the agent has said already, before there was a chat: its first message.
    transcript: what was said in another chat, which this one goes on from; read_only: or which it only shows.
    notify_after: seconds after which a proposal that waits is told of (NOTIFY_URLS); without it, it is not.
    """

    agent_goal: AgentGoal | None = None
    tool_params: ToolParams | None = None
    model: str = ""
    window_bytes: int | None = None
    history_limit: int | None = None
    confirm_end: bool = False
    listed_in: ListedIn = ""
    batch: bool = False
    linger: int | None = Field(None, ge=0, le=_LONGEST_LINGER)
    welcome: str | None = None
    transcript: list[Message] = []
    read_only: bool = False
    notify_after: int | None = Field(None, ge=1, le=_LONGEST_LINGER * 5)
    resume: Conversation | None = None


def start_input(
    goal: GoalSpec,
    model: str = "",
    *,
    window_bytes: int | None = None,
    history_limit: int | None = None,
    listed_in: ListedIn = "",
    batch: bool = True,
    welcome: str = "",
    linger: int = 0,
    transcript: Sequence[Message] = (),
    read_only: bool = False,
    notify_after: int = 0,
) -> dict[str, Json]:
    """The input that starts a chat with this welcome or transcript; without one, the model greets first."""
    greeting = (
        [] if welcome or transcript else [f"{_INSTRUCTION} {goal.starter_prompt or 'Greet, and say what you do.'}"]
    )
    start = StartInput(
        agent_goal=AgentGoal(
            id=goal.name,
            agent_name=goal.title,
            description=goal.description,
            starter_prompt=goal.starter_prompt,
            example_conversation_history=goal.example,
            tools=goal.tools,
        ),
        tool_params=ToolParams(prompt_queue=greeting),
        model=model,
        window_bytes=window_bytes,
        history_limit=history_limit,
        confirm_end=True,
        listed_in=listed_in,
        batch=batch,
        welcome=welcome or None,
        linger=linger or None,
        transcript=list(transcript),
        read_only=read_only,
        notify_after=notify_after or None,
    )
    return start.model_dump(mode="json", exclude_none=True, exclude=None if transcript else {"transcript", "read_only"})


def resume_input(conversation: Conversation) -> dict[str, Json]:
    """The input of the next run of the same chat."""
    return {"resume": conversation.model_dump(mode="json")}


def read_start(raw: Any, key: str, now: datetime = EPOCH, *, continued: bool = False) -> Conversation:
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
    if refused := _refused(goal) or _refused_transcript(raw, start.transcript):
        raise Unreadable(f"The start input cannot be used: {refused}.")
    chat = Conversation(
        key=key,
        model=start.model,
        summary=sanitize_text(params.conversation_summary or "")[:_INSTRUCTION_LIMIT],
        goal=GoalSpec(
            name=goal.id or goal.agent_name,
            title=goal.agent_name,
            description=goal.description,
            starter_prompt=goal.starter_prompt,
            example=goal.example_conversation_history,
            tools=goal.tools,
            client_fields=goal.model_extra or {},
        ),
        confirm_end=start.confirm_end,
        listed_in=start.listed_in,
        batch=start.batch,
        linger=start.linger or 0,
        notify_after=start.notify_after or 0,
    )
    if start.transcript:
        chat.inherit(start.transcript, now, read_only=start.read_only)
    elif welcome := sanitize_text(start.welcome or "")[:MESSAGE_LIMIT]:
        chat.welcome(welcome, now)
    for line in params.prompt_queue or []:
        if sanitize_text(line):
            chat.enqueue(_queued(line))
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
    if not is_plain_json(goal.model_extra):
        return "its agent_goal is not plain JSON"
    for tool in goal.tools:
        if not _TOOL_NAME.fullmatch(tool.name):
            return "a tool's name must be 1 to 64 letters, digits, - or _"
        if tool.name in RESERVED:
            return f"no tool can be called {tool.name}, which is a name of the agent's own"
    return ""


def _refused_transcript(raw: dict[str, Json], messages: list[Message]) -> str:
    if not messages:
        return ""
    if sum(map(size, messages)) > _TRANSCRIPT_BYTES:
        return f"its transcript is longer than {_TRANSCRIPT_BYTES // 1000} kB"
    return "" if is_plain_json(raw["transcript"]) else "its transcript is not plain JSON"


def _queued(line: str) -> UserMessage | Instruction:
    text = sanitize_text(line)[:_INSTRUCTION_LIMIT]
    if text.startswith(_INSTRUCTION):
        return Instruction(text=text.removeprefix(_INSTRUCTION).strip())
    return UserMessage(text=text)
