"""POST /agui: the chats of this page for programs that speak AG-UI. Who may do what is what the page lets its owner do.

The token that the terminal prints is sent as `Authorization: Bearer …`; the owner's own browser has its cookie. A run
only watches: when its connection ends, the chat goes on.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from agent.errors import ChatError, ChatNotFound, Unreadable
from agent.page.requests import on_loop, read_body

if TYPE_CHECKING:
    from ag_ui import core

    from agent.page.app import PageApp
    from agent.page.watcher import ChatState

PATH = "/agui"
LOOK = 0.05
"""Seconds between two looks at what the page knows of the chat."""

ALIVE = 15.0
"""Seconds without an event after which a comment keeps the connection open."""

IGNORED = 30.0
"""Seconds after which what was sent and does not show in the chat counts as ignored by it. A worker that died in the middle
of a workflow task holds up what follows for 10."""

LARGEST = 2_000_000
"""Bytes of a request."""


def agui_routes(app: Callable[[], "PageApp"]) -> list[Route]:
    """app: called for the PageApp at each request, because it is imported only once the page listens."""

    async def run(request: Request) -> Response:
        page = await asyncio.to_thread(app)
        if not _is_owner(page, request):
            return _refused(401, "Send the owner's token as `Authorization: Bearer …`; the terminal prints it.")
        from ag_ui import core  # takes a third of a second, and only programs need it
        from pydantic import ValidationError

        body = await read_body(request, LARGEST)
        if body is None:
            return _refused(413, f"The request is larger than {LARGEST // 1_000_000} MB.")
        try:
            asked = core.RunAgentInput.model_validate_json(body)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(map(str, first["loc"])) or "the body"
            return _refused(422, f"This is no RunAgentInput of AG-UI: {where}: {first['msg']}.")
        from agent.page.session import CHAT_ID

        if not CHAT_ID.fullmatch(asked.thread_id):
            return _refused(422, "threadId must be up to 200 letters, digits, `.`, `_`, `:` or `-`.")
        return StreamingResponse(_encoded(_Run(page, asked)), media_type="text/event-stream")

    return [Route(PATH, run, methods=["POST"])]


def _is_owner(page: "PageApp", request: Request) -> bool:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return page.owner.is_token(token.strip())
    return page.owner.recognizes(request.cookies)


def _refused(status: int, sentence: str) -> Response:
    return JSONResponse({"error": sentence}, status)


async def _encoded(run: "_Run") -> AsyncIterator[str]:
    """Server-sent events, and a comment where there is none for a while."""
    events = run.events()
    coming = asyncio.ensure_future(anext(events))
    try:
        while True:
            done, _ = await asyncio.wait([coming], timeout=ALIVE)
            if not done:
                yield ": alive\n\n"
                continue
            yield f"data: {coming.result().model_dump_json(by_alias=True)}\n\n"
            coming = asyncio.ensure_future(anext(events))
    except StopAsyncIteration:
        return
    finally:
        coming.cancel()


class _Run:
    """One run: what the person says or decides with it, then what happens until it is the person's turn again."""

    def __init__(self, page: "PageApp", asked: "core.RunAgentInput") -> None:
        from agent import agui

        self._page, self._asked = page, asked
        self._chat_id = asked.thread_id
        self._known = agui.known(asked)
        self._words = agui.new_words(asked)
        self._told: list[Any] = []
        self._growing, self._written = "", ""
        self._astray = False

    async def events(self) -> "AsyncIterator[core.BaseEvent]":
        from ag_ui import core

        yield core.RunStartedEvent(thread_id=self._chat_id, run_id=self._asked.run_id)
        try:
            sent = await self._send()
            async for event in self._follow(sent):
                yield event
        except (ChatError, Unreadable) as error:
            yield core.RunErrorEvent(message=str(error), code=type(error).__name__)

    async def _send(self) -> float:
        """Send what was said and decided; when that was done."""
        from agent import agui, goals
        from agent.visitor import OWNER

        page, chat_id = self._page, self._chat_id
        decided = agui.verdicts(self._asked.resume or [])
        forwarded = self._asked.forwarded_props if isinstance(self._asked.forwarded_props, dict) else {}
        name = page.goal_name(str(forwarded.get("goal") or ""))

        async def send() -> None:
            client = await page.client(OWNER)
            for each in decided:
                if each.accepts:
                    await client.confirm(chat_id, each.proposal_id, each.arguments)
                else:
                    await client.decline(chat_id, each.proposal_id, each.reason)
            for number, (message_id, text) in enumerate(self._words):
                if number or not name or await client.exists(chat_id):
                    await client.send(chat_id, text, message_id)
                else:
                    welcome = goals.welcome(page.tools.goals[name])
                    await client.begin(chat_id, page.goal(name), text, message_id, welcome=welcome)

        await on_loop(page, send())
        if decided or self._words:
            page.refresh_chats()
        page.watcher(chat_id).refresh()
        return time.monotonic()

    async def _follow(self, since: float) -> "AsyncIterator[core.BaseEvent]":
        """What the chat does from then on, until it waits for the person."""
        watcher = self._page.watcher(self._chat_id)
        first = True
        while True:
            state = watcher.snapshot()
            if isinstance(state.error, ChatNotFound) and state.requested_at is None:
                raise state.error
            if state.view is None or not self._is_reflected(state, since):
                await asyncio.sleep(LOOK)
                continue
            if first:
                async for event in self._catch_up(state):
                    yield event
                first = False
            for event in self._moved(state):
                yield event
            if not state.busy and not state.view.queued:
                break
            await asyncio.sleep(LOOK)
        async for event in self._finish(state):
            yield event

    def _is_reflected(self, state: "ChatState", since: float) -> bool:
        """Whether the chat shows what was sent with this run; what it ignored is not waited for."""
        assert state.view is not None
        shown = {message.id for message in (*state.messages, *state.view.queued) if message.kind == "user"}
        waiting = {proposal.id for proposal in state.view.deciding}
        missing = {message_id for message_id, _ in self._words} - shown
        open_ones = waiting & {entry.interrupt_id for entry in self._asked.resume or []}
        return state.answered_at >= since and (not (missing or open_ones) or state.answered_at > since + IGNORED)

    async def _catch_up(self, state: "ChatState") -> "AsyncIterator[core.BaseEvent]":
        """A client that has nothing of the chat, or too little to be told only what followed, is told everything."""
        if self._known and state.messages and state.messages[0].seq <= self._known + 1:
            return
        from agent.messages import UserMessage

        heard = {message_id for message_id, _ in self._words}
        whole = await self._whole()
        before = [message for message in whole if getattr(message, "id", "") not in heard]
        if len(before) < len(whole):  # what it has just said, and what comes of it, are told as they happen
            cut = next(message.seq for message in whole if getattr(message, "id", "") in heard)
            before = [message for message in before if message.seq < cut]
        if before:  # with the client's own new words, which a snapshot without them would take away
            yield self._snapshot([*before, *(UserMessage(text=text, id=each) for each, text in self._words)])
        self._known = before[-1].seq if before else 0

    def _moved(self, state: "ChatState") -> "list[core.BaseEvent]":
        """New messages since the last look, and how far the growing reply has come."""
        from ag_ui import core

        from agent import agui

        found: list[core.BaseEvent] = []
        heard = {message_id for message_id, _ in self._words}
        for message in state.messages:
            if message.seq <= self._known:
                continue
            text = (
                message.text if message.kind == "agent" else message.proposal.text if message.kind == "proposal" else ""
            )
            grew = bool(self._growing) and message.kind in ("agent", "proposal")
            if grew:
                found += self._grow(text)
                found.append(core.TextMessageEndEvent(message_id=self._growing))
            found += agui.events(message, self._growing if grew else "", heard)
            if grew:
                self._growing, self._written = "", ""
            self._known = message.seq
            self._told.append(message)
        if state.busy and state.attempt is not None and state.attempt.partial:
            found += self._grow(state.attempt.partial)
        return found

    def _grow(self, text: str) -> "list[core.BaseEvent]":
        """The growing reply is this long now. What was told cannot be taken back: another text is told at the end."""
        from ag_ui import core

        found: list[core.BaseEvent] = []
        if not self._growing:
            self._growing = f"after-{self._known}-{self._asked.run_id}"
            found.append(core.TextMessageStartEvent(message_id=self._growing, role="assistant"))
        if text.startswith(self._written):
            if delta := text[len(self._written) :]:
                found.append(core.TextMessageContentEvent(message_id=self._growing, delta=delta))
            self._written = text
        elif not self._written.startswith(text):
            self._astray = True
        return found

    async def _finish(self, state: "ChatState") -> "AsyncIterator[core.BaseEvent]":
        from ag_ui import core

        from agent import agui

        assert state.view is not None
        if self._growing:  # it was stopped before anything of it was kept
            yield core.TextMessageEndEvent(message_id=self._growing)
            self._astray = True
        if self._astray:
            yield self._snapshot(await self._whole())
        told = {agui.STATE: self._known, "status": state.view.status, "goal": state.view.goal.name}
        yield core.StateSnapshotEvent(snapshot=told)
        yield core.RunFinishedEvent(
            thread_id=self._chat_id,
            run_id=self._asked.run_id,
            outcome=agui.outcome(state.view),
            usage=agui.usage(self._told),
        )

    async def _whole(self) -> list[Any]:
        from agent.visitor import OWNER

        page, chat_id = self._page, self._chat_id

        async def read() -> list[Any]:
            return (await (await page.client(OWNER)).transcript(chat_id)).messages

        return await on_loop(page, read())

    def _snapshot(self, said: list[Any]) -> "core.BaseEvent":
        from ag_ui import core

        from agent import agui

        return core.MessagesSnapshotEvent(messages=agui.messages(said))
