"""The edit form of a proposal: a widget for each value, and beside it what is wrong with what was entered."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import streamlit as st

from agent.messages import Proposal
from agent.page import actions, edit_form, format
from agent.page.session import SessionState


def has_fields(proposal: Proposal) -> bool:
    """Whether there is anything that a person can edit."""
    return proposal.kind == "tool" and bool(edit_form.fields(proposal.parameters, proposal.arguments))


def render_form(
    session: SessionState, proposal: Proposal, label: str, on_submit: Callable[..., None], args: tuple[Any, ...]
) -> None:
    """The form. Enter submits nothing; `on_submit` is called with the arguments and the fields."""
    arguments = session.edited.get(proposal.id, proposal.arguments)
    form = edit_form.fields(proposal.parameters, arguments)
    with st.form(f"form-{proposal.id}", border=False, enter_to_submit=False):
        for field in form:
            _widget(proposal, field)
            if session.unfit is not None and session.unfit[0] == actions.argument_key(proposal, field):
                st.markdown(f":red[:material/error: {format.escape(session.unfit[1])}]")
        st.form_submit_button(
            label,
            key=f"confirm-edited-{proposal.id}",
            type="primary",
            icon=":material/check:",
            on_click=on_submit,
            args=(*args, form),
        )
    undo, icon = f"edit-{proposal.id}", ":material/undo:"
    st.button(
        "Discard changes", key=undo, type="tertiary", icon=icon, on_click=actions.edit, args=(session, proposal.id)
    )


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
