"""Draws the card of a proposal that waits: the arguments in words, Confirm, Decline, and a form to change them."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import streamlit as st

from agent.messages import Proposal
from agent.page import actions, fields, result_view, words
from agent.page.desk import Desk
from agent.page.tab import Tab

_LABELS = {
    "tool": ("Confirm", "Decline"),
    "switch_goal": ("Switch", "Stay"),
    "lost_result": ("Try again", "Treat as done"),
    "budget": ("Go on", "Stop here"),
}
_EFFECTS = {
    "read": "Only looks something up.",
    "idempotent": "Changes something, once for each confirmation.",
    "once": "Changes something.",
}


def title(proposal: Proposal) -> str:
    """What is asked, in a few words."""
    if proposal.kind == "switch_goal" and proposal.goal is not None:
        return f"Switch to {proposal.goal.title or words.spoken(proposal.goal.name)}"
    if proposal.kind == "budget":
        return "Go on past the budget"
    again = " again" if proposal.kind == "lost_result" else ""
    return f"{words.spoken(proposal.tool)}{again}"


def in_words(arguments: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Arguments as names and values for people."""
    currency = str(arguments.get("currency") or "")
    return tuple((words.spoken(name), words.value(name, value, currency)) for name, value in arguments.items())


def card(desk: Desk, tab: Tab, proposal: Proposal) -> None:
    """The card. While a click is on its way its buttons are off."""
    yes, no = _LABELS[proposal.kind]
    pending = proposal.id in tab.decided
    form = fields.fields(proposal.parameters, proposal.arguments) if proposal.kind == "tool" else []
    with st.container(border=True, key=f"card-{proposal.id}"):
        effect = f" :small[:gray[{_EFFECTS[proposal.effect]}]]" if proposal.kind == "tool" else ""
        st.markdown(f"**{words.literal(title(proposal))}**{effect}")
        if proposal.id in tab.editing and not pending:
            _form(desk, tab, proposal, form)
            return
        if proposal.arguments:
            result_view.pairs(in_words(proposal.arguments))
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            st.button(
                yes,
                key=f"confirm-{proposal.id}",
                type="primary",
                icon=":material/check:",
                disabled=pending,
                on_click=actions.decide,
                args=(desk, tab, proposal.id, "confirm"),
            )
            st.button(
                no,
                key=f"decline-{proposal.id}",
                icon=":material/close:",
                disabled=pending,
                on_click=actions.decide,
                args=(desk, tab, proposal.id, "decline"),
            )
            if pending:
                st.caption("Sent …", width="content")
            elif proposal.kind == "tool":
                if form:
                    _edit_button(tab, proposal, "Edit", ":material/edit:")
                _why_not(desk, tab, proposal)


def _why_not(desk: Desk, tab: Tab, proposal: Proposal) -> None:
    key = f"reason-{proposal.id}"
    with st.popover("Say why not", type="tertiary", key=f"why-{proposal.id}"):
        st.text_input("What speaks against it?", key=key, max_chars=500)
        args = (desk, tab, proposal.id, "decline", key)
        st.button("Decline for this reason", key=f"decline-why-{proposal.id}", on_click=actions.decide, args=args)


def _edit_button(tab: Tab, proposal: Proposal, label: str, icon: str) -> None:
    key = f"edit-{proposal.id}"
    st.button(label, key=key, type="tertiary", icon=icon, on_click=actions.edit, args=(tab, proposal.id))


def _form(desk: Desk, tab: Tab, proposal: Proposal, form: list[fields.Field]) -> None:
    with st.form(f"form-{proposal.id}", border=False, enter_to_submit=False):
        for field in form:
            _widget(proposal, field)
        st.form_submit_button(
            "Confirm these",
            key=f"confirm-edited-{proposal.id}",
            type="primary",
            icon=":material/check:",
            on_click=actions.confirm_edited,
            args=(desk, tab, proposal, form),
        )
    _edit_button(tab, proposal, "Back without changes", ":material/undo:")


def _widget(proposal: Proposal, field: fields.Field) -> None:
    label, key, note = (
        words.literal(field.label),
        actions.argument_key(proposal, field),
        words.literal(field.help) or None,
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
