"""The waterfall of a turn: signal, model, the person's decision, tool, to scale, from the times of the history's events."""

from datetime import datetime
from html import escape

import streamlit as st

from agent.page import format
from agent.page.app import PageApp
from agent.page.session import SessionState
from agent.timeline import Span, Turn, turns

SHOWN = 5
"""Turns that are shown, newest first."""

_TAKEN_UP = {"message": "Your message is taken up", "start": "The chat begins"}
_ACTIONS = {
    "confirm": "you confirmed",
    "decline": "you declined",
    "decide": "you decided",
    "add_rule": "you made a rule",
    "end_chat": "you ended the chat",
    "set_model": "you picked a model",
}
_OUTCOMES = {"died": "its worker died", "failed": "failed", "lost": "lost"}


def render_waterfall(app: PageApp, session: SessionState) -> None:
    """The newest turns, each as a table: what, when to scale, how long."""
    runs = app.call(lambda client: app.histories.of_chat(client, session.chat_id))
    found = [turn for run in runs for turn in turns(run.facts)]
    if not found:
        st.caption("Nothing has been answered yet.")
        return
    zone = format.reader_zone(st.context.timezone)
    for turn in reversed(found[-SHOWN:]):
        st.html(table(turn, format.time_of_day(turn.start, zone)))
    left_out = len(found) - SHOWN
    if left_out > 0:
        st.caption(f"{left_out} earlier turns are not shown.")
    st.caption("From the event times of Temporal's history. A wait for you is part of it.")


def table(turn: Turn, began: str) -> str:
    """HTML of ours: all that comes from outside is escaped, and bars are nothing but numbers."""
    whole = (turn.end - turn.start).total_seconds() or 1.0
    rows = "".join(_row(span, turn.start, whole) for span in turn.spans)
    head = "<thead><tr><th scope='col'>Step</th><th scope='col'>When</th><th scope='col'>Seconds</th></tr></thead>"
    caption = f"<caption>{escape(began)}: {_seconds((turn.end - turn.start).total_seconds())}</caption>"
    return f"<table class='waterfall'>{caption}{head}<tbody>{rows}</tbody></table>"


def label(span: Span) -> str:
    """What happened in a span, in words."""
    if span.kind == "signal":
        return _TAKEN_UP.get(span.name, "Your decision is taken up")
    if span.kind == "person":
        return f"Your wait, until {_ACTIONS.get(span.name, 'you acted')}"
    words = "Model" if span.kind == "model" else format.humanize(span.name)
    attempt = f", attempt {span.attempt}" if span.attempt > 1 or span.outcome else ""
    worker = f" on worker {span.worker.partition('@')[0]}" if attempt and span.worker else ""
    outcome = f": {_OUTCOMES[span.outcome]}" if span.outcome else ""
    return f"{words}{attempt}{worker}{outcome}"


def _row(span: Span, start: datetime, whole: float) -> str:
    left = 100 * (span.start - start).total_seconds() / whole
    width = 100 * span.seconds / whole
    kind = "interrupted" if span.outcome else span.kind
    bar = f"<div class='bar {kind}' style='left:min({left:.2f}%, calc(100% - 3px));width:{width:.2f}%'></div>"
    return (
        f"<tr><th scope='row'>{escape(label(span))}</th><td><div class='track' aria-hidden='true'>{bar}</div></td>"
        f"<td>{_seconds(span.seconds)}</td></tr>"
    )


def _seconds(seconds: float) -> str:
    if seconds >= 60:
        return f"{int(seconds // 60)} min {int(seconds % 60)} s"
    return f"{seconds:.1f} s" if seconds >= 0.1 else f"{1000 * seconds:.0f} ms"
