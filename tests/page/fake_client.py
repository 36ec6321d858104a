"""A client over conversations in memory, for states of the page that are hard to bring about with real processes."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import tools
from agent import wire
from agent.client import Attempt, ChatClient, ChatRow, Look, RunStatus
from agent.conversation import Conversation
from agent.errors import ChatClosed, ChatError, ChatNotFound, MessageRefused, NoWorker
from agent.export import Transcript
from agent.local import LocalStatus
from agent.messages import (
    EPOCH,
    MESSAGE_LIMIT,
    AgentMessage,
    ChatView,
    GoalSpec,
    Json,
    Link,
    LinkKind,
    Message,
    ModelUse,
    Plan,
    Proposal,
    Rule,
    ToolAnswer,
    UserMessage,
    Verdict,
)
from agent.page.access import Owner
from agent.page.app import PageApp
from agent.settings import Settings
from agent.timeline import RunHistory
from agent.visitor import OWNER, Visitor

NOON = datetime(2030, 3, 1, 12, 0, tzinfo=UTC)


@dataclass
class FakeChat:
    """One chat: the state that the workflow would hold, and what the server would say of it."""

    conversation: Conversation
    run_status: RunStatus = "running"
    attempt: Attempt | None = None
    worker: Any = "alive"
    trouble: ChatError | None = None
    run_id: str = "run"
    now: datetime = NOON
    events: int = 1
    task_due: bool = False
    owner: str = ""

    def tick(self) -> datetime:
        self.now += timedelta(minutes=1)
        return self.now

    def agent_says(self, text: str, **plan: Any) -> None:
        """The model answers with words."""
        self.conversation.begin_plan(self.tick())
        self.conversation.finish_plan(Plan(text=text, by=ModelUse(model="scripted"), **plan), self.tick())

    def agent_proposes(self, tool: str, arguments: dict[str, Json], text: str = "", **more: Any) -> Proposal:
        """The model proposes a tool; returns the card as it waits."""
        self.agent_proposes_all(proposal_of(tool, arguments, text, **more))
        assert self.conversation.proposal is not None
        return self.conversation.proposal

    def agent_proposes_all(self, *proposals: Proposal) -> None:
        """The model proposes several in one answer."""
        self.conversation.begin_plan(self.tick())
        self.conversation.finish_plan(Plan(proposals=list(proposals), by=ModelUse(model="scripted")), self.tick())

    def tool_returns(self, result: Json) -> None:
        """What was accepted runs, and returns this."""
        self.conversation.begin_tool()
        self.conversation.finish_tool(ToolAnswer(result=result), self.tick())


def proposal_of(tool: str, arguments: dict[str, Json], text: str = "", **more: Any) -> Proposal:
    """A proposal of a tool as the worker has it."""
    found = tools.load().tools.get(tool)
    known = {"parameters": found.parameters, "effect": found.effect} if found else {}
    return Proposal(tool=tool, arguments=arguments, text=text, **(known | more))


@dataclass
class FakeClient(ChatClient):
    """Every call is noted in `calls`; `trouble` is raised by all of them while it is set.

    Each look finds that something has happened, unless it counts_events: then what FakeChat.events says.
    """

    chats_by_id: dict[str, FakeChat] = field(default_factory=dict)
    calls: list[tuple[Any, ...]] = field(default_factory=list)
    trouble: ChatError | None = None
    counts_events: bool = False
    looks: list[str] = field(default_factory=list)
    reads: list[str] = field(default_factory=list)
    greeting: str = "Hello! Which city would you like to visit, and in which month?"
    earlier_runs: dict[str, ChatView] = field(default_factory=dict)
    histories: dict[str, RunHistory] = field(default_factory=dict)
    history_trouble: ChatError | None = None

    visitor: Visitor = OWNER

    def of(self, visitor: Visitor) -> "FakeClient":
        found = copy.copy(self)
        found.visitor = visitor
        return found

    async def ping(self) -> None:
        self._note("ping")

    async def start(self, goal: GoalSpec, *, model: str = "") -> str:
        self._note("start", goal.name)
        chat_id = f"chat-{len(self.chats_by_id) + 1:032x}"
        chat = FakeChat(Conversation(goal=goal, key=f"k{len(self.chats_by_id)}", batch=True), owner=self.visitor.id)
        self.chats_by_id[chat_id] = chat
        chat.agent_says(self.greeting)
        return chat_id

    async def begin(self, chat_id: str, goal: GoalSpec, text: str, message_id: str, *, welcome: str) -> None:
        self._note("begin", goal.name, text)
        if chat_id not in self.chats_by_id:
            chat = FakeChat(Conversation(goal=goal, key=f"k{len(self.chats_by_id)}", batch=True), owner=self.visitor.id)
            chat.conversation.welcome(welcome, chat.tick())
            self.chats_by_id[chat_id] = chat
        await self.send(chat_id, text, message_id)

    async def exists(self, chat_id: str) -> bool:
        return chat_id in self.chats_by_id

    async def fork(
        self, source: str, chat_id: str, *, seq: int, text: str = "", message_id: str = "", owner: str = ""
    ) -> None:
        self._note("fork", source, seq, text)
        before = self.chats_by_id[source].conversation
        await self._begin_with(chat_id, before.goal, before.messages[:seq])
        if text:
            await self.send(chat_id, text, message_id)

    async def import_chat(self, chat_id: str, transcript: Transcript, *, owner: str = "") -> None:
        self._note("import_chat")
        await self._begin_with(chat_id, transcript.goal, transcript.messages, read_only=True)

    async def _begin_with(
        self, chat_id: str, goal: GoalSpec, messages: Sequence[Message], *, read_only: bool = False
    ) -> None:
        chat = FakeChat(Conversation(goal=goal, key=f"k{len(self.chats_by_id)}", batch=True))
        chat.conversation.inherit(messages, chat.tick(), read_only=read_only)
        self.chats_by_id[chat_id] = chat

    async def rename(self, chat_id: str, title: str) -> None:
        self._note("rename", chat_id, title)
        self._open(chat_id).conversation.rename(title)

    async def retry_now(self, chat_id: str) -> bool:
        self._note("retry_now", chat_id)
        return True

    async def send(self, chat_id: str, text: str, message_id: str = "", *, insist: bool = False) -> None:
        self._note("send", chat_id, text, message_id)
        if not text.strip():
            raise MessageRefused("There is nothing to send yet; write a message first.")
        if len(text) > MESSAGE_LIMIT:
            raise MessageRefused("The message is too long; shorten it.")
        chat = self._open(chat_id)
        chat.conversation.receive_message(UserMessage(text=text, id=message_id), chat.tick())

    async def confirm(self, chat_id: str, proposal_id: str, arguments: dict[str, Json] | None = None) -> None:
        self._note("confirm", proposal_id, arguments)
        chat = self._open(chat_id)
        chat.conversation.confirm(chat.tick(), proposal_id, arguments, self.visitor.label)

    async def decline(self, chat_id: str, proposal_id: str, reason: str = "") -> None:
        self._note("decline", proposal_id, reason)
        chat = self._open(chat_id)
        chat.conversation.decline(chat.tick(), proposal_id, reason, self.visitor.label)

    async def decide(self, chat_id: str, verdicts: Sequence[Verdict]) -> None:
        self._note("decide", [(each.proposal_id, each.accepts, each.arguments) for each in verdicts])
        chat = self._open(chat_id)
        chat.conversation.decide(verdicts, chat.tick())

    async def add_rule(
        self,
        chat_id: str,
        tool: str,
        *,
        rule_id: str = "",
        seconds: float | None = None,
        most: str = "",
        currency: str = "",
        proposal_id: str = "",
    ) -> None:
        self._note("add_rule", tool, seconds, most, currency, proposal_id)
        chat = self._open(chat_id)
        until = datetime.now(UTC) + timedelta(seconds=seconds) if seconds else EPOCH
        rule = Rule(id=rule_id, tool=tool, most=most, currency=currency, until=until)
        chat.conversation.add_rule(rule, chat.tick(), proposal_id)

    async def revoke_rule(self, chat_id: str, rule_id: str) -> None:
        self._note("revoke_rule", rule_id)
        chat = self._open(chat_id)
        chat.conversation.revoke_rule(rule_id, chat.tick())

    async def add_link(
        self, chat_id: str, kind: LinkKind, *, seconds: int, link_id: str = "", proposal_id: str = ""
    ) -> None:
        self._note("add_link", kind, proposal_id)
        expires = datetime.now(UTC) + timedelta(seconds=seconds)
        link = Link(id=link_id, kind=kind, expires=expires.replace(microsecond=0), proposal_id=proposal_id)
        self._open(chat_id).conversation.add_link(link, datetime.now(UTC))

    async def revoke_link(self, chat_id: str, link_id: str) -> None:
        self._note("revoke_link", link_id)
        self._open(chat_id).conversation.revoke_link(link_id, datetime.now(UTC))

    async def hand_over(self, chat_id: str, link_id: str, visitor: Visitor) -> None:
        self._note("hand_over", link_id, visitor.id)
        chat = self._open(chat_id)
        if chat.conversation.hand_over(link_id, visitor.label, datetime.now(UTC)):
            chat.owner = visitor.id

    async def decide_by_link(self, chat_id: str, link_id: str, *, accepts: bool, who: str) -> None:
        self._note("decide_by_link", link_id, accepts, who)
        verdict = Verdict(accepts=accepts, who=who)
        self._open(chat_id).conversation.decide_by_link(link_id, verdict, datetime.now(UTC))

    async def end(self, chat_id: str) -> None:
        self._note("end", chat_id)
        chat = self.chats_by_id[chat_id]
        chat.conversation.end(chat.tick())
        chat.run_status = "completed"

    async def delete(self, chat_id: str) -> int:
        self._note("delete", chat_id)
        del self.chats_by_id[chat_id]
        return 1

    async def repair(self, chat_id: str) -> bool:
        self._note("repair", chat_id)
        self.chats_by_id[chat_id].trouble = None
        return True

    async def stop(self, chat_id: str) -> None:
        self._note("stop", chat_id)
        chat = self._open(chat_id)
        chat.conversation.stop(chat.tick())

    async def regenerate(self, chat_id: str, seq: int = 0) -> None:
        self._note("regenerate", chat_id, seq)
        chat = self._open(chat_id)
        chat.conversation.regenerate(chat.tick(), seq)

    async def set_model(self, chat_id: str, model: str) -> None:
        self._note("set_model", model)
        self.chats_by_id[chat_id].conversation.pick_model(model)

    async def look(self, chat_id: str, worker_age: float = 0) -> Look:
        if self.trouble:
            raise self.trouble
        if chat_id not in self.chats_by_id:
            raise ChatNotFound("There is no chat at this address. Start a new one.")
        chat = self.chats_by_id[chat_id]
        if chat.trouble:
            raise chat.trouble
        position = chat.events if self.counts_events else len(self.looks)
        self.looks.append(chat_id)
        return Look(
            chat_id, chat.run_id, chat.run_status, position, chat.task_due, chat.attempt, chat.worker, chat.owner
        )

    async def read(self, look: Look, since: int = 0) -> ChatView | None:
        self.reads.append(look.chat_id)
        chat = self.chats_by_id[look.chat_id]
        if chat.worker == "missing":
            raise NoWorker("No worker has answered for 5 seconds.")
        return wire.chat_view(chat.conversation, since).model_copy(deep=True)

    async def history(self, chat_id: str, run_id: str = "", known: RunHistory | None = None) -> RunHistory:
        if self.history_trouble:
            raise self.history_trouble
        return self.histories.get(chat_id, RunHistory("run", ()))

    async def earlier(self, chat_id: str, run_id: str) -> ChatView:
        self._note("earlier", run_id)
        return self.earlier_runs[run_id]

    async def failure(self, chat_id: str) -> str:
        return "The chat's history could not be replayed."

    async def chats(self, limit: int = 30) -> list[ChatRow]:
        return [
            ChatRow(chat_id, chat.conversation.goal.title, chat.conversation.goal.name, NOON, chat.run_status)
            for chat_id, chat in self.chats_by_id.items()
            if self.visitor.owns(chat.owner)
        ]

    def _note(self, *call: Any) -> None:
        self.calls.append(call)
        if self.trouble:
            raise self.trouble

    def _open(self, chat_id: str) -> FakeChat:
        if chat_id not in self.chats_by_id or not self.visitor.owns(self.chats_by_id[chat_id].owner):
            raise ChatNotFound("There is no chat at this address. Start a new one.")
        chat = self.chats_by_id[chat_id]
        if chat.run_status != "running" or chat.conversation.ended:
            raise ChatClosed("This chat has ended. Start a new one to go on.")
        return chat


@dataclass
class FakeStack:
    """The processes beside the page, as far as a page sees them."""

    now: LocalStatus = field(default_factory=lambda: LocalStatus("Ready", "ready", "test:1", worker="running"))

    def ensure(self, settings: Settings, environment: Mapping[str, str]) -> None:
        return

    def status(self, settings: Settings) -> LocalStatus:
        return self.now


class AnyOwner(Owner):
    """Takes every browser for the owner's."""

    def recognizes(self, cookies: Mapping[str, str]) -> bool:
        return True


def page_over(
    client: FakeClient, local_stack: FakeStack | None = None, owner: Owner | None = None, **settings: Any
) -> PageApp:
    """A page over a fake client, which takes every browser for the owner's unless it is given another owner."""

    async def connect(_settings: Settings, _address: str) -> ChatClient:
        return client

    page = PageApp(
        read_settings=lambda: Settings(environment={"TEST": "1"}, **settings),
        local_stack=local_stack or FakeStack(),
        connect=connect,
    )
    page.owner = owner or AnyOwner("a token of the tests")
    return page


def last_words(chat: FakeChat) -> str:
    """What the agent said last."""
    return next(m.text for m in reversed(chat.conversation.messages) if isinstance(m, AgentMessage))
