"""Rules: what a card offers beside Confirm, and the list that shows those in force and revokes them."""

from datetime import UTC, datetime, tzinfo
from decimal import Decimal

import streamlit as st

from agent import rules
from agent.messages import EPOCH, Proposal, Rule
from agent.page import actions, format
from agent.page.app import PageApp
from agent.page.session import SessionState
from agent.page.watcher import ChatState


def render_offer(app: PageApp, session: SessionState, proposal: Proposal) -> None:
    """Confirm, and not be asked again. Not offered for what cannot be retried."""
    if proposal.kind != "tool" or proposal.effect == "once":
        return
    tool, found = format.escape(format.humanize(proposal.tool)), rules.amounts(proposal.parameters, proposal.arguments)
    amount, currency = found[0] if found else (None, "")
    with st.popover("Don't ask again", type="tertiary", key=f"rule-{proposal.id}"):
        limited = amount is not None and bool(currency)
        choices = [actions.AMOUNT, actions.HOUR, actions.CHAT] if limited else [actions.CHAT, actions.HOUR]
        st.radio(f"Confirm “{tool}” from now on", choices, key=actions.rule_key(proposal))
        if limited and amount is not None:
            label = f"At most, each time ({format.escape(currency)})"
            st.number_input(label, value=float(amount), min_value=0.01, key=actions.limit_key(proposal))
        st.button(
            "Confirm, and don't ask again",
            key=f"confirm-rule-{proposal.id}",
            type="primary",
            on_click=actions.add_rule,
            args=(app, session, proposal, currency),
        )
        st.caption("The list beside the chat shows your rules and revokes them.")


def render_rules(app: PageApp, session: SessionState, state: ChatState, zone: tzinfo | None = None) -> None:
    """The rules in force, each with Revoke; nothing where there are none."""
    current = rules.in_force(state.view.rules, datetime.now(UTC)) if state.view and not state.ended else []
    if not current:
        return
    with st.container(key="rules", gap="xxsmall"):
        st.caption("Confirmed by your rules")
        for rule in current:
            with st.container(key=f"rule-row-{rule.id}", horizontal=True, vertical_alignment="center", gap="small"):
                st.markdown(sentence(rule, zone))
                st.button(
                    "Revoke",
                    key=f"revoke-{rule.id}",
                    type="tertiary",
                    icon=":material/block:",
                    on_click=actions.revoke_rule,
                    args=(app, session, rule.id),
                )


def sentence(rule: Rule, zone: tzinfo | None = None) -> str:
    """**Create invoice**, up to $200.00 each, until 15:02."""
    limit = f", up to {format.escape(format.money(Decimal(rule.most), rule.currency))} each" if rule.most else ""
    until = "" if rule.until == EPOCH else f", until {format.time_of_day(rule.until, zone)}"
    return f"**{format.escape(format.humanize(rule.tool))}**{limit}{until}"
