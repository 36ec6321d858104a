"""The queries of the ancestors, and the result of a run. A message is `dict[str, str | dict]`, strictly."""

from collections.abc import Iterable

from agent.conversation import Conversation
from agent.messages import (
    EPOCH,
    AgentMessage,
    Decision,
    GoalSpec,
    Json,
    Message,
    Notice,
    ProposalMessage,
    ToolResult,
    UserMessage,
)
from agent.window import size

HISTORY_BYTES = 1_000_000
"""The newest messages up to here go into get_conversation_history, in bytes (a query's answer may have 2 MiB)."""


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


def agent_goal(goal: GoalSpec) -> dict[str, Json]:
    """get_agent_goal: the goal as the client sent it, or as the chat switched to it."""
    return {
        **goal.client_fields,
        "id": goal.name,
        "agent_name": goal.title,
        "description": goal.description,
        "starter_prompt": goal.starter_prompt,
        "example_conversation_history": goal.example,
        "tools": [
            {
                "name": tool.name,
                "description": tool.description,
                "arguments": [
                    {"name": each.name, "type": each.type, "description": each.description} for each in tool.arguments
                ],
            }
            for tool in goal.tools
        ],
    }


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
                "response": {**(result if isinstance(result, dict) else {"result": result}), "tool": message.tool},
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
