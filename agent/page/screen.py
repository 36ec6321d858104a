"""The page, top to bottom. Start reading at `draw`."""

import time

import streamlit as st

from agent.errors import ChatNotFound
from agent.messages import AgentMessage, Notice, Proposal, UserMessage
from agent.page import actions, bubbles, look, opening, sidebar, status, steps, words
from agent.page.desk import Desk
from agent.page.live import State
from agent.page.tab import SAY, Tab, asked_chat, this_tab
from agent.page.transcript import Block, Step, blocks, newest
from agent.settings import SCRIPTED

QUICK, SLOW = 0.3, 1.0
"""Seconds between two runs of the tail: while something runs, and while nothing does."""

WATCH = 0.25
"""How long one run of the tail keeps looking while something runs."""

_TONES = {"busy": ":material/progress_activity:", "warning": ":material/warning:", "error": ":material/error:"}


def draw(desk: Desk) -> None:
    """One run of the script."""
    look.dress()
    desk.begin()
    tab = this_tab()
    if desk.problem:
        look.title("Steadfast")
        st.error(words.literal(desk.problem), icon=":material/settings_alert:")
        return
    if tab.chat_id != asked_chat():
        tab.open(asked_chat())
    if not tab.chat_id and not opening.opened(desk, tab):
        return
    live = desk.live(tab.chat_id)
    state = live.look()
    tab.catch_up(state)
    sidebar.sidebar(desk, tab, state)
    if isinstance(state.trouble, ChatNotFound):
        opening.not_found(desk, tab, state.trouble)
        return
    waiting = state.view.waiting if state.view else None
    _header(desk, tab, state)
    _body(desk, tab, state, waiting)
    quick = state.busy or state.view is None or bool(tab.sent or tab.decided)
    st.fragment(run_every=QUICK if quick else SLOW)(_tail)(desk, tab, state.drawn, quick)
    _foot(desk, tab, state, waiting)


def _header(desk: Desk, tab: Tab, state: State) -> None:
    goal = state.view.goal if state.view else None
    with st.container(key="header", horizontal=True, vertical_alignment="center", gap="small"):
        look.title(goal.title or words.spoken(goal.name) if goal else "Steadfast")
        name = goal.name if goal else ""
        icon = ":material/edit_square:"
        st.button(
            "New chat", key="new-chat", type="tertiary", icon=icon, on_click=actions.new_chat, args=(desk, tab, name)
        )
        if not state.ended:
            icon = ":material/logout:"
            st.button("End", key="end-chat", type="tertiary", icon=icon, on_click=actions.end_chat, args=(desk, tab))
    if _scripted(desk, state):
        st.caption(
            "Replies come from the built-in scripted model, not from an AI. Set `LLM_MODEL` to talk to a real one."
        )


def _scripted(desk: Desk, state: State) -> bool:
    uses = [message.by.model for message in state.messages if isinstance(message, AgentMessage) and message.by]
    return (uses[-1] if uses else desk.settings.llm_model).startswith(SCRIPTED)


def _body(desk: Desk, tab: Tab, state: State, waiting: Proposal | None) -> None:
    everything = blocks(state.messages, waiting)
    shown = newest(everything, tab.shown)
    loaded = len(shown) < len(everything)
    if loaded or state.previous_run_id:
        args = (desk, tab, loaded)
        st.button("Show earlier messages", key="earlier", type="tertiary", on_click=actions.show_earlier, args=args)
    for block in shown:
        _block(desk, tab, block, waiting)
    _insist(desk, tab, state)
    if state.view is not None and state.untouched and not tab.sent and not state.ended:
        _other_goals(desk, tab, state.view.goal.name)
    for message in state.view.queued if state.view else []:
        bubbles.said(f"queued-{message.id}", message.text, "waiting its turn")
    for message_id, text, _ in tab.sent:
        bubbles.said(f"sent-{message_id}", text, "sent")


def _insist(desk: Desk, tab: Tab, state: State) -> None:
    """A wrong "that does not fit" can be overruled; the scripted model means it."""
    newest = state.messages[-1] if state.messages else None
    if not isinstance(newest, AgentMessage) or not newest.off_goal or tab.sent or _scripted(desk, state):
        return
    said = next((message.text for message in reversed(state.messages) if isinstance(message, UserMessage)), "")
    st.button("Send it anyway", key="insist", type="tertiary", on_click=actions.insist, args=(desk, tab, said))


def _block(desk: Desk, tab: Tab, block: Block, waiting: Proposal | None) -> None:
    match block:
        case UserMessage():
            bubbles.person(block)
        case AgentMessage():
            bubbles.agent(block)
        case Notice():
            bubbles.notice(block)
        case Step():
            steps.step(desk, tab, block, waiting)


def _other_goals(desk: Desk, tab: Tab, current: str) -> None:
    others = {name: goal for name, goal in desk.tools.goals.items() if name != current}
    if not others:
        return
    with st.container(key="other-goals", gap="xsmall"):
        st.caption("Or something else?")
        with st.container(horizontal=True, gap="small"):
            for name, goal in others.items():
                label = words.literal(goal.title or words.spoken(name))
                st.button(
                    label,
                    key=f"pick-{name}",
                    help=goal.description or None,
                    on_click=actions.new_chat,
                    args=(desk, tab, name),
                )


def _tail(desk: Desk, tab: Tab, drawn: tuple[object, ...], quick: bool) -> None:
    """The growing reply and the line of status; draws the whole page anew when the chat has changed.

    While something runs it looks again and again within one run: words show 20 ms after they came, not when a timer asks.
    """
    desk.begin()
    live, end = desk.live(tab.chat_id), time.monotonic() + WATCH
    reply = st.empty()
    with st.container(key="status"):
        line = st.empty()
    while True:
        state = live.look()
        if state.drawn != drawn:
            st.rerun()
        with reply.container():
            if state.busy and state.attempt is not None and state.attempt.partial:
                bubbles.growing(state.attempt.partial)
        with line.container():
            _line(desk, state)
        while (live.state.drawn, live.state.attempt) == (state.drawn, state.attempt):
            if not quick or time.monotonic() > end:
                return
            time.sleep(0.02)


def _line(desk: Desk, state: State) -> None:
    now = status.line(state, kept=desk.settings.embedded_worker)
    text = f":shimmer[{now.text} …]" if now.tone == "busy" else now.text
    st.caption(f"{_TONES[now.tone]} {text}" if now.tone in ("warning", "error") else text)
    if state.busy and state.attempt is not None and state.attempt.fraction is not None:
        st.progress(min(1.0, max(0.0, state.attempt.fraction)))


def _foot(desk: Desk, tab: Tab, state: State, waiting: Proposal | None) -> None:
    if state.view is not None and tab.dropped is not None and state.view.dropped.count > tab.dropped:
        st.info(words.literal(state.view.dropped.reason), icon=":material/info:")
    if tab.problem:
        st.warning(words.literal(tab.problem), icon=":material/warning:")
    if state.ended:
        name = state.view.goal.name if state.view else ""
        icon = ":material/edit_square:"
        st.button("New chat", key="again", type="primary", icon=icon, on_click=actions.new_chat, args=(desk, tab, name))
    st.chat_input(_hint(state, waiting), key=SAY, on_submit=actions.say, args=(desk, tab, waiting))


def _hint(state: State, waiting: Proposal | None) -> str:
    if state.ended:
        return "This chat has ended"
    return "yes, no, or say something else" if waiting else "Your message"
