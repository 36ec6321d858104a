"""Tabs that nobody sees, or in which nothing happens, cost little."""

from dataclasses import replace

from agent.messages import ChatStatus, ChatView, GoalSpec
from agent.page import pace
from agent.page.watcher import ChatState


def _state(status: ChatStatus) -> ChatState:
    return ChatState(view=ChatView(goal=GoalSpec(name="g"), status=status))


def _interval(state: ChatState, *, underway: bool = False, calm: bool = False, hidden: bool = False) -> float | None:
    return pace.interval(state, underway=underway, calm=calm, hidden=hidden)


def test_a_reply_is_followed_and_a_person_is_waited_for() -> None:
    assert _interval(_state("thinking")) == pace.QUICK
    assert _interval(_state("deciding")) == pace.SLOW
    assert _interval(_state("waiting"), underway=True) == pace.QUICK
    assert _interval(_state("waiting"), calm=True) == pace.CALM


def test_a_hidden_tab_follows_what_runs_and_then_rests() -> None:
    assert _interval(_state("running"), hidden=True) == pace.HIDDEN
    for status in ("waiting", "deciding", "ended"):
        assert _interval(_state(status), hidden=True) is None
    assert _interval(replace(ChatState(), run_status="failed"), hidden=True) is None
