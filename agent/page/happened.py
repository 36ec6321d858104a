"""What happened to a chat on the way: workers that died, calls that failed and were made again. From recorded facts."""

from collections.abc import Sequence

import streamlit as st

from agent.messages import EPOCH, Interruption
from agent.page import format
from agent.sentences import interruption
from tools.kit.tool import Effect

SHOWN = 2
"""Interruptions of one step that are shown as lines; more are folded."""

_TIMES = {1: "once", 2: "twice"}


def render_happened(key: str, found: Sequence[Interruption], effect: Effect | None = None) -> None:
    """The lines about one step; effect: of its tool, None = the model's."""
    if not found:
        return
    lines = [interruption(each) for each in found]
    ending = outcome(found, effect)
    with st.container(key=f"happened-{key}", gap="xxsmall"):
        if len(lines) > SHOWN:
            count = sum(each.times for each in found)
            with st.expander(f":material/healing: Interrupted {count} times. {format.escape(ending)}", type="compact"):
                for line in lines:
                    st.caption(format.escape(line))
        else:
            st.caption(f":material/healing: {format.escape(' '.join([*lines, ending]))}")


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
