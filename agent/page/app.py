"""PageApp: what all sessions of this process share: settings, goals, connection, watchers, outboxes, list of chats."""

import asyncio
import functools
import os
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import suppress
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
from agent.page.visitors import BrowserCookie, current_visitor
from agent.page.watcher import ChatWatcher
from agent.settings import Settings, load_settings
from agent.tracing import process_tracing
from agent.visitor import Visitor

LISTED = 30
"""How many chats the sidebar lists."""

OUTBOXES = 500
"""How many chats may have an outbox before empty ones are given up."""

LISTS = 500
"""Of how many visitors the list of chats is kept."""

_LIST_AGE = 4.0
_LIST_PATIENCE = 0.5
_STATUS_AGE = 0.1
_T = TypeVar("_T")


class LocalStack(Protocol):
    """The server and the worker beside the page: agent.local, or a stand-in for it."""

    def ensure(self, settings: Settings, environment: Mapping[str, str]) -> None: ...

    def status(self, settings: Settings) -> local.LocalStatus: ...


async def _connect(settings: Settings, address: str) -> ChatClient:
    plugins = process_tracing(settings, "steadfast-page").plugins
    return ChatClient(await temporal.connect(settings, address, lazy=True, plugins=plugins), settings)


@dataclass
class _ChatList:
    """The newest chats of one visitor, as they were when they were fetched."""

    rows: tuple[ChatRow, ...] = ()
    at: float = 0.0


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
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ), repr=False)
    histories: Histories = field(default_factory=Histories)
    _has_settings: bool = False
    _client: ChatClient | None = None
    _address: str = ""
    _connecting: asyncio.Lock = field(default_factory=asyncio.Lock)
    _watchers: dict[str, ChatWatcher] = field(default_factory=dict)
    _outboxes: dict[tuple[str, str], Outbox] = field(default_factory=dict)
    _lists: dict[str, _ChatList] = field(default_factory=dict)
    _deleted: set[str] = field(default_factory=set)
    _status: tuple[float, local.LocalStatus] | None = None

    def ensure_started(self) -> None:
        """Read the settings once they are valid, and ensure that server and worker run. Every run of the script calls it."""
        if not self._ensure_settings():
            return
        try:
            self.local_stack.ensure(self.settings, self.environment)
        except StartFailed as error:
            self.problem, self._has_settings = str(error), False

    def _ensure_settings(self) -> bool:
        if not self._has_settings:
            try:
                self.settings, self.problem, self._has_settings = self.read_settings(), "", True
            except SettingsError as error:
                self.problem = str(error)
        return self._has_settings

    def local_status(self) -> local.LocalStatus:
        """The state of the server and the worker beside the page, at most a moment old: each tab asks again and again."""
        if self._status is None or time.monotonic() - self._status[0] > _STATUS_AGE:
            self._status = (time.monotonic(), self.local_stack.status(self.settings))
        return self._status[1]

    def visitor(self) -> Visitor:
        """Who runs the script; only the script's threads know."""
        return current_visitor(self.owner, self.visitor_cookie)

    def is_open_to(self, visitor: Visitor, owner: str) -> bool:
        """Whether a visitor may see a chat that belongs to `owner`."""
        return self.settings.open_chats or visitor.owns(owner)

    async def client(self, visitor: Visitor) -> ChatClient:
        """The connection of this visitor; raises ServerUnavailable while there is no server to connect to."""
        return (await self._connection()).of(visitor)

    async def _connection(self) -> ChatClient:
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
        """The answer to one request of the visitor; waits for it."""
        visitor = self.visitor()

        async def connected() -> _T:
            return await request(await self.client(visitor))

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
        return next((each for each in (name, goals.DEFAULT, *known) if each in known), "")

    def watcher(self, chat_id: str) -> ChatWatcher:
        """The watcher of this chat, one for all sessions."""
        for other in [other for other, watcher in list(self._watchers.items()) if watcher.idle and other != chat_id]:
            self._watchers.pop(other, None)
        return self._watchers.setdefault(chat_id, ChatWatcher(chat_id, self.loop, self._connection))

    def outbox(self, chat_id: str) -> Outbox:
        """The visitor's messages to this chat that are on their way, of all sessions."""
        visitor = self.visitor()
        if len(self._outboxes) > OUTBOXES:
            for other in [other for other, outbox in list(self._outboxes.items()) if not outbox.messages]:
                self._outboxes.pop(other, None)
        key = chat_id, visitor.id
        found = self._outboxes.get(key)
        return found or self._outboxes.setdefault(
            key,
            Outbox(
                chat_id,
                self.loop,
                partial(self.client, visitor),
                lambda: self.watcher(chat_id).refresh(),
                partial(self._begin, chat_id),
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

    @functools.cached_property
    def visitor_cookie(self) -> BrowserCookie:
        """Recognizes the browsers of visitors."""
        return BrowserCookie(self.signing_key)

    @functools.cached_property
    def signing_key(self) -> str:
        """Signs cookies and links."""
        self._ensure_settings()
        return self.settings.page_secret or self.owner.token

    def chats(self, *, fetch: bool = True) -> tuple[ChatRow, ...]:
        """The visitor's newest chats, at most some seconds old; fetched in the background, but for the first time."""
        visitor = self.visitor()
        listed = self._lists.setdefault(visitor.id, _ChatList())
        while len(self._lists) > LISTS:
            self._lists.pop(next(iter(self._lists)), None)
        if fetch and time.monotonic() - listed.at > _LIST_AGE:
            first, listed.at = not listed.at, time.monotonic()
            fetching = self.loop.spawn(self._fetch_rows(visitor, listed))
            if first:
                with suppress(TimeoutError):
                    fetching.result(_LIST_PATIENCE)
        return listed.rows

    def forget(self, chat_id: str) -> None:
        """It was deleted; the server's list has it for a moment more."""
        self._deleted.add(chat_id)
        for listed in list(self._lists.values()):
            listed.rows = tuple(row for row in listed.rows if row.chat_id != chat_id)
        for key in [key for key in list(self._outboxes) if key[0] == chat_id]:
            self._outboxes.pop(key, None)

    def refresh_chats(self) -> None:
        """A chat was started or ended: fetch the list again."""
        for listed in list(self._lists.values()):
            listed.at = 0.0

    async def _fetch_rows(self, visitor: Visitor, listed: _ChatList) -> None:
        try:
            rows = await (await self.client(visitor)).chats(LISTED)
            listed.rows = tuple(row for row in rows if row.chat_id not in self._deleted)
        except ChatError:
            listed.at = 0.0


@functools.cache
def page_app() -> PageApp:
    """The app of this process."""
    return PageApp()
