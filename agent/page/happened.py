"""What happened to a chat on the way: workers that died, calls that failed and were made again. From recorded facts."""

from collections.abc import Sequence

import streamlit as st

from agent.messages import EPOCH, Interruption
from agent.page import format
from tools.kit.tool import Effect

SHOWN = 2
"""Interruptions of one step that are shown as lines; more are folded."""

_TIMES = {1: "once", 2: "twice"}


def render_happened(key: str, found: Sequence[Interruption], effect: Effect | None = None) -> None:
    """The lines about one step; effect: of its tool, None = the model's."""
    if not found:
        return
    lines = [sentence(each) for each in found]
    ending = outcome(found, effect)
    with st.container(key=f"happened-{key}", gap="xxsmall"):
        if len(lines) > SHOWN:
            count = sum(each.times for each in found)
            with st.expander(f":material/healing: Interrupted {count} times. {format.escape(ending)}", type="compact"):
                for line in lines:
                    st.caption(format.escape(line))
        else:
            st.caption(f":material/healing: {format.escape(' '.join([*lines, ending]))}")


def sentence(each: Interruption) -> str:
    """One interruption: `Worker 14995 died here; 15507 took over after 6.1 s.`"""
    old, new = _names(each.worker, each.next_worker)
    after = f" after {seconds(each)}" if each.resumed != EPOCH and each.at != EPOCH else ""
    if each.kind == "failed":
        failed = "An attempt failed" if each.times == 1 else f"{each.times} attempts failed"
        return f"{failed}: {each.reason.rstrip('.')}. The next began{after}." if after else f"{failed}: {each.reason}"
    if each.kind == "lost":
        return f"An attempt was lost here; worker {new} took over." if new else "An attempt was lost here."
    if not new:
        return f"Worker {old} died here."
    if old == new:
        return f"Worker {old} was out of reach here; it went on{after}."
    return f"Worker {old} died here; {new} took over{after}."


def outcome(found: Sequence[Interruption], effect: Effect | None) -> str:
    """How often the step was done again, and what that means for its effect."""
    again = sum(each.times for each in found if each.resumed != EPOCH)
    if not again:
        return "It was not tried again by itself."
    times = _TIMES.get(again, f"{again} times")
    if effect is None:
        return f"Asked again {times}; nothing done twice."
    if effect == "idempotent":
        return f"Tried again {times} with the same key; nothing done twice."
    return f"Read again {times}; nothing done twice." if effect == "read" else f"Tried again {times}."


def seconds(each: Interruption) -> str:
    """From the last sign of life to the next attempt."""
    return f"{max(0.0, (each.resumed - each.at).total_seconds()):.1f} s"


def _names(old: str, new: str) -> tuple[str, str]:
    """Process ids are enough where both ran on one machine."""
    (old_pid, _, old_host), (new_pid, _, new_host) = old.partition("@"), new.partition("@")
    return (old_pid, new_pid) if old_host == new_host or not old or not new else (old, new)
