"""The page, top to bottom. Start reading at `draw`."""

import time
from dataclasses import replace

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from agent.client import no_such_chat
from agent.errors import ChatNotFound, ChatWedged
from agent.messages import AgentMessage, Proposal, UserMessage
from agent.page import (
    actions,
    assist,
    format,
    login,
    message_actions,
    message_box,
    opening,
    pace,
    panels,
    shared,
    sidebar,
    status,
    theme,
    tour,
    transcript,
)
from agent.page.app import PageApp
from agent.page.outbox import OutgoingMessage
from agent.page.session import SessionState, current_session, requested_chat
from agent.page.watcher import ChatState
from agent.settings import SCRIPTED

Pending = tuple[OutgoingMessage, ...]

_TONES = {"busy": ":material/progress_activity:", "warning": ":material/warning:", "error": ":material/error:"}


def draw(app: PageApp) -> None:
    """One run of the script."""
    session = current_session()
    visitor = app.visitor()
    theme.apply_theme(sum(row.waiting for row in app.chats(fetch=False)))
    app.ensure_started()
    if app.problem:
        theme.render_title("Steadfast")
        st.error(opening.for_owner(app, app.problem), icon=":material/settings_alert:")
        return
    session.reading = False
    if token := shared.requested_link():
        shared.render_shared(app, session, token)
        return
    if not visitor.id:
        login.render_login()
        return
    if session.chat_id != requested_chat():
        session.open(requested_chat())
    message_box.receive(app, session, st.session_state.get(message_box.KEY))
    session.settle()
    if begun := session.arrived():
        actions.open_chat(session, begun)
    if not session.chat_id:
        opening.render_first_screen(app, session)
        return
    watcher = app.watcher(session.chat_id)
    state = watcher.snapshot(visible=not message_box.is_hidden())
    if state.owner is not None and not app.is_open_to(visitor, state.owner):
        sidebar.render_sidebar(app, session, ChatState())
        opening.render_not_found(app, session, no_such_chat())
        st.fragment(run_every=pace.SLOW)(_wait_until_open)(app, session)
        return
    pending = app.outbox(session.chat_id).reconcile(state)
    session.reconcile(state, pending)
    session.beginning = "" if state.view else session.beginning or next((m.goal for m in pending if m.goal), "")
    sidebar.render_sidebar(app, session, state)
    if isinstance(state.error, ChatNotFound) and not session.beginning:
        opening.render_not_found(app, session, state.error)
        st.fragment(run_every=pace.SLOW)(_wait_for_messages)(app, session)
        return
    waiting = state.view.deciding if state.view else []
    _header(app, session, state)
    _body(app, session, state, pending, waiting)
    every = _interval(app, session, state, pending)
    drawn = (state.fingerprint, _fingerprint(pending), every)
    st.fragment(run_every=every)(_tail)(app, session, drawn)
    tour.render_tour(app, session, state)
    _foot(app, session, state, pending, waiting)
    panels.render_panel(app, session)
    assist.render_assist(session.chat_id, state.messages, session.copied)


def _header(app: PageApp, session: SessionState, state: ChatState) -> None:
    goal = state.view.goal if state.view else app.tools.goals.get(session.beginning)
    with st.container(key="header", horizontal=True, vertical_alignment="center", gap="small"):
        named = state.view.title if state.view else ""
        theme.render_title(named or (goal.title or format.humanize(goal.name) if goal else "Steadfast"))
        icon, args = ":material/edit_square:", (session, goal.name if goal else "")
        st.button("New chat", key="new-chat", type="tertiary", icon=icon, on_click=actions.new_chat, args=args)
        if state.view is not None and not state.ended:
            icon = ":material/logout:"
            st.button("End", key="end-chat", type="tertiary", icon=icon, on_click=actions.ask_to_end, args=(session,))
    opening.render_demo_note(_model(app, state))


def _model(app: PageApp, state: ChatState) -> str:
    """The model that answered last, or will answer first."""
    uses = [message.by.model for message in state.messages if isinstance(message, AgentMessage) and message.by]
    return uses[-1] if uses else app.settings.llm_model


def _fingerprint(pending: Pending) -> tuple[object, ...]:
    return tuple((message.id, message.state, message.note) for message in pending)


def _body(app: PageApp, session: SessionState, state: ChatState, pending: Pending, waiting: list[Proposal]) -> None:
    if state.view is None and session.beginning in app.tools.goals:
        opening.render_welcome(app.tools.goals[session.beginning])
    everything = transcript.blocks(state.messages, waiting)
    shown = transcript.newest(everything, session.shown)
    loaded = len(shown) < len(everything)
    if loaded or state.previous_run_id:
        args = (app, session, loaded)
        st.button("Show earlier messages", key="earlier", type="tertiary", on_click=actions.show_earlier, args=args)
    for block in shown:
        transcript.render_block(app, session, block, waiting)
    if not pending:
        message_actions.render_suggested(app, session, state)
    _send_anyway(app, session, state, pending)
    for message in state.view.queued if state.view else []:
        transcript.render_bubble(f"queued-{message.id}", message.text, "queued")
    message_box.render_pending()


def _send_anyway(app: PageApp, session: SessionState, state: ChatState, pending: Pending) -> None:
    """A wrong "that does not fit the goal" can be overruled; the demo model would only repeat it."""
    newest = state.messages[-1] if state.messages else None
    if not isinstance(newest, AgentMessage) or not newest.off_goal or pending:
        return
    if _model(app, state).startswith(SCRIPTED):
        return
    text = next((message.text for message in reversed(state.messages) if isinstance(message, UserMessage)), "")
    st.button("Send it anyway", key="insist", type="tertiary", on_click=actions.send_anyway, args=(app, session, text))


