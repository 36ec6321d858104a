"""The card of a proposal that waits: its arguments, Confirm, Decline, and the widgets of its edit form."""

from datetime import date, datetime

import streamlit as st

from agent.messages import Proposal
from agent.page import actions, edit_form, format, results
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


def render_card(app: PageApp, session: SessionState, proposal: Proposal) -> None:
    """The card. Its buttons are disabled while a click is on its way."""
    yes, no = _LABELS[proposal.kind]
    pending = proposal.id in session.decided
    form = edit_form.fields(proposal.parameters, proposal.arguments) if proposal.kind == "tool" else []
    with st.container(border=True, key=f"card-{proposal.id}"):
        effect = f" :small[:gray[{_EFFECTS[proposal.effect]}]]" if proposal.kind == "tool" else ""
        st.markdown(f"**{format.escape(title(proposal))}**{effect}")
        if proposal.id in session.editing and not pending:
            _form(app, session, proposal, form)
            return
        if proposal.arguments:
            results.render_pairs(results.named_values(proposal.arguments))
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            st.button(
                yes,
                key=f"confirm-{proposal.id}",
                type="primary",
                icon=":material/check:",
                disabled=pending,
                on_click=actions.decide,
                args=(app, session, proposal.id, "confirm"),
            )
            st.button(
                no,
                key=f"decline-{proposal.id}",
                icon=":material/close:",
                disabled=pending,
                on_click=actions.decide,
                args=(app, session, proposal.id, "decline"),
            )
            if pending:
                st.caption("Sent …", width="content")
            elif proposal.kind == "tool":
                if form:
                    _edit_button(session, proposal, "Edit", ":material/edit:")
                _decline_with_reason(app, session, proposal)


def _decline_with_reason(app: PageApp, session: SessionState, proposal: Proposal) -> None:
    key = f"reason-{proposal.id}"
    with st.popover("Decline with a reason", type="tertiary", key=f"why-{proposal.id}"):
        st.text_input("Reason (optional)", key=key, max_chars=500)
        args = (app, session, proposal.id, "decline", key)
        st.button("Decline", key=f"decline-why-{proposal.id}", on_click=actions.decide, args=args)


def _edit_button(session: SessionState, proposal: Proposal, label: str, icon: str) -> None:
    key = f"edit-{proposal.id}"
    st.button(label, key=key, type="tertiary", icon=icon, on_click=actions.edit, args=(session, proposal.id))


def _form(app: PageApp, session: SessionState, proposal: Proposal, form: list[edit_form.Field]) -> None:
    with st.form(f"form-{proposal.id}", border=False, enter_to_submit=False):
        for field in form:
            _widget(proposal, field)
        st.form_submit_button(
            "Confirm these values",
            key=f"confirm-edited-{proposal.id}",
            type="primary",
            icon=":material/check:",
            on_click=actions.confirm_edited,
            args=(app, session, proposal, form),
        )
    _edit_button(session, proposal, "Discard changes", ":material/undo:")


def _widget(proposal: Proposal, field: edit_form.Field) -> None:
    label, key, note = (
        format.escape(field.label),
        actions.argument_key(proposal, field),
        format.escape(field.help) or None,
    )
    match field.kind:
        case "choice":
            choices = list(field.choices)
            index = choices.index(field.value) if field.value in choices else None
            st.selectbox(label, choices, index=index, key=key, help=note)
        case "flag":
            st.checkbox(label, value=bool(field.value), key=key, help=note)
        case "whole":
            whole = int(field.value) if _is_number(field.value) else None
            st.number_input(label, value=whole, step=1, key=key, help=note)
        case "number":
            number = float(field.value) if _is_number(field.value) else None
            st.number_input(label, value=number, key=key, help=note)
        case "day":
            st.date_input(label, value=_day(field.value), key=key, help=note, format="YYYY-MM-DD")
        case "lines":
            lines = "\n".join(str(item) for item in field.value or [])
            st.text_area(f"{label} (one a line)", value=lines, key=key, help=note)
        case _:
            text = "" if field.value is None else str(field.value)
            st.text_input(label, value=text, key=key, help=note)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _day(value: object) -> date | None:
    try:
        return datetime.fromisoformat(str(value)).date()
    except ValueError:
        return None
