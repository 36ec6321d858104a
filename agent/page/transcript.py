"""The transcript: what was said, proposed, decided and returned, as blocks in order; one proposal is one step."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Literal

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from agent.messages import (
    AgentMessage,
    Decision,
    Instruction,
    Message,
    ModelUse,
    Notice,
    Proposal,
    ProposalMessage,
    ToolResult,
    UserMessage,
)
from agent.page import card, format, happened, message_actions, receipt, results
from agent.page.app import PageApp
from agent.page.session import SessionState
from agent.settings import SCRIPTED

AGENT_AVATAR = ":material/robot_2:"
_NOTICE_ICONS = {"info": ":material/info:", "warning": ":material/warning:", "error": ":material/error:"}
_VERDICTS = {
    "confirmed": (":material/check_circle:", "confirmed"),
    "declined": (":material/cancel:", "declined"),
    "withdrawn": (":material/undo:", "withdrawn by your next message"),
}


@dataclass
class Step:
    """One proposal and what became of it; parts that lie in a run not loaded yet are None."""

    id: str
    asked: ProposalMessage | None = None
    decision: Decision | None = None
    result: ToolResult | None = None

    @property
    def proposal(self) -> Proposal:
        if self.asked is not None:
            return self.asked.proposal
        done = self.decision or self.result
        return Proposal(id=self.id, tool=done.tool if done else "")


@dataclass(frozen=True)
class ModelChange:
    """From here on another model answers."""

    model: str


@dataclass(frozen=True)
class Replaced:
    """A reply that was written again later."""

    reply: AgentMessage


Block = UserMessage | AgentMessage | Notice | Step | ModelChange | Replaced


def blocks(messages: Iterable[Message], waiting: Sequence[Proposal] = ()) -> list[Block]:
    """All messages as blocks, in order; proposals that wait together are one block, which comes last."""
    messages = list(messages)
    replaced = {each.replaces for each in messages if isinstance(each, AgentMessage | ProposalMessage)}
    found: list[Block] = []
    steps: dict[str, Step] = {}

    def step(proposal_id: str) -> Step:
        if proposal_id not in steps:
            steps[proposal_id] = Step(proposal_id)
            found.append(steps[proposal_id])
        return steps[proposal_id]

    model = ""
    for message in messages:
        if isinstance(message, AgentMessage | ProposalMessage) and message.by is not None:
            if model and message.by.model != model:
                found.append(ModelChange(message.by.model))
            model = message.by.model
        match message:
            case ProposalMessage():
                step(message.proposal.id).asked = message
            case Decision():
                step(message.proposal_id).decision = message
            case ToolResult():
                step(message.proposal_id).result = message
            case Instruction():
                pass
            case AgentMessage() if message.seq in replaced:
                found.append(Replaced(message))
            case _:
                found.append(message)
    if not waiting:
        return found
    card_steps = [
        steps.get(proposal.id) or Step(proposal.id, ProposalMessage(proposal=proposal)) for proposal in waiting
    ]
    return [*(block for block in found if not any(block is one for one in card_steps)), card_steps[0]]


def newest(found: Sequence[Block], count: int) -> list[Block]:
    """The last blocks, at least `count`, cut at a multiple of ten so that drawing them again moves few."""
    return list(found[max(0, (len(found) - count) // 10 * 10) :])


def render_block(app: PageApp, session: SessionState, block: Block, waiting: Sequence[Proposal]) -> None:
    """One block of the transcript; the step of proposals that wait is their card."""
    match block:
        case UserMessage():
            if session.rewriting == block.seq:
                message_actions.render_rewriting(app, session, block)
            else:
                menu = partial(message_actions.render_menu, app, session, block.seq, block.text, own=True)
                render_bubble(str(block.seq), block.text, _clock(block.at), menu)
        case AgentMessage():
            _render_reply(app, session, block)
        case Replaced(reply):
            with st.expander(":material/history: An earlier reply, which was written again", type="compact"):
                st.markdown(format.safe_markdown(reply.text))
        case Notice():
            _render_notice(block)
        case ModelChange(model):
            name = "the demo model" if model.startswith(SCRIPTED) else format.escape(model)
            st.caption(f":material/swap_horiz: From here on: {name}")
        case Step():
            _render_step(app, session, block, waiting)


def render_bubble(key: str, text: str, note: str, menu: Callable[[], None] | None = None) -> None:
    """The person's words, letter by letter and never as Markdown, in a bubble on the right, with what can be done."""
    with st.container(key=f"bubble-{key}", horizontal_alignment="right", gap="xxsmall"):
        with st.chat_message("user", avatar=None, width="content"):
            st.text(text)
        if menu is None:
            st.caption(note, width="content")
        else:
            _render_small_print(note, menu, "right")


