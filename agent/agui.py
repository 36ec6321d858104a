"""AG-UI (docs.ag-ui.com, protocol 1.0): a chat as its messages, events and interrupts. Pure.

A thread is a chat. A proposal is a tool call, and while it waits an interrupt whose response schema is the decision.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ag_ui import core

from agent.errors import Unreadable
from agent.messages import (
    AgentMessage,
    ChatView,
    Json,
    Message,
    ModelUse,
    Notice,
    Proposal,
    ProposalMessage,
    ToolResult,
    UserMessage,
    Verdict,
)
from agent.text import are_arguments, sanitize_text

STATE = "seq"
"""The part of AG-UI's state that says how much of the chat the client has: the sequence number of its last message."""


def known(run: core.RunAgentInput) -> int:
    """How much of the chat the client has; 0 = nothing, so that it is told everything."""
    state = run.state if isinstance(run.state, Mapping) else {}
    seq = state.get(STATE, 0)
    return seq if isinstance(seq, int) and not isinstance(seq, bool) and seq > 0 else 0


def new_words(run: core.RunAgentInput) -> list[tuple[str, str]]:
    """What the person says with this run: the id and the text of each message after the agent's last one."""
    found: list[tuple[str, str]] = []
    for message in reversed(run.messages):
        if message.role in ("assistant", "tool"):
            break
        if message.role == "user":
            content = message.content
            parts = [content] if isinstance(content, str) else [getattr(part, "text", "") for part in content]
            found.append((message.id, "\n".join(filter(None, parts))))
    return found[::-1]


def verdicts(entries: Iterable[core.ResumeEntry]) -> list[Verdict]:
    """The decisions of a resumed run. Raises Unreadable where one does not fit its response schema."""
    return [_verdict(entry) for entry in entries]


def _verdict(entry: core.ResumeEntry) -> Verdict:
    payload = entry.payload if entry.payload is not None else {}
    if entry.status == "cancelled":
        return Verdict(proposal_id=entry.interrupt_id, accepts=False)
    if isinstance(payload, bool):
        payload = {"approved": payload}
    if not isinstance(payload, dict) or not isinstance(payload.get("approved"), bool):
        raise Unreadable("A resume entry's payload needs `approved`: true or false.")
    arguments = payload.get("arguments")
    if arguments is not None and not are_arguments(arguments):
        raise Unreadable("A resume entry's `arguments` must be a JSON object of a usable size and depth.")
    reason = payload.get("reason")
    return Verdict(
        proposal_id=entry.interrupt_id,
        accepts=payload["approved"],
        arguments=arguments,
        reason=sanitize_text(reason) if isinstance(reason, str) else "",
    )


def messages(said: Iterable[Message]) -> list[core.Message]:
    """The transcript as AG-UI's messages."""
    found: list[core.Message] = []
    for message in said:
        match message:
            case UserMessage():
                found.append(core.UserMessage(id=_id(message), content=message.text))
            case AgentMessage():
                found.append(core.AssistantMessage(id=_id(message), content=message.text))
            case ProposalMessage(proposal=proposal):
                called = core.FunctionCall(name=proposal.name, arguments=json.dumps(proposal.arguments))
                call = core.ToolCall(id=proposal.id, function=called)
                text = proposal.text or None
                found.append(core.AssistantMessage(id=_id(message), content=text, tool_calls=[call]))
            case ToolResult():
                error = message.error or None
                found.append(
                    core.ToolMessage(
                        id=_id(message), tool_call_id=message.proposal_id, content=_content(message), error=error
                    )
                )
    return found


def events(message: Message, written: str = "", heard: Iterable[str] = ()) -> Iterator[core.BaseEvent]:
    """What happened with one message. written: the id of the text message that grew to it, which has ended already;
    heard: ids of what the client itself said."""
    match message:
        case UserMessage() if message.id not in heard:
            yield from _text(_id(message), message.text, "user")
        case AgentMessage() if not written:
            yield from _text(_id(message), message.text)
        case ProposalMessage(proposal=proposal):
            parent = written or _id(message)
            if proposal.text and not written:
                yield from _text(parent, proposal.text)
            yield core.ToolCallStartEvent(
                tool_call_id=proposal.id, tool_call_name=proposal.name, parent_message_id=parent
            )
            yield core.ToolCallArgsEvent(tool_call_id=proposal.id, delta=json.dumps(proposal.arguments))
            yield core.ToolCallEndEvent(tool_call_id=proposal.id)
        case ToolResult():
            yield core.ToolCallResultEvent(
                message_id=_id(message), tool_call_id=message.proposal_id, content=_content(message), role="tool"
            )
        case Notice():
            yield core.CustomEvent(name="notice", value={"text": message.text, "level": message.level})


def outcome(view: ChatView) -> core.RunFinishedOutcome:
    """What a run has come to: decisions that are waited for, or the person's turn."""
    if view.deciding:
        return core.RunFinishedInterruptOutcome(interrupts=[_interrupt(each) for each in view.deciding])
    return core.RunFinishedSuccessOutcome()


def usage(said: Sequence[Message]) -> list[core.TokenUsage] | None:
    """What the models used for these messages."""
    uses: dict[str, ModelUse] = {}
    for message in said:
        if isinstance(message, AgentMessage | ProposalMessage) and (by := message.by):
            uses[by.model] = uses[by.model].plus(by) if by.model in uses else by
    return [
        core.TokenUsage(
            model=use.model,
            input_tokens=use.prompt_tokens or 0,
            output_tokens=use.completion_tokens or 0,
            total_tokens=(use.prompt_tokens or 0) + (use.completion_tokens or 0),
        )
        for use in uses.values()
    ] or None


def _interrupt(proposal: Proposal) -> core.Interrupt:
    properties: dict[str, Json] = {"approved": {"type": "boolean"}, "reason": {"type": "string"}}
    if proposal.runs_tool:
        properties["arguments"] = proposal.parameters or {"type": "object"}
    return core.Interrupt(
        id=proposal.id,
        reason="tool_approval" if proposal.kind == "tool" else proposal.kind,
        message=proposal.text or None,
        tool_call_id=proposal.id,
        response_schema={"type": "object", "properties": properties, "required": ["approved"]},
        metadata={"effect": proposal.effect, "arguments": proposal.arguments},
    )


def _text(message_id: str, text: str, role: Any = "assistant") -> Iterator[core.BaseEvent]:
    yield core.TextMessageStartEvent(message_id=message_id, role=role)
    yield core.TextMessageContentEvent(message_id=message_id, delta=text)
    yield core.TextMessageEndEvent(message_id=message_id)


def _id(message: Message) -> str:
    own = message.id if isinstance(message, UserMessage) else ""
    return own or f"seq-{message.seq}"


def _content(result: ToolResult) -> str:
    return json.dumps(result.result) if result.outcome == "ok" else result.error
