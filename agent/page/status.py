"""The status line: what is going on, and what to do if it stops. Pure."""

from dataclasses import dataclass
from typing import Literal

from agent.client import Attempt
from agent.errors import NoWorker
from agent.messages import EPOCH
from agent.page import format
from agent.page.watcher import ChatState

_CLOSED = {
    "completed": "This chat has ended.",
    "failed": "This chat failed because of an internal error.",
    "terminated": "This chat was terminated from outside.",
    "timed_out": "This chat reached its time limit.",
    "canceled": "This chat was cancelled from outside.",
}


WorkerState = Literal["starting", "running", "stuck", "stopping", "off", "failed"]


@dataclass(frozen=True)
class Line:
    """quiet: nothing to wait for; busy: something runs; warning: it waits for something that is missing."""

    text: str
    tone: Literal["quiet", "busy", "warning", "error"] = "quiet"


def line(state: ChatState, worker: WorkerState = "off", problem: str = "") -> Line:
    """The line for a chat in this state, as Markdown with text from outside escaped.

    worker: what the supervisor says of the embedded worker, `off` if there is none. problem: why it does not start.
    """
    if state.view is not None and state.view.ended == "imported":
        return Line("This chat was imported. It can be read, and you can go on from it in a new chat.")
    if state.run_status != "running":
        why = f" {format.escape(state.failure)}" if state.failure else ""
        kept = "" if state.run_status == "completed" else " Its messages are kept."
        return Line(f"{_CLOSED[state.run_status]}{why}{kept} New chat starts another.", _closed_tone(state))
    if state.view is not None and state.view.status == "ended":
        return Line("This chat has ended. New chat starts another.")
    no_worker = state.worker == "missing" or isinstance(state.error, NoWorker)
    if no_worker or (state.busy and worker in ("stuck", "stopping")):
        return Line(_no_worker(worker, problem), "warning")
    if state.error is not None:
        return Line(format.escape(state.error), "warning")
    if state.view is not None and worker in ("starting", "failed"):  # the server would notice in 5 s
        return Line(_no_worker(worker, problem), "warning")
    if state.slow:
        return Line("The server has not answered for some seconds. Still waiting; your messages are kept.", "warning")
    if state.view is None:
        return Line("Opening the chat", "busy")
    return _under_way(state)


def _closed_tone(state: ChatState) -> Literal["quiet", "error"]:
    return "quiet" if state.run_status == "completed" else "error"


def _no_worker(worker: WorkerState, problem: str) -> str:
    what = {
        "starting": "The worker is starting.",
        "running": "The worker does not answer. If this message stays, restart it with `python -m agent.local restart`.",
        "stuck": "The worker has stopped responding. It is being replaced.",
        "stopping": "The worker is being restarted; it finishes what is under way first.",
        "failed": "The worker does not start, so nothing is answered. It is tried again by itself.",
        "off": "No worker is running, so nothing is answered. Start one with `python worker.py`.",
    }[worker]
    why = f" {format.escape(problem)}" if problem else ""
    return f"{what}{why} Your messages are kept."


def _under_way(state: ChatState) -> Line:
    view, attempt = state.view, state.attempt
    assert view is not None
    if view.status == "waiting" and view.closes_at != EPOCH:
        return Line("The goal is reached. Write to go on, else this chat closes by itself after a while")
    if view.status == "waiting":
        return Line("Waiting for you")
    if view.status == "deciding":
        return Line("Waiting for your decision")
    doing = format.humanize(view.running).lower() if view.running else ""
    if attempt is not None and attempt.next_in is not None:
        return Line(_retrying(attempt, doing), "warning")
    again = f" (attempt {attempt.number})" if attempt is not None and attempt.number > 1 else ""
    why = f" — before: {format.escape(attempt.error)}" if attempt is not None and again and attempt.error else ""
    if view.status == "ending":
        return Line(f"Ending: waiting for “{format.escape(doing)}” to finish" if doing else "Ending", "busy")
    if view.status == "running":
        progress = f": {format.escape(attempt.progress)}" if attempt is not None and attempt.progress else ""
        return Line(f"Running “{format.escape(doing)}”{progress}{again}{why}", "busy")
    writing = attempt is not None and bool(attempt.partial)
    waits = f": waiting for {format.escape(attempt.waiting_for)}" if attempt is not None and attempt.waiting_for else ""
    return Line(f"{'Writing' if writing else 'Thinking'}{waits}{again}{why}", "busy")


def _retrying(attempt: Attempt, doing: str) -> str:
    subject = f"“{format.escape(doing)}”" if doing else "The model"
    why = format.escape(attempt.error) or "it did not answer\\."
    seconds = max(1, round(attempt.next_in or 0))
    return f"{subject} will be retried in {seconds} s (attempt {attempt.number}): {why}"
