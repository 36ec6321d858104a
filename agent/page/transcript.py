"""The transcript as blocks to draw: what belongs to one proposal is one step. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from agent.messages import (
    AgentMessage,
    Decision,
    Instruction,
    Message,
    Notice,
    Proposal,
    ProposalMessage,
    ToolResult,
    UserMessage,
)


@dataclass
class Step:
    """One proposal and what became of it; parts that lie in a run not loaded yet are None."""

    id: str
    asked: ProposalMessage | None = None
    decision: Decision | None = None
    result: ToolResult | None = None

    @property
    def proposal(self) -> Proposal:
        if self.asked is not None:
            return self.asked.proposal
        done = self.decision or self.result
        return Proposal(id=self.id, tool=done.tool if done else "")


Block = UserMessage | AgentMessage | Notice | Step


def blocks(messages: Iterable[Message], waiting: Proposal | None = None) -> list[Block]:
    """Everything said, in order; a waiting proposal whose message is not loaded comes last."""
    drawn: list[Block] = []
    steps: dict[str, Step] = {}

    def step(proposal_id: str) -> Step:
        if proposal_id not in steps:
            steps[proposal_id] = Step(proposal_id)
            drawn.append(steps[proposal_id])
        return steps[proposal_id]

    for message in messages:
        match message:
            case ProposalMessage():
                step(message.proposal.id).asked = message
            case Decision():
                step(message.proposal_id).decision = message
            case ToolResult():
                step(message.proposal_id).result = message
            case Instruction():
                pass
            case _:
                drawn.append(message)
    if waiting is not None and waiting.id not in steps:
        drawn.append(Step(waiting.id, ProposalMessage(proposal=waiting)))
    return drawn


def newest(drawn: Sequence[Block], count: int) -> list[Block]:
    """The last blocks, at least `count`, cut at a multiple of ten so that drawing them again moves few."""
    return list(drawn[max(0, (len(drawn) - count) // 10 * 10) :])
