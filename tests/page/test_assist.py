"""What is read out of a chat's newest message."""

import pytest

from agent.messages import AgentMessage, Decision, Message, Proposal, ProposalMessage, ToolResult, UserMessage
from agent.page.assist import announcement


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (AgentMessage(text="Which city?"), "Which city?"),
        (ProposalMessage(proposal=Proposal(text="Let me look.")), "Let me look. Waiting for your decision."),
        (ToolResult(proposal_id="p", tool="FindEvents"), "Find events: done."),
        (ToolResult(proposal_id="p", outcome="failed", error="The notebook is full."), "The notebook is full."),
        (UserMessage(text="My own words"), ""),
        (Decision(proposal_id="p", verdict="declined"), ""),
    ],
)
def test_what_is_read_out(message: Message, words: str) -> None:
    assert announcement([AgentMessage(text="Before"), message]) == words


def test_nothing_is_read_out_of_an_empty_chat() -> None:
    assert announcement([]) == ""
