"""Facts from histories: the recorded ones, and ones made of events that a recording cannot have."""

import base64
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory

from agent import timeline
from agent.messages import Interruption
from agent.timeline import Fact, RunHistory, Score, Span, score, turns
from tests.histories.record import RECORDED, recordings

NOON = datetime(2030, 3, 1, 12, 0, tzinfo=UTC)


def recorded(path: Path) -> RunHistory:
    found = []
    for event in WorkflowHistory.from_json("chat", path.read_text()).events:
        payloads = timeline.payloads(event)
        payload = json.loads(payloads.payloads[0].data) if payloads and payloads.payloads else None
        if one := timeline.fact(event, payload):
            found.append(one)
    return RunHistory("run", tuple(found))


def kinds(spans: Sequence[Span]) -> list[str]:
    return [f"{span.kind} {span.name}" for span in spans]


@pytest.mark.parametrize("path", sorted(RECORDED.glob("*.json")), ids=lambda path: path.stem)
def test_every_recorded_history_has_turns_in_order(path: Path) -> None:
    run = recorded(path)
    for turn in turns(run.facts):
        assert all(span.start <= span.end for span in turn.spans)
        starts = [span.start for span in turn.spans]
        assert starts == sorted(starts)
    assert score("chat", [run]).doubled == 0


def test_a_confirmed_tool_is_a_turn_of_all_its_parts() -> None:
    found = turns(recorded(recordings("confirmed")[-1]).facts)
    (turn,) = [turn for turn in found if any(span.kind == "tool" for span in turn.spans)]
    assert kinds(turn.spans) == [
        "signal message",
        "model plan",
        "person confirm",
        "signal confirm",
        "tool WriteNote",
        "model plan",
    ]
    assert all(span.seconds >= 0 for span in turn.spans)


def test_a_recorded_message_is_counted_as_taken_up() -> None:
    counted = score("c", [recorded(recordings("confirmed")[-1])])
    assert (len(counted.sent), len(counted.taken_up), counted.confirmed, counted.done) == (1, 1, 1, 1)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def retried(*interruptions: Interruption) -> tuple[Fact, ...]:
    """A message at 0 s, taken up at 1 s by a call that ends at 10 s, whose last attempt began at 8 s."""
    told = {"interruptions": [each.model_dump(mode="json") for each in interruptions]}
    return (
        Fact(1, at(-5), "begun"),
        Fact(2, at(0), "signal", "user_prompt", details={"id": "m1"}),
        Fact(5, at(1), "scheduled", "plan", 5, "1", details={"said": [2]}),
        Fact(6, at(8), "started", about=5, attempt=1 + len(interruptions), worker="15507@here"),
        Fact(7, at(10), "completed", about=5, details=told),
    )


DIED = Interruption(kind="died", worker="14995@here", at=at(2), next_worker="15507@here", resumed=at(8))


def test_each_attempt_is_a_bar_and_the_gap_between_them_is_none() -> None:
    (turn,) = turns(retried(DIED))
    assert [(span.kind, span.start, span.end, span.outcome, span.worker) for span in turn.spans] == [
        ("signal", at(0), at(1), "", ""),
        ("model", at(1), at(2), "died", "14995@here"),
        ("model", at(8), at(10), "", "15507@here"),
    ]
    assert [span.attempt for span in turn.spans] == [1, 1, 2]


def test_what_still_runs_is_left_out() -> None:
    assert turns(retried()[:4]) == []


def test_the_score_counts_messages_deaths_and_the_slowest_recovery() -> None:
    counted = score("c", [RunHistory("run", retried(DIED))])
    assert (list(counted.sent), list(counted.taken_up)) == (["c/m1"], ["c/2"])
    assert (list(counted.dead), counted.repeated, counted.slowest) == (["14995@here"], 1, 6.0)
    both = counted.plus(score("d", [RunHistory("other", retried(DIED))]))
    assert (both.chats, len(both.sent), len(both.dead), both.repeated) == (2, 2, 1, 2), "one worker died once"


def test_a_message_sent_twice_with_one_id_counts_once() -> None:
    facts = retried()
    again = Fact(3, at(0.5), "signal", "user_prompt", details={"id": "m1"})
    assert len(score("c", [RunHistory("run", (*facts[:2], again, *facts[2:]))]).sent) == 1


def tool(number: int, key: str, effect: str, attempt: int = 1) -> tuple[Fact, ...]:
    return (
        Fact(
            number,
            at(number),
            "scheduled",
            "Pay",
            number,
            str(number),
            details={"idempotency_key": key, "effect": effect},
        ),
        Fact(number + 1, at(number + 1), "started", about=number, attempt=attempt),
        Fact(number + 2, at(number + 2), "completed", about=number),
    )


@pytest.mark.parametrize(
    ("facts", "doubled"),
    [
        ((*tool(1, "a", "idempotent"), *tool(4, "b", "idempotent")), 0),
        ((*tool(1, "a", "idempotent"), *tool(4, "a", "idempotent")), 1),
        ((*tool(1, "a", "read"), *tool(4, "a", "read")), 0),
        (tool(1, "a", "idempotent", attempt=3), 0),
        (tool(1, "a", "once", attempt=2), 1),
    ],
)
def test_an_effect_that_may_have_happened_twice_is_counted(facts: tuple[Fact, ...], doubled: int) -> None:
    counted = score("c", [RunHistory("run", facts)])
    assert (counted.doubled, counted.done) == (doubled, len(facts) // 3)


def test_facts_hold_neither_words_nor_arguments() -> None:
    secret = "what the person said"
    event = WorkflowHistory.from_json("chat", recordings("confirmed")[-1].read_text()).events
    (signal,) = [
        each for each in event if each.workflow_execution_signaled_event_attributes.signal_name == "user_prompt"
    ][:1]
    told = timeline.fact(signal, {"id": "m", "text": secret, "arguments": {"card": secret}})
    assert secret not in repr(told)
    assert base64.b64encode(secret.encode()).decode() not in repr(told)


def test_nothing_counted_is_nothing() -> None:
    assert Score().plus(Score()) == Score()
