"""The card of what waits for a decision: one proposal, or several of one answer, each with its own tick."""

from collections.abc import Sequence

import streamlit as st

from agent.messages import Json, Proposal
from agent.page import actions, argument_form, format, results, rules_list, share
from agent.page.app import PageApp
from agent.page.session import SessionState

_LABELS = {
    "tool": ("Confirm", "Decline"),
    "switch_goal": ("Switch", "Stay"),
    "lost_result": ("Try again", "Treat as done"),
    "budget": ("Continue", "Stop here"),
    "end": ("End the chat", "Continue"),
}
_EFFECTS = {
    "read": "Read only.",
    "idempotent": "Makes a change, once per confirmation.",
    "once": "Makes a change.",
}
_YES, _NO = ":material/check:", ":material/close:"


def title(proposal: Proposal) -> str:
    """The question, in a few words."""
    if proposal.kind == "switch_goal" and proposal.goal is not None:
        return f"Switch to {proposal.goal.title or format.humanize(proposal.goal.name)}"
    if proposal.kind == "budget":
        return "Continue past the budget"
    if proposal.kind == "end":
        return "End this chat"
    again = " again" if proposal.kind == "lost_result" else ""
    return f"{format.humanize(proposal.tool)}{again}"


def render_card(app: PageApp, session: SessionState, waiting: Sequence[Proposal]) -> None:
    """The card. Its buttons are disabled while a click is on its way."""
    with st.container(border=True, key=f"card-{waiting[0].id}"):
        if len(waiting) == 1:
            _single(app, session, waiting[0])
        else:
            _several(app, session, waiting)


def _single(app: PageApp, session: SessionState, proposal: Proposal) -> None:
    yes, no = _LABELS[proposal.kind]
    pending = proposal.id in session.decided
    st.markdown(_heading(proposal))
    if proposal.id in session.editing and not pending:
        submit = (app, session, proposal)
        argument_form.render_form(session, proposal, "Confirm these values", actions.confirm_edited, submit)
        return
    arguments = session.edited.get(proposal.id, proposal.arguments)
    _arguments(proposal, arguments)
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.button(
            yes,
            key=f"confirm-{proposal.id}",
            type="primary",
            icon=_YES,
            disabled=pending,
            on_click=actions.decide,
            args=(app, session, proposal.id, "confirm"),
        )
        st.button(
            no,
            key=f"decline-{proposal.id}",
            icon=_NO,
            disabled=pending,
            on_click=actions.decide,
            args=(app, session, proposal.id, "decline"),
        )
        if pending:
            st.caption("Sent …", width="content")
        elif proposal.kind == "tool":
            _edit_button(session, proposal)
            _decline_with_reason(app, session, proposal)
            rules_list.render_offer(app, session, proposal)
            share.render_offer(app, session, proposal)


def _several(app: PageApp, session: SessionState, waiting: Sequence[Proposal]) -> None:
    pending = any(proposal.id in session.decided for proposal in waiting)
    st.markdown(f"**{len(waiting)} things to decide** :small[:gray[What you leave unticked is declined.]]")
    ticked = 0
    for proposal in waiting:
        with st.container(key=f"choice-{proposal.id}", gap="xxsmall"):
            with st.container(horizontal=True, gap="small", vertical_alignment="center"):
                key = actions.tick_key(proposal)
                st.session_state.setdefault(key, proposal.effect == "read")
                ticked += st.checkbox(f"**{format.escape(title(proposal))}**", key=key, disabled=pending)
                if not pending and proposal.id not in session.editing:
                    _edit_button(session, proposal)
            st.markdown(f":small[:gray[{_EFFECTS[proposal.effect]}]]")
            if proposal.id in session.editing and not pending:
                submit = (session, proposal)
                argument_form.render_form(session, proposal, "Use these values", actions.keep_edited, submit)
            else:
                _arguments(proposal, session.edited.get(proposal.id, proposal.arguments))
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        first = waiting[0].id
        editing = any(proposal.id in session.editing for proposal in waiting)
        args = (app, session, tuple(waiting))
        st.button(
            f"Confirm {ticked} of {len(waiting)}",
            key=f"confirm-{first}",
            type="primary",
            icon=_YES,
            disabled=pending or editing or not ticked,
            help="Finish or discard your changes first." if editing else None,
            on_click=actions.decide_ticked,
            args=args,
        )
        st.button(
            "Decline all",
            key=f"decline-{first}",
            icon=_NO,
            disabled=pending,
            on_click=actions.decline_all,
            args=args,
        )
        if pending:
            st.caption("Sent …", width="content")


def _heading(proposal: Proposal) -> str:
    effect = f" :small[:gray[{_EFFECTS[proposal.effect]}]]" if proposal.kind == "tool" else ""
    return f"**{format.escape(title(proposal))}**{effect}"


def _arguments(proposal: Proposal, arguments: dict[str, Json]) -> None:
    if arguments:
        results.render_pairs(results.named_values(arguments, proposal.parameters))
    if arguments != proposal.arguments:
        st.caption("Edited by you.")


def _edit_button(session: SessionState, proposal: Proposal) -> None:
    if argument_form.has_fields(proposal):
        args = (session, proposal.id)
        icon = ":material/edit:"
        st.button("Edit", key=f"edit-{proposal.id}", type="tertiary", icon=icon, on_click=actions.edit, args=args)


def _decline_with_reason(app: PageApp, session: SessionState, proposal: Proposal) -> None:
    key = f"reason-{proposal.id}"
    with st.popover("Decline with a reason", type="tertiary", key=f"why-{proposal.id}"):
        st.text_input("Reason (optional)", key=key, max_chars=500)
        args = (app, session, proposal.id, "decline", key)
        st.button("Decline", key=f"decline-why-{proposal.id}", on_click=actions.decide, args=args)
