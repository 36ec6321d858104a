"""The one line that says what is going on, and what to do if it does not go on. Pure."""

from dataclasses import dataclass
from typing import Literal

from agent.client import Attempt
from agent.errors import NoWorker
from agent.page import words
from agent.page.live import State

_CLOSED = {
    "completed": "This chat has ended.",
    "failed": "This chat broke off because of an error of ours.",
    "terminated": "This chat was terminated from outside.",
    "timed_out": "This chat ran out of the time it was given.",
    "canceled": "This chat was cancelled from outside.",
}


@dataclass(frozen=True)
class Line:
    """quiet: nothing to wait for; busy: something runs; warning: it goes on by itself or with a step of the person's."""

    text: str
    tone: Literal["quiet", "busy", "warning", "error"] = "quiet"


def line(state: State, *, kept: bool = True) -> Line:
    """What to say of a chat in this state, as Markdown in which foreign words are escaped.

    kept: whether a worker that dies is started again by itself.
    """
    if state.run_status != "running":
        why = f" {words.literal(state.failure)}" if state.failure else ""
        said = "" if state.run_status == "completed" else " What was said is kept;"
        return Line(f"{_CLOSED[state.run_status]}{why}{said} New chat starts another.", _closed_tone(state))
    if state.view is not None and state.view.status == "ended":
        return Line("This chat has ended. New chat starts another.")
    if state.worker == "missing" or isinstance(state.trouble, NoWorker):
        return Line(_no_worker(kept), "warning")
    if state.trouble is not None:
        return Line(words.literal(state.trouble), "warning")
    if state.slow:
        return Line("The server has not answered for some seconds. Still waiting; nothing is lost.", "warning")
    if state.view is None:
        return Line("Opening the chat", "busy")
    return _under_way(state)


def _closed_tone(state: State) -> Literal["quiet", "error"]:
    return "quiet" if state.run_status == "completed" else "error"


def _no_worker(kept: bool) -> str:
    remedy = "One is being started; if this stays, start one" if kept else "Start one"
    return f"No worker is running, so nothing is answered. {remedy} with `python worker.py`; what you say is kept."


def _under_way(state: State) -> Line:
    view, attempt = state.view, state.attempt
    assert view is not None
    if view.status == "waiting":
        return Line("Waiting for you")
    if view.status == "deciding":
        return Line("Waiting for your decision")
    doing = words.spoken(view.running).lower() if view.running else ""
    if attempt is not None and attempt.next_in is not None:
        return Line(_backing_off(attempt, doing), "warning")
    again = f" (attempt {attempt.number})" if attempt is not None and attempt.number > 1 else ""
    why = f" — before: {words.literal(attempt.error)}" if attempt is not None and again and attempt.error else ""
    if view.status == "ending":
        return Line(f"Ending: waiting for “{words.literal(doing)}” to finish" if doing else "Ending", "busy")
    if view.status == "running":
        progress = f": {words.literal(attempt.progress)}" if attempt is not None and attempt.progress else ""
        return Line(f"Running “{words.literal(doing)}”{progress}{again}{why}", "busy")
    writing = attempt is not None and bool(attempt.partial)
    return Line(f"{'Writing' if writing else 'Thinking'}{again}{why}", "busy")


def _backing_off(attempt: Attempt, doing: str) -> str:
    who = f"“{words.literal(doing)}”" if doing else "The model"
    why = words.literal(attempt.error) or "it did not answer\\."
    seconds = max(1, round(attempt.next_in or 0))
    return f"{who} will be tried again in {seconds} s (attempt {attempt.number}): {why}"