def _render_small_print(note: str, menu: Callable[[], None], align: Literal["left", "right"] = "left") -> None:
    """What stands below a message, and its menu."""
    with st.container(horizontal=True, horizontal_alignment=align, vertical_alignment="center", gap="xsmall"):
        st.caption(note, width="content")
        menu()


def render_partial_reply(text: str) -> DeltaGenerator:
    """A reply that is still being written; what is returned takes the rest of it (partial_reply)."""
    with st.chat_message("assistant", avatar=AGENT_AVATAR):
        return st.markdown(partial_reply(text))


def partial_reply(text: str) -> str:
    """So much of a reply, as Markdown, with the mark of one that grows."""
    return format.safe_markdown(text) + " ▍"


def is_scripted(use: ModelUse) -> bool:
    """Whether the built-in model answered: it has no price and nothing to tell it from."""
    return use.model.startswith(SCRIPTED)


def _clock(moment: datetime) -> str:
    """The time of day where the reader's browser is."""
    return format.time_of_day(moment, format.reader_zone(st.context.timezone))


def _render_reply(app: PageApp, session: SessionState, message: AgentMessage) -> None:
    happened.render_happened(str(message.seq), message.interruptions)
    with st.chat_message("assistant", avatar=AGENT_AVATAR):
        st.markdown(format.safe_markdown(message.text))
        stopped = ":material/stop_circle: Stopped · " if message.stopped else ""
        menu = partial(message_actions.render_menu, app, session, message.seq, message.text)
        _render_small_print(stopped + _byline(message.by, _clock(message.at)), menu)


def _render_notice(message: Notice) -> None:
    happened.render_happened(str(message.seq), message.interruptions)
    text = format.safe_markdown(message.text)
    icon = _NOTICE_ICONS[message.level]
    if message.level == "error":
        st.error(text, icon=icon)
    elif message.level == "warning":
        st.warning(text, icon=icon)
    else:
        st.caption(f"{icon} {text}")


def _render_step(app: PageApp, session: SessionState, step: Step, waiting: Sequence[Proposal]) -> None:
    """The agent's words, then the decision and the result, or the card."""
    if step.asked is not None:
        happened.render_happened(str(step.asked.seq), step.asked.interruptions)
    with st.chat_message("assistant", avatar=AGENT_AVATAR):
        if step.proposal.text:
            st.markdown(format.safe_markdown(step.proposal.text))
        if step.decision is not None:
            _render_decision(step, step.decision, app.visitor().label)
        elif waiting and waiting[0].id == step.id:
            card.render_card(app, session, waiting)
        if step.result is not None:
            happened.render_happened(str(step.result.seq), step.result.interruptions, step.proposal.effect)
            results.render_result(step.result)
        if step.asked is None:
            return
        by, note = step.asked.by, ""
        if by is not None and not is_scripted(by):
            note = _byline(by, _clock(step.asked.at))
        if step.result is not None:
            menu = partial(message_actions.render_menu, app, session, step.result.seq, step.proposal.text)
            _render_small_print(note or _clock(step.result.at), menu)
        elif note:
            st.caption(note)


def _render_decision(step: Step, decision: Decision, reader: str) -> None:
    icon, verb = _VERDICTS[decision.verdict]
    by = "" if decision.verdict == "withdrawn" else f" by {format.escape(receipt.who(decision, reader))}"
    arguments = decision.arguments or step.proposal.arguments
    when = _clock(decision.at)
    with st.expander(f"{icon} **{format.escape(card.title(step.proposal))}** {verb}{by} · {when}", type="compact"):
        if decision.reason:
            st.text(f"“{decision.reason}”")
        if arguments:
            results.render_pairs(results.named_values(arguments, step.proposal.parameters))
        else:
            st.caption("No arguments.")
        if step.asked is not None:
            with st.container(key=f"receipt-{step.id}"):
                results.render_pairs(receipt.pairs(step.proposal, decision, step.result, reader))


def _byline(use: ModelUse | None, time: str) -> str:
    """When, by which model, what it took; a price nobody knows is called unknown."""
    if use is None or is_scripted(use):
        return time
    pieces = [time, format.escape(use.model)]
    tokens = (use.prompt_tokens or 0) + (use.completion_tokens or 0)
    if tokens:
        pieces.append(f"{tokens:,} tokens")
        pieces.append("price unknown" if use.cost_usd is None else format.escape(format.cost(use.cost_usd)))
    line = " · ".join(pieces)
    return f"{line}  \n{format.escape(use.note)}" if use.note else line
