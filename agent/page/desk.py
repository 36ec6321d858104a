"""What all tabs share: the settings, the goals, the connection, the watched chats and the list of chats."""

import asyncio
import functools
import os
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import tools
from agent import local, temporal
from agent.client import ChatClient, ChatRow
from agent.errors import ChatError, ServerUnavailable, SettingsError, StartFailed
from agent.goals import goal_for
from agent.messages import GoalSpec
from agent.page.bridge import Bridge
from agent.page.live import Live
from agent.settings import Settings, load_settings

DEFAULT_GOAL = "event_flight_invoice"
LISTED = 30
_LIST_AGE = 4.0
_T = TypeVar("_T")


class House(Protocol):
    """What runs beside the page: agent.local, or something that stands in for it."""

    def ensure(self, settings: Settings, environment: Mapping[str, str]) -> None: ...

    def status(self, settings: Settings) -> local.LocalStatus: ...


async def _connect(settings: Settings, address: str) -> ChatClient:
    return ChatClient(await temporal.connect(settings, address, lazy=True), settings)


@dataclass
class Desk:
    """One for the process. Its parts are arguments, so that a page can be drawn over others."""

    read_settings: Callable[[], Settings] = load_settings
    house: House = local
    connect: Callable[[Settings, str], Awaitable[ChatClient]] = _connect
    load_tools: Callable[[], tools.Toolset] = tools.load
    bridge: Bridge = field(default_factory=Bridge)
    settings: Settings = field(default_factory=Settings)
    problem: str = ""
    rows: tuple[ChatRow, ...] = ()
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ), repr=False)
    _read: bool = False
    _client: ChatClient | None = None
    _address: str = ""
    _connecting: asyncio.Lock = field(default_factory=asyncio.Lock)
    _lives: dict[str, Live] = field(default_factory=dict)
    _listed: float = 0.0

    def begin(self) -> None:
        """Read the settings once they can be used, and see that server and worker run; every run of the script calls it."""
        if not self._read:
            try:
                self.settings, self.problem, self._read = self.read_settings(), "", True
            except SettingsError as error:
                self.problem = str(error)
                return
        try:
            self.house.ensure(self.settings, self.environment)
        except StartFailed as error:
            self.problem, self._read = str(error), False

    def local(self) -> local.LocalStatus:
        """How far the server and the worker beside the page are."""
        return self.house.status(self.settings)

    async def client(self) -> ChatClient:
        """The connection; raises ServerUnavailable while there is no server to connect to."""
        now = self.local()
        if now.phase != "ready":
            raise ServerUnavailable(now.problem or f"The Temporal server is not there yet: {now.step}.")
        async with self._connecting:
            if self._client is None or self._address != now.address:
                try:
                    self._client = await self.connect(self.settings, now.address)
                except SettingsError as error:
                    raise ServerUnavailable(str(error)) from None
                self._address = now.address
            return self._client

    def do(self, call: Callable[[ChatClient], Coroutine[Any, Any, _T]]) -> _T:
        """One call of the client, waited for."""

        async def connected() -> _T:
            return await call(await self.client())

        return self.bridge.run(connected())

    @functools.cached_property
    def tools(self) -> tools.Toolset:
        """The tools and goals found in tools/."""
        return self.load_tools()

    def goal(self, name: str) -> GoalSpec:
        """The goal of this name, or the default one for a name nobody knows."""
        return goal_for(self.tools, self.goal_name(name))

    def goal_name(self, name: str) -> str:
        goals = self.tools.goals
        return next((known for known in (name, DEFAULT_GOAL, *goals) if known in goals), "")

    def live(self, chat_id: str) -> Live:
        """The watched chat of this id."""
        for other in [other for other, live in list(self._lives.items()) if live.idle and other != chat_id]:
            self._lives.pop(other, None)
        return self._lives.setdefault(chat_id, Live(chat_id, self.bridge, self.client))

    def chats(self) -> tuple[ChatRow, ...]:
        """The newest chats, at most some seconds old; asked for in the background."""
        if time.monotonic() - self._listed > _LIST_AGE:
            self._listed = time.monotonic()
            self.bridge.spawn(self._list())
        return self.rows

    def list_again(self) -> None:
        """A chat began or ended: ask for the list at the next look."""
        self._listed = 0.0

    async def _list(self) -> None:
        try:
            self.rows = tuple(await (await self.client()).chats(LISTED))
        except ChatError:
            self._listed = 0.0


@functools.cache
def open_desk() -> Desk:
    """The desk of this process."""
    return Desk()
