"""PageApp: what all sessions of this process share: settings, goals, connection, watchers, outboxes, list of chats."""

import asyncio
import functools
import os
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

import tools
from agent import goals, local, temporal
from agent.client import ChatClient, ChatRow
from agent.errors import ChatError, MessageRefused, ServerUnavailable, SettingsError, StartFailed
from agent.health import Readiness
from agent.messages import GoalSpec
from agent.page import health
from agent.page.access import Owner
from agent.page.histories import Histories
from agent.page.loop import BackgroundLoop
from agent.page.outbox import Outbox, OutgoingMessage
from agent.page.watcher import ChatWatcher
from agent.settings import Settings, load_settings

DEFAULT_GOAL = "event_flight_invoice"
LISTED = 30
"""How many chats the sidebar lists."""

OUTBOXES = 500
"""How many chats may have an outbox before empty ones are given up."""

_LIST_AGE = 4.0
_STATUS_AGE = 0.1
_T = TypeVar("_T")


class LocalStack(Protocol):
    """The server and the worker beside the page: agent.local, or a stand-in for it."""

    def ensure(self, settings: Settings, environment: Mapping[str, str]) -> None: ...

    def status(self, settings: Settings) -> local.LocalStatus: ...


async def _connect(settings: Settings, address: str) -> ChatClient:
    return ChatClient(await temporal.connect(settings, address, lazy=True), settings)


@dataclass
class PageApp:
    """One for the process. Its parts are arguments, so that tests can draw a page over others."""

    read_settings: Callable[[], Settings] = load_settings
    local_stack: LocalStack = local
    connect: Callable[[Settings, str], Awaitable[ChatClient]] = _connect
    load_tools: Callable[[], tools.Toolset] = tools.load
    loop: BackgroundLoop = field(default_factory=BackgroundLoop)
    settings: Settings = field(default_factory=Settings)
    problem: str = ""
    rows: tuple[ChatRow, ...] = ()
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ), repr=False)
    histories: Histories = field(default_factory=Histories)
    _has_settings: bool = False
    _client: ChatClient | None = None
    _address: str = ""
    _connecting: asyncio.Lock = field(default_factory=asyncio.Lock)
    _watchers: dict[str, ChatWatcher] = field(default_factory=dict)
    _outboxes: dict[str, Outbox] = field(default_factory=dict)
    _rows_at: float = 0.0
    _deleted: set[str] = field(default_factory=set)
    _status: tuple[float, local.LocalStatus] | None = None

    def ensure_started(self) -> None:
        """Read the settings once they are valid, and ensure that server and worker run. Every run of the script calls it."""
        if not self._has_settings:
            try:
                self.settings, self.problem, self._has_settings = self.read_settings(), "", True
            except SettingsError as error:
                self.problem = str(error)
                return
        try:
            self.local_stack.ensure(self.settings, self.environment)
        except StartFailed as error:
            self.problem, self._has_settings = str(error), False

    def local_status(self) -> local.LocalStatus:
        """The state of the server and the worker beside the page, at most a moment old: each tab asks again and again."""
        if self._status is None or time.monotonic() - self._status[0] > _STATUS_AGE:
            self._status = (time.monotonic(), self.local_stack.status(self.settings))
        return self._status[1]

    async def client(self) -> ChatClient:
        """The connection; raises ServerUnavailable while there is no server to connect to."""
        now = self.local_status()
        if now.phase != "ready":
            if now.phase == "failed":  # its problem names paths: the sidebar shows it to the owner
                raise ServerUnavailable("The Temporal server could not be started. Its log says why.")
            raise ServerUnavailable(f"The Temporal server is not ready yet: {now.step}.")
        async with self._connecting:
            if self._client is None or self._address != now.address:
                try:
                    self._client = await self.connect(self.settings, now.address)
                except SettingsError as error:
                    raise ServerUnavailable(str(error)) from None
                self._address = now.address
            return self._client

    def call(self, request: Callable[[ChatClient], Coroutine[Any, Any, _T]]) -> _T:
        """The answer to one request; waits for it."""

        async def connected() -> _T:
            return await request(await self.client())

        return self.loop.run(connected())

    @functools.cached_property
    def readiness(self) -> Readiness:
        """Whether what is said in the page would be durable now."""
        return Readiness(partial(health.check, self))

    @functools.cached_property
    def tools(self) -> tools.Toolset:
        """The tools and goals found in tools/."""
        return self.load_tools()

    def goal(self, name: str) -> GoalSpec:
        """The goal of this name, or the default goal if there is none."""
        return goals.goal_for(self.tools, self.goal_name(name))

    def goal_name(self, name: str) -> str:
        """This name, or the default goal's if there is none such; "" where there is no goal at all."""
        known = self.tools.goals
        return next((each for each in (name, DEFAULT_GOAL, *known) if each in known), "")

    def watcher(self, chat_id: str) -> ChatWatcher:
        """The watcher of this chat, one for all sessions."""
        for other in [other for other, watcher in list(self._watchers.items()) if watcher.idle and other != chat_id]:
            self._watchers.pop(other, None)
        return self._watchers.setdefault(chat_id, ChatWatcher(chat_id, self.loop, self.client))

    def outbox(self, chat_id: str) -> Outbox:
        """The messages of this chat that are on their way, of all sessions."""
        if len(self._outboxes) > OUTBOXES:
            for other in [other for other, outbox in list(self._outboxes.items()) if not outbox.messages]:
                self._outboxes.pop(other, None)
        found = self._outboxes.get(chat_id)
        return found or self._outboxes.setdefault(
            chat_id,
            Outbox(
                chat_id, self.loop, self.client, lambda: self.watcher(chat_id).refresh(), partial(self._begin, chat_id)
            ),
        )

    async def _begin(self, chat_id: str, client: ChatClient, message: OutgoingMessage) -> None:
        """Begin a chat with its first message."""
        name = self.goal_name(message.goal)
        if not name:
            raise MessageRefused("There is no goal to chat about. Add one to tools/goals/, and reload the page.")
        welcome = goals.welcome(self.tools.goals[name])
        await client.begin(chat_id, self.goal(name), message.text, message.id, welcome=welcome)
        self.refresh_chats()

    @functools.cached_property
    def owner(self) -> Owner:
        """Recognizes the owner's browser. Settings that cannot be used yet may still name the home."""
        home = self.environment.get("STEADFAST_HOME", "")
        return Owner.of_home(Path(home).expanduser() if home and not self._has_settings else self.settings.home)

    def chats(self) -> tuple[ChatRow, ...]:
        """The newest chats, at most some seconds old; fetched in the background."""
        if time.monotonic() - self._rows_at > _LIST_AGE:
            self._rows_at = time.monotonic()
            self.loop.spawn(self._fetch_rows())
        return self.rows

    def forget(self, chat_id: str) -> None:
        """It was deleted; the server's list has it for a moment more."""
        self._deleted.add(chat_id)
        self.rows = tuple(row for row in self.rows if row.chat_id != chat_id)
        self._outboxes.pop(chat_id, None)

    def refresh_chats(self) -> None:
        """A chat was started or ended: fetch the list again."""
        self._rows_at = 0.0

    async def _fetch_rows(self) -> None:
        try:
            rows = await (await self.client()).chats(LISTED)
            self.rows = tuple(row for row in rows if row.chat_id not in self._deleted)
        except ChatError:
            self._rows_at = 0.0


@functools.cache
def page_app() -> PageApp:
    """The app of this process."""
    return PageApp()
