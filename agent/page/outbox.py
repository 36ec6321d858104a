"""Outbox: the messages of one chat on their way to the server, in order, sent by themselves until they are durable."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Iterable
from dataclasses import dataclass, field, replace
from typing import Literal

from agent.client import ChatClient
from agent.errors import ChatClosed, ChatError, ChatNotFound, MessageRefused
from agent.messages import UserMessage, Verdict
from agent.page import intent
from agent.page.loop import BackgroundLoop
from agent.page.watcher import ChatState

_LOG = logging.getLogger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 0.2, 3.0
"""Seconds between two tries, doubled from the first to the longest."""

EXPIRY = 15.0
"""Seconds for which a chat has to be idle without showing a message before it is taken as ignored."""

REMEMBERED = 2_000
"""How many ids of delivered messages are remembered, so that none is sent again."""

PENDING = 500
"""How many messages of a chat may wait; a browser keeps what is beyond until there is room."""

_UNEXPECTED = "This page could not send the message; its log says why. It keeps trying."
_IGNORED = "The chat did not accept this message. Edit it and send it again, or discard it."


@dataclass(frozen=True)
class OutgoingMessage:
    """One message. Its id makes it count once, however often it is sent.

    proposals: those on the card that it decides, a plain yes or no typed with nothing else on its way; none for any
    other message. goal: if it may be the first message, the goal of the chat that it begins.
    state: `waiting` to be sent, `sent` = durable and not shown by the chat yet, `failed` = refused for good, see note.
    """

    id: str
    text: str
    proposals: tuple[str, ...] = ()
    insist: bool = False
    goal: str = ""
    state: Literal["waiting", "sent", "failed"] = "waiting"
    note: str = ""
    sent_at: float = 0.0


@dataclass
class Outbox:
    """One for each chat and process, for all sessions. `messages` is replaced, never changed: any thread may read it."""

    chat_id: str
    loop: BackgroundLoop
    client: Callable[[], Awaitable[ChatClient]]
    on_sent: Callable[[], None]
    begin: Callable[[ChatClient, OutgoingMessage], Awaitable[None]]
    messages: tuple[OutgoingMessage, ...] = ()
    _delivered: dict[str, None] = field(default_factory=dict)
    _idle_since: float = field(default_factory=time.monotonic)
    _task: "asyncio.Task[None] | None" = None

    @property
    def idle(self) -> bool:
        """Whether nothing is on its way and nothing needs to be remembered."""
        return not self.messages and not self._delivered

    def submit(self, messages: Iterable[OutgoingMessage]) -> None:
        """Add the messages that are new, in this order; never blocks."""
        known = {message.id for message in self.messages} | self._delivered.keys()
        new = [message for message in messages if message.id not in known]
        if new:
            self.loop.call_soon(lambda: self._add(new))

    def discard(self, ids: Collection[str]) -> None:
        """The person took these failed messages back."""
        failed = [message.id for message in self.messages if message.id in ids and message.state == "failed"]
        if failed:
            self.loop.call_soon(lambda: self._remove(failed))

    def delivered(self, ids: Iterable[str]) -> list[str]:
        """Those of these messages that are durable, or done with: nobody else needs to keep them."""
        return [message_id for message_id in ids if message_id in self._delivered]

    def reconcile(self, state: ChatState) -> tuple[OutgoingMessage, ...]:
        """The messages that the chat does not show yet; those that it shows are forgotten."""
        view = state.view
        if view is None:
            return self.messages
        recent = (*state.messages[-PENDING:], *view.queued)
        shown = {message.id for message in recent if isinstance(message, UserMessage)}
        waiting = {proposal.id for proposal in view.deciding}
        now = time.monotonic()
        if state.error is not None or state.worker == "missing" or state.busy or state.slow:
            self._idle_since = now
        expired = now - EXPIRY if self._idle_since < now - EXPIRY else 0.0
        remove: list[str] = []
        fail: list[str] = []
        for message in self.messages:
            if message.id in shown or (
                message.state == "sent" and message.proposals and not waiting.intersection(message.proposals)
            ):
                remove.append(message.id)
            elif message.state == "sent" and message.sent_at < expired:
                (remove if message.proposals else fail).append(message.id)
        if remove or fail:
            self.loop.call_soon(lambda: self._settle(remove, fail))
        return tuple(message for message in self.messages if message.id not in remove)

    def _add(self, new: Iterable[OutgoingMessage]) -> None:
        known = {message.id for message in self.messages} | self._delivered.keys()
        for message in new:
            if message.id not in known and len(self.messages) < PENDING:
                self.messages = (*self.messages, message)
        if self._task is None:
            self._task = asyncio.create_task(self._send_all())

    def _settle(self, remove: Collection[str], fail: Collection[str]) -> None:
        self._remove(remove)
        for message in self.messages:
            if message.id in fail:
                self._change(message.id, state="failed", note=_IGNORED)

    def _remove(self, ids: Collection[str]) -> None:
        for message_id in ids:
            self._remember(message_id)
        self.messages = tuple(message for message in self.messages if message.id not in ids)

    def _remember(self, message_id: str) -> None:
        self._delivered[message_id] = None
        while len(self._delivered) > REMEMBERED:
            del self._delivered[next(iter(self._delivered))]

    def _change(self, message_id: str, **changes: object) -> None:
        self.messages = tuple(
            replace(message, **changes) if message.id == message_id else message  # type: ignore[arg-type]
            for message in self.messages
        )

    async def _send_all(self) -> None:
        """One after another: the next leaves when the one before is durable or refused for good."""
        pause = FIRST_PAUSE
        try:
            while message := next((message for message in self.messages if message.state == "waiting"), None):
                note = await self._try(message)
                if not note:
                    pause = FIRST_PAUSE
                    continue
                self._change(message.id, note=note)
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
        finally:
            self._task = None

    async def _try(self, message: OutgoingMessage) -> str:
        """Why it has to be tried again, "" once it is durable or refused for good."""
        try:
            await self._send(await self.client(), message)
        except (MessageRefused, ChatClosed, ChatNotFound) as error:
            self._change(message.id, state="failed", note=str(error))
        except ChatError as error:
            return str(error)
        except Exception:
            _LOG.exception("A message could not be sent", extra={"chat": self.chat_id})
            return _UNEXPECTED
        else:
            self._remember(message.id)
            self._change(message.id, state="sent", note="", sent_at=time.monotonic())
            self.on_sent()
        return ""

    async def _send(self, client: ChatClient, message: OutgoingMessage) -> None:
        verdict = intent.verdict(message.text) if message.proposals else ""
        if verdict and len(message.proposals) > 1:
            verdicts = [Verdict(proposal_id=one, accepts=verdict == "confirm") for one in message.proposals]
            await client.decide(self.chat_id, verdicts)
        elif verdict == "confirm":
            await client.confirm(self.chat_id, message.proposals[0])
        elif verdict == "decline":
            await client.decline(self.chat_id, message.proposals[0])
        elif message.goal:
            await self.begin(client, message)
        else:
            await client.send(self.chat_id, message.text, message.id, insist=message.insist)
