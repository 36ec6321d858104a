"""Sharing a chat: links to read it, to take it over, or to decide one proposal; and the list of those in force."""

from datetime import UTC, datetime
from urllib.parse import urlsplit

import streamlit as st

from agent import links
from agent.messages import Link, Proposal
from agent.page import actions, format
from agent.page.app import PageApp
from agent.page.session import SessionState

PARAMETER = "share"
DECIDE = "decide"
"""The path of links that decide."""

DAYS = 7
"""How long a link is in force."""

_KINDS = {
    "read": ("Link to read", "Whoever has it sees this chat, and can do nothing in it."),
    "owner": ("Link to take over", "Whoever opens it first can make this chat theirs; then it is yours no more."),
    "decide": ("Link to decide", "Whoever has it can confirm or decline the proposal, once, without seeing the chat."),
}


def render_share(app: PageApp, session: SessionState) -> None:
    """What can be made, and what there is."""
    state = app.watcher(session.chat_id).state
    found = links.in_force(state.view.links, datetime.now(UTC)) if state.view else []
    if state.ended:
        st.caption("This chat has ended: no link can be made any more, and those in force stay so until they expire.")
    else:
        with st.container(horizontal=True):
            _button(app, session, "read", ":material/visibility:")
            _button(app, session, "owner", ":material/swap_horiz:")
    for link in found:
        _render_link(app, session, link, ended=state.ended)


def render_offer(app: PageApp, session: SessionState, proposal: Proposal) -> None:
    """Beside the buttons of a card: let somebody else decide."""
    view = app.watcher(session.chat_id).state.view
    known = [link for link in (view.links if view else []) if link.proposal_id == proposal.id]
    found = links.in_force(known, datetime.now(UTC))
    with st.popover("Ask somebody else", type="tertiary", key=f"ask-{proposal.id}"):
        if found:
            _render_link(app, session, found[0], place="card-")
            return
        st.markdown(_KINDS["decide"][1])
        args = (app, session, "decide", DAYS * 24 * 3600, proposal.id)
        st.button("Make a link", key=f"share-{proposal.id}", on_click=actions.add_link, args=args)


def address(app: PageApp, chat_id: str, link: Link) -> str:
    """The link itself, at the address under which the reader reached this page."""
    here = urlsplit(str(st.context.url or ""))
    base = f"{here.scheme}://{here.netloc}{here.path.rstrip('/')}"
    token = links.token(app.signing_key, chat_id, link)
    return f"{base}/{DECIDE}/{token}" if link.kind == "decide" else f"{base}/?{PARAMETER}={token}"


def _button(app: PageApp, session: SessionState, kind: str, icon: str) -> None:
    label, about = _KINDS[kind]
    args = (app, session, kind, DAYS * 24 * 3600)
    st.button(label, key=f"share-{kind}", icon=icon, help=about, on_click=actions.add_link, args=args)


def _render_link(app: PageApp, session: SessionState, link: Link, *, place: str = "", ended: bool = False) -> None:
    """place: makes its keys its own where the same link is shown twice."""
    label, about = _KINDS[link.kind]
    with st.container(key=f"{place}link-{link.id}", gap="xxsmall"):
        zone = format.reader_zone(st.context.timezone)
        st.markdown(f"**{label}** :small[:gray[until {link.expires.astimezone(zone):%d %b, %H:%M}]]")
        st.caption(about)
        st.code(address(app, session.chat_id, link), language=None, wrap_lines=True)
        if not ended:
            args = (app, session, link.id)
            st.button(
                "Revoke", key=f"{place}revoke-{link.id}", type="tertiary", on_click=actions.revoke_link, args=args
            )
