"""What every tab knows of one chat, kept up to date by one background task for all of them."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from agent.client import Attempt, ChatClient, Snapshot
from agent.errors import ChatError, ChatNotFound, NoWorker
from agent.messages import ChatView, Decision, Message, UserMessage
from agent.page.bridge import Bridge

_LOG = logging.getLogger(__name__)

UNUSED = 10.0
"""Seconds without a look after which the task ends; the next look begins it again."""

BUSY, IDLE, TROUBLED = 0.08, 1.0, 0.7
"""Seconds between two questions to the server: while something runs, while the person is awaited, after an error."""

SLOW = 5.0
_SCREENFUL = 12
_UNFORESEEN = "This page cannot read the chat; its log says why. It keeps trying; nothing is lost."


@dataclass(frozen=True)
class State:
    """One consistent picture of a chat. `messages` are all that were loaded, of several runs, oldest first."""

    messages: tuple[Message, ...] = ()
    view: ChatView | None = None
    run_id: str = ""
    run_status: str = "running"
    attempt: Attempt | None = None
    worker: str = "unknown"
    trouble: ChatError | None = None
    previous_run_id: str = ""
    asked_at: float | None = None
    failure: str = ""

    @property
    def ended(self) -> bool:
        return self.run_status != "running" or (self.view is not None and self.view.status == "ended")

    @property
    def busy(self) -> bool:
        return not self.ended and self.view is not None and self.view.status in ("thinking", "running", "ending")

    @property
    def untouched(self) -> bool:
        """Whether the person has not said or decided anything yet."""
        if self.view is None or self.view.queued or self.previous_run_id:
            return False
        return not any(isinstance(message, UserMessage | Decision) for message in self.messages)

    @property
    def slow(self) -> bool:
        """Whether a question to the server has been open for longer than a person should have to wonder."""
        return self.asked_at is not None and time.monotonic() - self.asked_at > SLOW

    @property
    def drawn(self) -> tuple[object, ...]:
        """What the body of the page depends on; the line of status and the growing reply are drawn more often."""
        view = self.view
        seen = (view.revision, view.status, view.goal.name) if view else None
        missing = isinstance(self.trouble, ChatNotFound)
        return (self.run_id, self.run_status, len(self.messages), self.previous_run_id, seen, missing)


@dataclass
class Live:
    """The watched chat. `state` is replaced, never changed, so any thread may read it."""

    chat_id: str
    bridge: Bridge
    client: Callable[[], Awaitable[ChatClient]]
    state: State = field(default_factory=State)
    _looked: float = 0.0
    _task: "asyncio.Task[None] | None" = None
    _poked: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def idle(self) -> bool:
        """Whether nobody looks any more."""
        return self._task is None and time.monotonic() - self._looked > UNUSED

    def look(self) -> State:
        """The newest picture; keeps the background task alive."""
        self._looked = time.monotonic()
        if self._task is None:
            self.bridge.loop.call_soon_threadsafe(self._begin)
        return self.state

    def poke(self) -> None:
        """Something was just done: ask the server at once."""
        self._looked = time.monotonic()
        self.bridge.loop.call_soon_threadsafe(self._begin)
        self.bridge.loop.call_soon_threadsafe(self._poked.set)

    def load_earlier(self) -> None:
        """One more run of the past, if there is one."""
        self.bridge.run(self._earlier())

    def _begin(self) -> None:
        if self._task is None:
            self._task = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        try:
            while time.monotonic() - self._looked < UNUSED:
                self._poked.clear()  # before asking: what is done meanwhile is asked for again at once
                pause = await self._ask()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(pause):  # wait_for may swallow a cancellation
                        await self._poked.wait()
        finally:
            self._task = None

    async def _ask(self) -> float:
        """One question to the server; how long to wait before the next."""
        self.state = replace(self.state, asked_at=time.monotonic())
        try:
            snapshot = await (await self.client()).view(self.chat_id, self._last)
            await self._take(snapshot)
        except ChatError as trouble:
            worker = "missing" if isinstance(trouble, NoWorker) else self.state.worker
            self.state = replace(self.state, trouble=trouble, worker=worker, asked_at=None)
            return TROUBLED
        except Exception:
            _LOG.exception("The page could not read %s", self.chat_id)
            self.state = replace(self.state, trouble=ChatError(_UNFORESEEN), asked_at=None)
            return TROUBLED
        self.state = replace(self.state, asked_at=None)
        if snapshot.view is not None and snapshot.view.more:
            return 0.0
        return BUSY if self.state.busy else IDLE

    @property
    def _last(self) -> int:
        return self.state.messages[-1].seq if self.state.messages else 0

    async def _take(self, snapshot: Snapshot) -> None:
        state = replace(
            self.state,
            run_id=snapshot.run_id,
            run_status=snapshot.run_status,
            attempt=snapshot.attempt,
            worker=snapshot.worker,
            trouble=None,
        )
        view = snapshot.view
        if state.run_status == "failed" and not state.failure:
            state = replace(state, failure=await (await self.client()).failure(self.chat_id))
        if view is None:
            self.state = state
            return
        known = self._last
        first_look = self.state.view is None
        messages = (*state.messages, *(message for message in view.messages if message.seq > known))
        # Only the newest segment is asked for: what earlier runs said while nobody looked is fetched run by run.
        if not first_look and view.first_seq > known + 1 and view.previous_run_id:
            messages = await self._bridge_gap(known, view)
        self.state = replace(
            state,
            view=view,
            messages=messages,
            previous_run_id=view.previous_run_id if first_look else state.previous_run_id,
        )
        if first_look and len(messages) < _SCREENFUL and not view.more:
            await self._earlier()

    async def _bridge_gap(self, known: int, view: ChatView) -> tuple[Message, ...]:
        pieces, run_id, first = [list(view.messages)], view.previous_run_id, view.first_seq
        while run_id and first > known + 1:
            earlier = await (await self.client()).earlier(self.chat_id, run_id)
            pieces.insert(0, earlier.messages)
            run_id, first = earlier.previous_run_id, earlier.first_seq
        return (*self.state.messages, *(message for piece in pieces for message in piece if message.seq > known))

    async def _earlier(self) -> None:
        run_id = self.state.previous_run_id
        if not run_id:
            return
        earlier = await (await self.client()).earlier(self.chat_id, run_id)
        if self.state.previous_run_id != run_id:
            return
        first = self.state.messages[0].seq if self.state.messages else earlier.next_seq
        older = tuple(message for message in earlier.messages if message.seq < first)
        self.state = replace(
            self.state, messages=(*older, *self.state.messages), previous_run_id=earlier.previous_run_id
        )