def _wait_until_open(app: PageApp, session: SessionState) -> None:
    """It may be handed over to this visitor."""
    owner = app.watcher(session.chat_id).snapshot(visible=not message_box.is_hidden()).owner
    if owner is not None and app.is_open_to(app.visitor(), owner):
        st.rerun()


def _wait_for_messages(app: PageApp, session: SessionState) -> None:
    """The browser may have kept a first message for this address; then there is a chat in a moment."""
    state = app.watcher(session.chat_id).snapshot(visible=not message_box.is_hidden())
    if not isinstance(state.error, ChatNotFound) or app.outbox(session.chat_id).messages:
        st.rerun()


def _interval(app: PageApp, session: SessionState, state: ChatState, pending: Pending) -> float | None:
    underway = bool(pending or session.decided or session.sending)
    calm = app.watcher(session.chat_id).calm
    return pace.interval(state, underway=underway, calm=calm, hidden=message_box.is_hidden())


def _tail(app: PageApp, session: SessionState, drawn: tuple[object, ...]) -> None:
    """The partial reply and the status line; reruns the whole page when the chat has changed.

    While something runs, one run follows the chat for a while: text shows 20 ms after it came, not at the next timer.
    """
    app.ensure_started()
    watcher, outbox = app.watcher(session.chat_id), app.outbox(session.chat_id)
    end = time.monotonic() + (pace.FOLLOW if drawn[-1] == pace.QUICK else 0)
    visible = not message_box.is_hidden()
    place: _Tail | None = None
    visitor = app.visitor()
    while True:
        state = watcher.snapshot(visible=visible)
        if state.owner is not None and not app.is_open_to(visitor, state.owner):
            st.rerun()
        pending = outbox.reconcile(state)
        now = (state.fingerprint, _fingerprint(pending), _interval(app, session, state, pending))
        if now != drawn or session.settle() or session.is_outage_over(state):
            st.rerun()
        place = place or _Tail()
        place.draw(app, state, session.partial_reply(state, drawn[0]))
        seen = (state.fingerprint, state.attempt, outbox.messages)
        while (watcher.state.fingerprint, watcher.state.attempt, outbox.messages) == seen and not session.has_settled:
            if time.monotonic() > end:
                return
            time.sleep(0.02)
            message_box.is_hidden()  # reading the session's state lets a click interrupt this run at once


class _Tail:
    """What one run of the tail has drawn. It is filled at once and then changed in place: a place that is made empty first
    would show so for a frame, and the reply would flicker."""

    def __init__(self) -> None:
        self._reply: DeltaGenerator | None = None
        self._words: DeltaGenerator | None = None
        self._line: DeltaGenerator | None = None
        self._bar: DeltaGenerator | None = None

    def draw(self, app: PageApp, state: ChatState, partial: str) -> None:
        """The partial reply, then the status line with its progress."""
        attempt = state.attempt if state.busy else None
        self._draw_reply(partial)
        text = _status_text(app, state)
        fraction = attempt.fraction if attempt is not None else None
        if self._line is None or self._bar is None:
            with st.container(key="status"):
                self._line = st.caption(text)
                self._bar = st.empty() if fraction is None else st.progress(min(1.0, max(0.0, fraction)))
            return
        self._line.caption(text)
        if fraction is None:
            self._bar.empty()
        else:
            self._bar.progress(min(1.0, max(0.0, fraction)))

    def _draw_reply(self, partial: str) -> None:
        if self._words is not None:
            if partial:
                self._words.markdown(transcript.partial_reply(partial))
            else:
                self._words.empty()
        elif partial and self._reply is None:
            self._words = transcript.render_partial_reply(partial)
        elif partial and self._reply is not None:
            with self._reply.container():
                self._words = transcript.render_partial_reply(partial)
        elif self._reply is None:
            self._reply = st.empty()


def _status_text(app: PageApp, state: ChatState) -> str:
    stack = app.local_status()
    problem = stack.problem if app.visitor().is_owner else ""
    if isinstance(state.error, ChatNotFound):  # it begins: its first message is on its way
        state = replace(state, error=None)
    now = status.line(state, stack.worker, problem)
    text = f":shimmer[{now.text} …]" if now.tone == "busy" else now.text
    return f"{_TONES[now.tone]} {text}" if now.tone in ("warning", "error") else text


def _foot(app: PageApp, session: SessionState, state: ChatState, pending: Pending, waiting: list[Proposal]) -> None:
    if state.view is not None and session.dropped is not None and state.view.dropped.count > session.dropped:
        st.info(format.escape(state.view.dropped.reason), icon=":material/info:")
    if session.problem:
        st.warning(format.escape(session.problem), icon=":material/warning:")
    if isinstance(state.error, ChatWedged):
        icon = ":material/build:"
        st.button("Repair", key="repair", type="primary", icon=icon, on_click=actions.repair, args=(app, session))
    if state.ended:
        name = state.view.goal.name if state.view else ""
        icon = ":material/edit_square:"
        st.button("New chat", key="again", type="primary", icon=icon, on_click=actions.new_chat, args=(session, name))
    message_actions.render_actions(app, session, state)
    message_actions.render_end(app, session, state)
    message_box.render_message_box(app, session, state, pending, waiting, goal=session.beginning)
