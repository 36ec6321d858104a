"""Draws one proposal: as a card while it waits, as a line of the timeline with its result once it is decided."""

import streamlit as st

from agent.messages import Decision, Proposal
from agent.page import card, result_view, words
from agent.page.bubbles import AGENT, byline, reader_zone, scripted
from agent.page.desk import Desk
from agent.page.tab import Tab
from agent.page.transcript import Step

_VERDICTS = {
    "confirmed": (":material/check_circle:", "confirmed"),
    "declined": (":material/cancel:", "declined"),
    "withdrawn": (":material/undo:", "withdrawn by what you said next"),
}


def step(desk: Desk, tab: Tab, shown: Step, waiting: Proposal | None) -> None:
    """Words of the agent, then what was decided and what came of it, or the card."""
    with st.chat_message("assistant", avatar=AGENT):
        if shown.proposal.text:
            st.markdown(words.prose(shown.proposal.text))
        if shown.decision is not None:
            _decided(shown, shown.decision)
        elif waiting is not None and waiting.id == shown.id:
            card.card(desk, tab, waiting)
        if shown.result is not None:
            result_view.result(shown.result)
        if shown.asked is not None and shown.asked.by is not None and not scripted(shown.asked.by):
            st.caption(byline(shown.asked.by, words.clock(shown.asked.at, reader_zone())))


def _decided(shown: Step, decision: Decision) -> None:
    icon, verb = _VERDICTS[decision.verdict]
    who = {"": " by you", "settings": " by the settings"}.get(decision.who, f" by {words.literal(decision.who)}")
    by = "" if decision.verdict == "withdrawn" else who
    arguments = decision.arguments or shown.proposal.arguments
    when = words.clock(decision.at, reader_zone())
    label = f"{icon} **{words.literal(card.title(shown.proposal))}** {verb}{by} · {when}"
    with st.expander(label, type="compact"):
        if decision.reason:
            st.text(f"“{decision.reason}”")
        if arguments:
            result_view.pairs(card.in_words(arguments))
        else:
            st.caption("Nothing to fill in.")
        if decision.verdict == "confirmed" and arguments != shown.proposal.arguments and shown.asked is not None:
            st.caption("Changed by the person. Proposed was:")
            result_view.pairs(card.in_words(shown.proposal.arguments))
