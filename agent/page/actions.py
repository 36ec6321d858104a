"""What clicks do. Only callbacks: they see every click, however fast two follow each other."""

import asyncio
import contextlib
import secrets
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Literal

import streamlit as st

from agent.client import ChatClient, new_chat_id
from agent.errors import ChatError, Unreadable
from agent.export import read_json
from agent.messages import LinkKind, Proposal, Verdict
from agent.page import edit_form
from agent.page.app import PageApp
from agent.page.outbox import OutgoingMessage
from agent.page.session import SessionState, show_address
from agent.visitor import OWNER

AT_ONCE = 0.5
"""Seconds that a click waits for the server; what takes longer is told later."""

CHAT, HOUR, AMOUNT = "Always in this chat", "For one hour", "Always in this chat, up to an amount"
"""How long, or for what, a rule holds."""


def send_anyway(app: PageApp, session: SessionState, text: str) -> None:
    """Send again, to be answered although it was said not to fit the goal."""
    app.outbox(session.chat_id).submit([OutgoingMessage(secrets.token_hex(16), text, insist=True)])


def say(app: PageApp, session: SessionState, text: str) -> None:
    """Send an answer that was offered."""
    app.outbox(session.chat_id).submit([OutgoingMessage(secrets.token_hex(16), text)])


def decide(
    app: PageApp, session: SessionState, proposal_id: str, verdict: Literal["confirm", "decline"], reason_key: str = ""
) -> None:
    """Confirm as proposed, or decline with the reason that was typed, if any."""
    chat_id = session.chat_id
    reason = str(st.session_state.get(reason_key, "")) if reason_key else ""
    if verdict == "confirm":
        done = _try(app, session, lambda client: client.confirm(chat_id, proposal_id))
    else:
        done = _try(app, session, lambda client: client.decline(chat_id, proposal_id, reason))
    if done:
        session.decision_sent(proposal_id)


def decide_ticked(app: PageApp, session: SessionState, waiting: Sequence[Proposal]) -> None:
    """Confirm what is ticked, with the values that were edited, and decline the rest."""
    ticked = {proposal.id for proposal in waiting if st.session_state.get(tick_key(proposal))}
    _decide_all(app, session, waiting, ticked)


def decline_all(app: PageApp, session: SessionState, waiting: Sequence[Proposal]) -> None:
    """Decline everything on the card."""
    _decide_all(app, session, waiting, set())


def _decide_all(app: PageApp, session: SessionState, waiting: Sequence[Proposal], ticked: set[str]) -> None:
    chat_id = session.chat_id
    verdicts = [
        Verdict(proposal_id=proposal.id, accepts=proposal.id in ticked, arguments=session.edited.get(proposal.id))
        for proposal in waiting
    ]
    if _try(app, session, lambda client: client.decide(chat_id, verdicts)):
        for proposal in waiting:
            session.decision_sent(proposal.id)


def confirm_edited(app: PageApp, session: SessionState, proposal: Proposal, form: list[edit_form.Field]) -> None:
    """Confirm with the arguments from the edit form."""
    if not _read_form(session, proposal, form):
        return
    chat_id, arguments = session.chat_id, session.edited.get(proposal.id)
    if _try(app, session, lambda client: client.confirm(chat_id, proposal.id, arguments)):
        session.decision_sent(proposal.id)


def keep_edited(session: SessionState, proposal: Proposal, form: list[edit_form.Field]) -> None:
    """Keep the arguments from the edit form until the whole card is decided."""
    if _read_form(session, proposal, form):
        session.editing.discard(proposal.id)
        st.session_state[tick_key(proposal)] = True


def _read_form(session: SessionState, proposal: Proposal, form: list[edit_form.Field]) -> bool:
    """Whether what was entered can be used; if not, the form says at which field, and why."""
    entered = [(field, st.session_state.get(argument_key(proposal, field))) for field in form]
    before = session.edited.get(proposal.id, proposal.arguments)
    session.unfit = None
    try:
        arguments = edit_form.edited(before, entered) or before
    except edit_form.UnfitValue as error:
        session.unfit = (argument_key(proposal, error.field), str(error))
        return False
    if arguments == proposal.arguments:
        session.edited.pop(proposal.id, None)
    else:
        session.edited[proposal.id] = arguments
    return True


