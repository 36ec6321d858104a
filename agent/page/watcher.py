"""Watches one chat for all sessions that show it: one background task that asks the server what is new."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from agent.client import Attempt, ChatClient, Snapshot
from agent.errors import ChatError, ChatNotFound, ChatWedged, NoWorker
from agent.messages import ChatView, Decision, Message, UserMessage
from agent.page.loop import BackgroundLoop

_LOG = logging.getLogger(__name__)

UNUSED = 10.0
"""Seconds without a reader after which the task ends; the next reader starts it again."""

BUSY, IDLE, AFTER_ERROR = 0.08, 1.0, 0.7
"""Seconds between two requests to the server: while something runs, while it is the person's turn, after an error."""

SLOW = 5.0
"""Seconds after which a request without an answer is mentioned."""

_SCREENFUL = 12
_UNEXPECTED = "This page cannot read the chat; its log says why. It keeps trying; nothing is lost."


@dataclass(frozen=True)
class ChatState:
    """A consistent snapshot of a chat. `messages` are all that were loaded, of several runs, oldest first."""

    messages: tuple[Message, ...] = ()
    view: ChatView | None = None
    run_id: str = ""
    run_status: str = "running"
    attempt: Attempt | None = None
    worker: str = "unknown"
    error: ChatError | None = None
    previous_run_id: str = ""
    requested_at: float | None = None
    answered_at: float = 0.0
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
        """Whether a request has gone unanswered for long enough that the person should be told."""
        return self.requested_at is not None and time.monotonic() - self.requested_at > SLOW

    @property
    def fingerprint(self) -> tuple[object, ...]:
        """What the body of the page depends on; the status line and a partial reply are drawn more often."""
        view = self.view
        shown = (view.revision, view.status, view.goal.name) if view else None
        lost = isinstance(self.error, ChatNotFound | ChatWedged)
        return (self.run_id, self.run_status, len(self.messages), self.previous_run_id, shown, lost)


@dataclass
class ChatWatcher:
    """`state` is replaced, never changed, so any thread may read it."""

    chat_id: str
    loop: BackgroundLoop
    client: Callable[[], Awaitable[ChatClient]]
    state: ChatState = field(default_factory=ChatState)
    _read_at: float = 0.0
    _task: "asyncio.Task[None] | None" = None
    _refresh: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def idle(self) -> bool:
        """Whether no session shows this chat any more."""
        return self._task is None and time.monotonic() - self._read_at > UNUSED

    def snapshot(self) -> ChatState:
        """The newest state; keeps the background task alive."""
        self._read_at = time.monotonic()
        if self._task is None:
            self.loop.call_soon(self._start)
        return self.state

    def refresh(self) -> None:
        """Something was just sent: ask the server now."""
        self._read_at = time.monotonic()
        self.loop.call_soon(self._start)
        self.loop.call_soon(self._refresh.set)

    def load_earlier(self) -> None:
        """Load one earlier run, if there is one."""
        self.loop.run(self._earlier())

    def _start(self) -> None:
        if self._task is None:
            self._task = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        try:
            while time.monotonic() - self._read_at < UNUSED:
                self._refresh.clear()  # before asking, so that what is sent meanwhile is asked for at once
                pause = await self._poll()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(pause):  # wait_for may swallow a cancellation
                        await self._refresh.wait()
        finally:
            self._task = None

    async def _poll(self) -> float:
        """One request to the server; how long to wait before the next."""
        self.state = replace(self.state, requested_at=time.monotonic())
        try:
            snapshot = await (await self.client()).view(self.chat_id, self._last_seq)
            if self._was_reset(snapshot):
                self.state = ChatState()  # some of what was read is no longer part of the chat
                return 0.0
            await self._apply(snapshot)
        except ChatError as error:
            worker = "missing" if isinstance(error, NoWorker) else self.state.worker
            self.state = replace(self.state, error=error, worker=worker, requested_at=None)
            return AFTER_ERROR
        except Exception:
            _LOG.exception("The page could not read %s", self.chat_id)
            self.state = replace(self.state, error=ChatError(_UNEXPECTED), requested_at=None)
            return AFTER_ERROR
        self.state = replace(self.state, requested_at=None)
        if snapshot.view is not None and snapshot.view.more:
            return 0.0
        return BUSY if self.state.busy else IDLE

    @property
    def _last_seq(self) -> int:
        return self.state.messages[-1].seq if self.state.messages else 0

    def _was_reset(self, snapshot: Snapshot) -> bool:
        """Whether this is another run in the place of the one that was read, as a repair leaves it; not its next run."""
        before, now = self.state.view, snapshot.view
        if before is None or now is None or snapshot.run_id == self.state.run_id:
            return False
        return now.previous_run_id == before.previous_run_id

    async def _apply(self, snapshot: Snapshot) -> None:
        state = replace(
            self.state,
            run_id=snapshot.run_id,
            run_status=snapshot.run_status,
            attempt=snapshot.attempt,
            worker=snapshot.worker,
            error=None,
            answered_at=time.monotonic(),
        )
        view = snapshot.view
        if state.run_status == "failed" and not state.failure:
            state = replace(state, failure=await (await self.client()).failure(self.chat_id))
        if view is None:
            self.state = state
            return
        known = self._last_seq
        first = self.state.view is None
        messages = (*state.messages, *(message for message in view.messages if message.seq > known))
        # Only the newest run was asked for: what earlier runs said while nobody was reading is fetched run by run.
        if not first and view.first_seq > known + 1 and view.previous_run_id:
            messages = await self._fill_gap(known, view)
        self.state = replace(
            state,
            view=view,
            messages=messages,
            previous_run_id=view.previous_run_id if first else state.previous_run_id,
        )
        if first and len(messages) < _SCREENFUL and not view.more:
            await self._earlier()

    async def _fill_gap(self, known: int, view: ChatView) -> tuple[Message, ...]:
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
