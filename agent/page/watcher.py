"""Watches one chat for all sessions that show it: one background task that looks whether something is new."""

import asyncio
import contextlib
import functools
import logging
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from agent.client import WORKER_LOOK, Attempt, ChatClient, Look, RunStatus
from agent.errors import ChatError, ChatNotFound, ChatWedged, KeyMissing, NoWorker
from agent.messages import ChatView, Message
from agent.page.loop import BackgroundLoop

_LOG = logging.getLogger(__name__)

UNUSED = 10.0
"""Seconds without a reader after which the task ends; the next reader starts it again."""

BUSY, TASK_DUE, IDLE, LONG_IDLE, HIDDEN, AFTER_ERROR = 0.08, 0.02, 1.0, 3.0, 2.0, 0.7
"""Seconds between two looks: while something runs, while a worker takes up what happened, while it is the person's turn,
the same half a minute later, while no tab is visible that shows the chat, and after an error."""

LONG, UNSEEN = 30.0, 5.0
"""Seconds without an event after which a chat is long idle, and without a visible reader after which it is hidden."""

LOOKS = 50.0
"""Looks a second at all chats together; with many busy chats, each is looked at less often."""

TASK_PATIENCE = 0.5
"""Seconds for which a worker may take up what happened before it is asked all the same."""

WORKER_AGE = 5.0
"""While nobody waits for a worker: how old the look at the workers may be, in seconds."""

LONGEST_RETRY = 8.0
"""Seconds at most between two questions to workers that seem to be gone; one that appears is asked at once."""

KEYLESS = 30.0
"""Seconds between two questions about a chat whose key is missing: only a restart of a page or a worker brings it."""

SLOW = 5.0
"""Seconds after which a request without an answer is mentioned."""

_SCREENFUL = 12
_UNEXPECTED = "This page cannot read the chat; its log says why. It keeps trying; nothing is lost."


@dataclass(frozen=True)
class ChatState:
    """A consistent snapshot of a chat. `messages` are all that were loaded, of several runs, oldest first.

    owner: whose chat it is, None until the server has said so; nothing else of it is known before.
    """

    messages: tuple[Message, ...] = ()
    view: ChatView | None = None
    run_id: str = ""
    run_status: RunStatus = "running"
    attempt: Attempt | None = None
    worker: str = "unknown"
    error: ChatError | None = None
    previous_run_id: str = ""
    requested_at: float | None = None
    answered_at: float = 0.0
    failure: str = ""
    owner: str | None = None

    @property
    def ended(self) -> bool:
        return self.run_status != "running" or (self.view is not None and self.view.status == "ended")

    @property
    def busy(self) -> bool:
        return not self.ended and self.view is not None and self.view.status in ("thinking", "running", "ending")

    @property
    def slow(self) -> bool:
        """Whether a request has gone unanswered for long enough that the person should be told."""
        return self.requested_at is not None and time.monotonic() - self.requested_at > SLOW

    @property
    def retries(self) -> bool:
        """Whether a step has failed, and waits for its next attempt."""
        return self.busy and self.attempt is not None and self.attempt.next_in is not None

    @functools.cached_property
    def fingerprint(self) -> tuple[object, ...]:
        """What the body of the page depends on; the status line and a partial reply are drawn more often."""
        view = self.view
        shown = (view.revision, view.status, view.goal.name) if view else None
        lost = isinstance(self.error, ChatNotFound | ChatWedged | KeyMissing)
        return (self.run_id, self.run_status, len(self.messages), self.previous_run_id, shown, lost, self.retries)