def add_rule(app: PageApp, session: SessionState, proposal: Proposal, currency: str) -> None:
    """Confirm, and have the chat confirm what the chosen rule covers from now on."""
    chosen = st.session_state.get(rule_key(proposal))
    limits: dict[str, Any] = {}
    if chosen == HOUR:
        limits = {"seconds": 3600}
    elif chosen == AMOUNT:
        limits = {"most": f"{st.session_state.get(limit_key(proposal)) or 0:.2f}", "currency": currency}
    chat_id, rule_id = session.chat_id, secrets.token_hex(8)

    async def add(client: ChatClient) -> None:
        await client.add_rule(chat_id, proposal.tool, rule_id=rule_id, proposal_id=proposal.id, **limits)

    if _try(app, session, add):
        session.decision_sent(proposal.id)


def revoke_rule(app: PageApp, session: SessionState, rule_id: str) -> None:
    """Be asked again."""
    chat_id = session.chat_id
    _try(app, session, lambda client: client.revoke_rule(chat_id, rule_id))


def add_link(app: PageApp, session: SessionState, kind: LinkKind, seconds: int, proposal_id: str = "") -> None:
    """Make a link to this chat."""
    chat_id, link_id = session.chat_id, secrets.token_hex(8)

    async def add(client: ChatClient) -> None:
        await client.add_link(chat_id, kind, link_id=link_id, seconds=seconds, proposal_id=proposal_id)

    _try(app, session, add)


def revoke_link(app: PageApp, session: SessionState, link_id: str) -> None:
    """The link opens nothing any more."""
    chat_id = session.chat_id
    _try(app, session, lambda client: client.revoke_link(chat_id, link_id))


def take_over(app: PageApp, session: SessionState, chat_id: str, link_id: str) -> None:
    """Make the chat of a link this visitor's, and show it."""
    visitor = app.visitor()

    async def take(_: ChatClient) -> None:
        client = await app.client(OWNER)
        await client.hand_over(chat_id, link_id, visitor)
        for _attempt in range(30):
            if (await client.look(chat_id)).owner == visitor.id:
                return
            await asyncio.sleep(0.1)
        raise ChatError("The chat was not handed over yet. If it does not appear among yours, ask for a new link.")

    try:
        app.call(take)
    except ChatError as error:
        session.problem = str(error)
        return
    app.refresh_chats()
    open_chat(session, chat_id)


def tick_key(proposal: Proposal) -> str:
    """The key of the tick of one of several proposals."""
    return f"tick-{proposal.id}"


def rule_key(proposal: Proposal) -> str:
    """The key of the choice of a rule."""
    return f"rule-for-{proposal.id}"


def limit_key(proposal: Proposal) -> str:
    """The key of a rule's largest amount."""
    return f"rule-limit-{proposal.id}"


def argument_key(proposal: Proposal, field: edit_form.Field) -> str:
    """The key of the widget that edits this argument."""
    return f"edit-{proposal.id}-{field.key}"


def edit(session: SessionState, proposal_id: str) -> None:
    """Open the edit form, or close it."""
    session.editing ^= {proposal_id}
    session.unfit = None


def new_chat(session: SessionState, goal: str) -> None:
    """Show the first screen, with this goal; a chat begins there with the first message."""
    session.open("")
    show_address(**({"goal": goal} if goal else {}))


def begin_chat(app: PageApp, session: SessionState, goal: str, text: str) -> None:
    """Say something on the first screen."""
    app.outbox(session.draft).submit([OutgoingMessage(secrets.token_hex(16), text, goal=goal)])
    session.begin(goal)
    show_address(chat=session.chat_id)


def open_chat(session: SessionState, chat_id: str) -> None:
    """Show a chat of the list."""
    session.open(chat_id)
    show_address(chat=chat_id)


def delete_chat(app: PageApp, session: SessionState) -> None:
    """Delete this chat, and show the first screen."""
    chat_id, session.panel = session.chat_id, ""
    try:
        app.call(lambda client: client.delete(chat_id))
    except ChatError as error:
        session.problem = f"Not deleted: {error}"
        return
    app.forget(chat_id)
    new_chat(session, "")


def ask_to_end(session: SessionState) -> None:
    """Ask whether to end this chat, or ask no longer."""
    session.ending = not session.ending


def end_chat(app: PageApp, session: SessionState) -> None:
    """End this chat."""
    chat_id, session.ending = session.chat_id, False
    _try(app, session, lambda client: client.end(chat_id))
    app.refresh_chats()


