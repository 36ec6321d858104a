"""What a link opens: a chat to be read, or the question whether to take it over. Nothing else of the page is there."""

from datetime import UTC, datetime

import streamlit as st

from agent import links
from agent.errors import ChatError
from agent.links import LinkClaim
from agent.messages import ChatView
from agent.page import actions, format, pace, theme, transcript
from agent.page.app import PageApp
from agent.page.session import SessionState
from agent.page.share import PARAMETER
from agent.page.watcher import ChatState

_INVALID = "This link is not valid any more. Ask whoever sent it for a new one."


def requested_link() -> str:
    """The token in the address, "" without one."""
    return str(st.query_params.get(PARAMETER, ""))


def render_shared(app: PageApp, session: SessionState, token: str) -> None:
    """What the link opens, or one sentence."""
    claim = links.read_token(app.signing_key, token, datetime.now(UTC))
    if claim is None or claim.kind == "decide":
        _render_invalid()
        return
    state = app.watcher(claim.chat_id).snapshot()
    st.fragment(run_every=pace.SLOW)(_follow)(app, claim, state.fingerprint)
    if state.view is None:
        if isinstance(state.error, ChatError):
            _render_invalid()
        return
    if links.find(state.view.links, claim.link_id, claim.kind, datetime.now(UTC)) is None:
        _render_invalid()
    elif claim.kind == "owner":
        _render_takeover(app, session, claim, state.view)
    else:
        _render_transcript(app, session, state, state.view)


def _follow(app: PageApp, claim: LinkClaim, drawn: tuple[object, ...]) -> None:
    if app.watcher(claim.chat_id).snapshot().fingerprint != drawn:
        st.rerun()


def _render_invalid() -> None:
    theme.render_title("Steadfast")
    st.warning(_INVALID, icon=":material/link_off:")


def _title(view: ChatView) -> str:
    return view.title or view.goal.title or format.humanize(view.goal.name)


def _render_transcript(app: PageApp, session: SessionState, state: ChatState, view: ChatView) -> None:
    session.reading = True
    theme.render_title(_title(view))
    st.caption(":material/visibility: You are reading a chat that was shared with you. You cannot change it.")
    for block in transcript.newest(transcript.blocks(state.messages), session.shown):
        transcript.render_block(app, session, block, [])


def _render_takeover(app: PageApp, session: SessionState, claim: LinkClaim, view: ChatView) -> None:
    theme.render_title(_title(view))
    st.markdown("Somebody wants to hand this chat over to you. Once you take it over, it is yours, and theirs no more.")
    if not app.visitor().id:
        st.info("Log in first, then open this link again.")
        return
    args = (app, session, claim.chat_id, claim.link_id)
    st.button("Take it over", key="take-over", type="primary", on_click=actions.take_over, args=args)
    if session.problem:
        st.warning(format.escape(session.problem), icon=":material/warning:")
