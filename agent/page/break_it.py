"""Break it: what runs beside the page, with its lights, and buttons that really kill it. For the owner of this machine."""

import os
import time
from collections.abc import Callable

import streamlit as st

from agent import local
from agent.faults import Faults
from agent.page import format, message_box
from agent.page.app import PageApp

EVERY = 0.7
"""Seconds between two looks at what runs."""

RECENT = 60.0
"""Seconds for which a death is mentioned."""

_STARTED = time.time()
_HELP = "Each button does real harm, here and now. Watch the chat go on."


def render_break_it(app: PageApp) -> None:
    """The lights and the buttons; nothing where they are turned off, or where nothing here is ours to kill."""
    now = app.local_status()
    if not app.settings.break_it or now.worker == "off":
        return
    with st.container(key="break-it", gap="xxsmall"):
        st.caption("Break it", help=_HELP)
        every = None if message_box.is_hidden() else EVERY
        st.fragment(run_every=every)(_render)(app, _state(now))


def _state(now: local.LocalStatus) -> tuple[object, ...]:
    return (now.phase, now.worker, now.worker_pid, now.server_pid)


def _render(app: PageApp, drawn: tuple[object, ...]) -> None:
    now = app.local_status()
    if _state(now) != drawn:
        st.rerun()  # the status line and the sidebar tell of it, too
    faults = Faults(app.settings.home)
    st.markdown("  \n".join([_page(), *lights(now, time.time())]))
    with st.container(horizontal=True, gap="xxsmall"):
        _button("Kill the worker", "worker", local.kill, app.settings, "worker", disabled=not now.worker_pid)
        if now.server_since:
            _button("Kill the server", "server", local.kill, app.settings, "server", disabled=not now.server_pid)
        _button("Cut the model for 20 s", "model", faults.cut_model, disabled=faults.seconds_cut() > 0)
        _button("Lose the next tool's answer", "answer", faults.lose_answer, disabled=faults.will_lose)
    if left := faults.seconds_cut():
        st.caption(f":material/link_off: The model is cut off, for {left:.0f} s more.")
    if faults.will_lose:
        st.caption(":material/hourglass_top: The worker dies when the next tool has run, before it can say so.")


def _button(label: str, key: str, action: Callable[..., None], *args: object, disabled: bool) -> None:
    st.button(label, key=f"break-{key}", disabled=disabled, on_click=action, args=args)


def _page() -> str:
    return _light("green", f"Page {os.getpid()}, {format.duration(time.time() - _STARTED)}")


def lights(now: local.LocalStatus, at: float) -> list[str]:
    """A line each for the server and the worker, as Markdown; at: seconds since the epoch."""
    server = "green" if now.phase == "ready" else "red"
    worker = {"running": "green", "starting": "red", "failed": "red"}.get(now.worker, "orange")
    if now.phase != "ready" and worker == "green":
        worker = "orange"
    found = []
    if now.server_since or now.server_died[0]:
        found.append(_process("Server", server, now.server_pid, now.server_since, now.server_died, at))
    found.append(_process("Worker", worker, now.worker_pid, now.worker_since, now.worker_died, at))
    return found


def _process(name: str, colour: str, pid: int, since: float, died: tuple[int, float], at: float) -> str:
    text = f"{name} {pid}, {format.duration(at - since)}" if pid else f"{name}: none"
    if colour != "green":
        text += ", not ready" if pid else ""
    if died[0] and at - died[1] < RECENT:
        text += f" · {died[0]} died {format.duration(at - died[1])} ago"
    return _light(colour, text)


def _light(colour: str, text: str) -> str:
    return f":{colour}[⬤] :small[{text}]"