def stop(app: PageApp, session: SessionState) -> None:
    """Stop the reply that is being written."""
    chat_id = session.chat_id
    _try(app, session, lambda client: client.stop(chat_id))


def regenerate(app: PageApp, session: SessionState, seq: int) -> None:
    """Have the newest reply written again."""
    chat_id = session.chat_id
    _try(app, session, lambda client: client.regenerate(chat_id, seq))


def retry_now(app: PageApp, session: SessionState) -> None:
    """Have the step that waits for its next attempt tried at once."""
    chat_id = session.chat_id
    _try(app, session, lambda client: client.retry_now(chat_id))


def choose(app: PageApp, session: SessionState, key: str, seq: int, text: str) -> None:
    """What was chosen from the menu of a message."""
    match st.session_state.get(key):
        case "Copy":
            session.copied = (session.copied[0] + 1, text)
        case "Edit and send again":
            session.rewriting = seq
        case "Fork from here":
            fork(app, session, seq)


def stop_rewriting(session: SessionState) -> None:
    """Leave the message as it is."""
    session.rewriting = 0


def send_rewritten(app: PageApp, session: SessionState, key: str) -> None:
    """Send the edited message in a new chat, which begins with everything that was said before it."""
    fork(app, session, session.rewriting - 1, str(st.session_state.get(key) or ""))


def fork(app: PageApp, session: SessionState, seq: int, text: str = "") -> None:
    """Go on in a new chat from the message `seq`; the page goes there once it has begun."""
    if session.next_chat:
        return
    source, chat_id, message_id = session.chat_id, new_chat_id(), secrets.token_hex(16)

    async def begin(client: ChatClient) -> None:
        await client.fork(source, chat_id, seq=seq, text=text, message_id=message_id)

    if _try(app, session, begin):
        session.next_chat = chat_id
        app.refresh_chats()


def import_chat(app: PageApp, session: SessionState, key: str) -> None:
    """Show the chat of an exported file; it can be read, and forked."""
    file, chat_id = st.session_state.get(key), new_chat_id()
    if file is None or session.next_chat:
        return
    try:
        transcript = read_json(file.getvalue())
    except Unreadable as error:
        session.problem = str(error)
        return
    if _try(app, session, lambda client: client.import_chat(chat_id, transcript)):
        session.next_chat, session.panel = chat_id, ""
        app.refresh_chats()


def rename(app: PageApp, session: SessionState, key: str) -> None:
    """Give the chat another title."""
    chat_id, title, session.panel = session.chat_id, str(st.session_state.get(key) or ""), ""
    _try(app, session, lambda client: client.rename(chat_id, title))
    app.refresh_chats()


def repair(app: PageApp, session: SessionState) -> None:
    """Bring a wedged chat back to where its history holds."""
    chat_id = session.chat_id
    _try(app, session, lambda client: client.repair(chat_id))


def pick_model(app: PageApp, session: SessionState, key: str) -> None:
    """Answer with the selected model from now on."""
    chat_id, model = session.chat_id, str(st.session_state.get(key) or "")
    _try(app, session, lambda client: client.set_model(chat_id, model))


def show_earlier(app: PageApp, session: SessionState, loaded: bool) -> None:
    """Draw more of what is loaded, or load the previous run."""
    session.shown += 40
    if not loaded:
        try:
            app.watcher(session.chat_id).load_earlier()
        except ChatError as error:
            session.problem = str(error)


def _try(app: PageApp, session: SessionState, request: Callable[[ChatClient], Coroutine[Any, Any, object]]) -> bool:
    """Whether it was received, or is on its way: the page never waits for a server that stands still. If not, it says why.

    One after another: what is clicked while something is on its way leaves after it.
    """
    session.problem, session.outage_at = "", None
    visitor = app.visitor()
    watcher, before = app.watcher(session.chat_id), session.sending
    if watcher.state.view is not None:
        session.dropped = watcher.state.view.dropped.count

    async def send() -> None:
        if before is not None:
            await asyncio.wait([asyncio.wrap_future(before)])
        await request(await app.client(visitor))
        watcher.refresh()

    session.sending = app.loop.spawn(send())
    with contextlib.suppress(TimeoutError, ChatError):
        session.sending.result(AT_ONCE)
    session.settle()
    watcher.refresh()
    return not session.problem
