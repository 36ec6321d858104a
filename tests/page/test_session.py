"""What a session remembers of what was just done."""

import time

from agent.conversation import Conversation
from agent.messages import GoalSpec, Proposal
from agent.page.outbox import EXPIRY, OutgoingMessage
from agent.page.session import SessionState
from agent.page.watcher import ChatState
from agent.wire import chat_view


def listening() -> ChatState:
    return ChatState(view=chat_view(Conversation(goal=GoalSpec(name="x"))), worker="alive")


def test_decision_that_an_idle_chat_ignored_is_forgotten_and_its_card_works_again() -> None:
    session = SessionState(decided={"": time.monotonic() - EXPIRY - 1})
    session.reconcile(listening())
    assert session.decided == {}


def test_yes_that_is_on_its_way_disables_its_card() -> None:
    proposal = Proposal(id="p1", tool="X")
    view = chat_view(Conversation(goal=GoalSpec(name="x"))).model_copy(update={"waiting": proposal})
    session = SessionState()
    session.reconcile(ChatState(view=view, worker="alive"), [OutgoingMessage("id-1", "yes", proposals=("p1",))])
    assert list(session.decided) == ["p1"]
