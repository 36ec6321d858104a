"""The transcript that a chat begins with, where it goes on from another one or was imported. Pure."""

from collections.abc import Iterable, Sequence

from agent import window
from agent.messages import (
    EPOCH,
    AgentMessage,
    Decision,
    GoalSpec,
    Message,
    Notice,
    ProposalMessage,
    ToolResult,
)

TRANSCRIPT_BYTES = 1_200_000
"""The longest transcript that a chat can begin with, as JSON (Temporal's limit is 2 MiB)."""

STILL_RUNNING = "It was still running when this chat was forked, so what became of it is not known here."
LEFT_OUT = "The beginning was left out: it is too long to take along."


def up_to(messages: Sequence[Message], seq: int) -> list[Message]:
    """What was said up to the message with this seq, to be taken along into another chat.

    Nothing in it waits or can still be run: what was not decided by then is only told, and what was accepted has its
    result, even if that came later.
    """
    kept = [message for message in messages if message.seq <= seq]
    decided = {message.proposal_id: message for message in kept if isinstance(message, Decision)}
    known = {message.proposal_id for message in kept if isinstance(message, ToolResult)}
    later = {message.proposal_id: message for message in messages if isinstance(message, ToolResult)}
    found: list[Message] = []
    for message in kept:
        if not isinstance(message, ProposalMessage) or message.proposal.id in decided:
            found.append(message)
        elif message.proposal.text:
            found.append(AgentMessage(text=message.proposal.text, at=message.at, by=message.by))
    ran = {
        message.proposal.id for message in kept if isinstance(message, ProposalMessage) and message.proposal.runs_tool
    }
    for proposal_id, decision in decided.items():
        if decision.verdict == "confirmed" and proposal_id in ran - known:
            missing = ToolResult(proposal_id=proposal_id, tool=decision.tool, outcome="unknown", error=STILL_RUNNING)
            found.append(later.get(proposal_id, missing))
    return _fitting(found)


def goal_at(messages: Iterable[Message], seq: int, newest: GoalSpec) -> GoalSpec:
    """The goal of a chat when it had come to this message; newest: its goal now."""
    asked = {message.proposal.id: message.proposal for message in messages if isinstance(message, ProposalMessage)}
    goal = newest
    for message in messages:
        if isinstance(message, Decision) and message.verdict == "confirmed" and message.seq <= seq:
            goal = getattr(asked.get(message.proposal_id), "goal", None) or goal
    return goal


def renumbered(messages: Iterable[Message]) -> list[Message]:
    """The same messages, counted from 1."""
    found: list[Message] = []
    numbers: dict[int, int] = {}
    for number, message in enumerate(messages, start=1):
        numbers[message.seq] = number
        changed: dict[str, object] = {"seq": number}
        if message.at.tzinfo is None:
            changed["at"] = EPOCH
        if isinstance(message, AgentMessage | ProposalMessage):
            changed["replaces"] = numbers.get(message.replaces, 0) if message.replaces else 0
        found.append(message.model_copy(update=changed))
    return found


def _fitting(messages: list[Message]) -> list[Message]:
    newest = window.newest(reversed(messages), TRANSCRIPT_BYTES)
    return newest if len(newest) == len(messages) else [Notice(text=LEFT_OUT), *newest]