@dataclass
class ChatWatcher:
    """`state` is replaced, never changed, so any thread may read it.

    A look at the server costs no Action of Temporal Cloud, a query does. So the chat is looked at, and its worker is
    asked only when its history has moved; an ended chat is read once. _position: of the history that was read last.
    """

    chat_id: str
    loop: BackgroundLoop
    client: Callable[[], Awaitable[ChatClient]]
    state: ChatState = field(default_factory=ChatState)
    _read_at: float = 0.0
    _seen_at: float = 0.0
    _moved_at: float = field(default_factory=time.monotonic)
    _retry_at: float = 0.0
    _retry: float = 0.0
    _position: tuple[str, int, str] | None = None
    _seen_position: tuple[str, int, str] | None = None
    _task: "asyncio.Task[None] | None" = None
    _refresh: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def idle(self) -> bool:
        """Whether no session shows this chat any more."""
        return self._task is None and not self._is_used

    @property
    def calm(self) -> bool:
        """Whether nothing has happened for a while."""
        return time.monotonic() - self._moved_at > LONG

    @property
    def _is_used(self) -> bool:
        return time.monotonic() - self._read_at < UNUSED

    def snapshot(self, *, visible: bool = True) -> ChatState:
        """The newest state; keeps the background task alive. visible: somebody can see it."""
        self._read_at = time.monotonic()
        if visible:
            self._seen_at = self._read_at
        if self._task is None:
            self.loop.call_soon(self._start)
        return self.state

    def refresh(self) -> None:
        """Something was just sent: ask the server now."""
        self._read_at = self._seen_at = self._moved_at = time.monotonic()
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
            while self._is_used:
                self._refresh.clear()  # before asking, so that what is sent meanwhile is asked for at once
                await self._wait(await self._poll())
        finally:
            self._task = None

    async def _wait(self, pause: float) -> None:
        """Until the pause is over, something was sent, or nobody reads any more."""
        end = time.monotonic() + pause
        while self._is_used and (left := end - time.monotonic()) > 0:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(left, UNUSED)):  # wait_for may swallow a cancellation
                    await self._refresh.wait()
                    return

    async def _poll(self) -> float:
        """Look at the chat, and ask its worker if something has happened; how long to wait before the next look."""
        self.state = replace(self.state, requested_at=time.monotonic())
        try:
            return await self._look()
        except ChatError as error:
            worker = "missing" if isinstance(error, NoWorker) else self.state.worker
            self.state = replace(self.state, error=error, worker=worker)
            return KEYLESS if isinstance(error, KeyMissing) else AFTER_ERROR
        except Exception:
            _LOG.exception("The page could not read a chat", extra={"chat": self.chat_id})
            self.state = replace(self.state, error=ChatError(_UNEXPECTED))
            return AFTER_ERROR
        finally:
            self.state = replace(self.state, requested_at=None)

    async def _look(self) -> float:
        client = await self.client()
        waits = self._position is None or self.state.busy or self.state.worker == "missing"
        look = await client.look(self.chat_id, WORKER_LOOK if waits else WORKER_AGE)
        if look.position != self._seen_position:
            self._seen_position, self._moved_at = look.position, time.monotonic()
        if look.worker != "missing":
            self._retry_at, self._retry = 0.0, 0.0
        self.state = replace(
            self.state, run_status=look.run_status, attempt=look.attempt, worker=look.worker, owner=look.owner
        )
        probe = look.worker == "missing" and look.run_status == "running"  # or it is there, and not listed
        if look.position == self._position and not probe:
            self.state = replace(self.state, error=None, answered_at=time.monotonic())
            return self._pause(look)
        if look.task_due and look.worker != "missing" and time.monotonic() - self._moved_at < TASK_PATIENCE:
            return TASK_DUE  # what it would answer is out of date in a moment
        if time.monotonic() < self._retry_at:
            return self._pause(look)
        return await self._read(client, look)

    async def _read(self, client: ChatClient, look: Look) -> float:
        """Ask the worker."""
        try:
            view = await client.read(look, self._last_seq)
        except NoWorker:
            if look.worker != "missing":
                raise
            self._retry = min(2 * self._retry or 1.0, LONGEST_RETRY)
            self._retry_at = time.monotonic() + self._retry
            self.state = replace(self.state, run_id=self.state.run_id or look.run_id, error=None)
            return self._pause(look)
        if view is not None and self._was_reset(look, view):
            self.state, self._position = ChatState(), None  # some of what was read is no longer part of the chat
            return 0.0
        await self._apply(look, view)
        if view is not None and view.more:
            return 0.0
        self._position = look.position
        return self._pause(look)

    def _pause(self, look: Look) -> float:
        state = self.state
        if look.run_status != "running" and self._position == look.position:
            return math.inf
        now = time.monotonic()
        hidden = now - self._seen_at > UNSEEN
        if state.worker == "missing":
            return AFTER_ERROR
        if state.busy or state.ended or look.task_due:
            return HIDDEN if hidden else max(BUSY, _count_busy(self.chat_id, now) / LOOKS)
        return LONG_IDLE if hidden or self.calm else IDLE

    @property
    def _last_seq(self) -> int:
        return self.state.messages[-1].seq if self.state.messages else 0

    def _was_reset(self, look: Look, now: ChatView) -> bool:
        """Whether this is another run in the place of the one that was read, as a repair leaves it; not its next run."""
        before = self.state.view
        return before is not None and look.run_id != self.state.run_id and now.previous_run_id == before.previous_run_id

    async def _apply(self, look: Look, view: ChatView | None) -> None:
        state = replace(self.state, run_id=look.run_id, worker="alive", error=None, answered_at=time.monotonic())
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


_busy: dict[str, float] = {}


def _count_busy(chat_id: str, now: float) -> int:
    """How many chats of this process are busy, this one among them."""
    _busy[chat_id] = now
    for other in [other for other, at in _busy.items() if at < now - 1]:
        del _busy[other]
    return len(_busy)
