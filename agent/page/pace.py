"""How often a tab draws what changes: often while something runs, rarely while nothing does, never unseen."""

from agent.page.watcher import ChatState

QUICK, SLOW, CALM, HIDDEN = 0.95, 1.0, 2.0, 2.0
"""Seconds between two runs of the tail: while something runs, while nothing does, the same for half a minute, in a hidden tab
whose title is still to say that the agent is done."""

FOLLOW = 0.85
"""Seconds for which one run of the tail follows the chat while something runs."""


def interval(state: ChatState, *, underway: bool, calm: bool, hidden: bool) -> float | None:
    """Seconds until the next run of the tail; None: it runs when the tab is seen again, or something is clicked.

    underway: something was sent that the chat does not show yet. calm: nothing has happened for a while.
    """
    busy = state.busy or state.view is None or underway
    if hidden:
        return HIDDEN if busy and not state.ended else None
    if busy:
        return QUICK
    return CALM if calm or state.ended else SLOW
