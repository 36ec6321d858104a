"""The tour: each step follows from what the chat and the supervisor say."""

from dataclasses import replace
from pathlib import Path

import pytest

from agent.faults import Faults
from agent.local import LocalStatus
from agent.messages import ChatView, GoalSpec, Interruption, Message, Proposal, ProposalMessage, ToolResult, UserMessage
from agent.page.access import Owner
from agent.page.tour import Step, step
from agent.page.watcher import ChatState
from tests.page.conftest import Page
from tests.page.test_break_it import RUNNING

BEGUN = 1_000.0
READY = LocalStatus(phase="ready", worker="running")
DIED = replace(READY, worker_died=(7, BEGUN + 5))
VIEW = ChatView(goal=GoalSpec(name="g"), status="waiting")
ASKED: list[Message] = [UserMessage(text="Hi"), ProposalMessage(proposal=Proposal(id="p"))]
RAN: list[Message] = [*ASKED, ToolResult(proposal_id="p")]
SCARRED: list[Message] = [*RAN, UserMessage(text="x", interruptions=[Interruption(kind="died")])]


@pytest.mark.parametrize(
    ("expected", "messages", "status", "now"),
    [
        ("wait", ASKED[:1], "thinking", READY),
        ("confirm", ASKED, "deciding", READY),
        ("confirm", ASKED, "deciding", DIED),
        ("wait", ASKED, "running", READY),
        ("kill", RAN, "thinking", READY),
        ("kill", RAN, "waiting", replace(READY, worker_died=(7, BEGUN - 5))),
        ("dead", RAN, "thinking", replace(DIED, worker="starting")),
        ("dead", RAN, "thinking", DIED),
        ("dead", RAN, "waiting", replace(DIED, phase="starting")),
        ("late", RAN, "waiting", DIED),
        ("done", SCARRED, "waiting", DIED),
    ],
)
def test_the_next_step_follows_from_facts(
    expected: Step, messages: list[Message], status: str, now: LocalStatus
) -> None:
    state = ChatState(messages=tuple(messages), view=VIEW.model_copy(update={"status": status}))
    assert step("chat-1", state, now, BEGUN) == expected
    assert step("", state, now, BEGUN) == "say"


def test_the_owner_takes_the_tour_and_leaves_it(page: Page, tmp_path: Path) -> None:
    page.settings, page.local_stack.now = {"steadfast_home": str(tmp_path)}, RUNNING
    faults = Faults(tmp_path)
    page.visit().click("take-tour").shows("1 of 4")
    assert faults.is_slow
    page.click("tour-example").shows("2 of 4").until(lambda: page.chat.conversation.inbox)
    page.chat.agent_proposes("FindEvents", {"city": "Paris"})
    page.shows("Press Confirm").click("leave-tour")
    assert not page.has("leave-tour")
    assert not faults.is_slow


def test_a_visitor_is_offered_no_tour(page: Page) -> None:
    page.local_stack.now, page.owner = RUNNING, Owner("a token that nobody has")
    assert not page.visit().has("take-tour")
