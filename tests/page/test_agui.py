"""The AG-UI route, over a client in memory: who may, what is told when, and that nothing counts twice."""

import json
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from agent.client import Attempt
from agent.messages import UserMessage
from agent.page.access import Owner
from agent.page.agui import agui_routes
from agent.page.app import PageApp
from tests.page.fake_client import FakeChat, FakeClient, page_over

TOKEN = "a-token-that-is-long-enough"
THREAD = "thread-1"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


class Program:
    """A program that speaks AG-UI: it keeps what it was told of the state, as such clients do."""

    def __init__(self, page: PageApp, client: FakeClient) -> None:
        self.http = TestClient(Starlette(routes=agui_routes(lambda: page)))
        self.client = client
        self.state: Any = None
        self.runs = 0

    @property
    def chat(self) -> FakeChat:
        return self.client.chats_by_id[THREAD]

    def run(self, *messages: dict[str, Any], meanwhile: Callable[[], None] | None = None, **more: Any) -> list[Any]:
        """The events of one run; meanwhile: what happens in the chat once it has begun."""
        self.runs += 1
        asked = {"threadId": THREAD, "runId": f"run-{self.runs}", "messages": messages, "state": self.state, **more}
        other = threading.Thread(target=meanwhile) if meanwhile else None
        if other:
            other.start()
        answer = self.http.post("/agui", json=asked, headers=BEARER)
        if other:
            other.join()
        assert answer.status_code == 200, answer.text
        events = [json.loads(line.removeprefix("data: ")) for line in answer.text.split("\n\n") if line[:5] == "data:"]
        states = [event["snapshot"] for event in events if event["type"] == "STATE_SNAPSHOT"]
        self.state = states[-1] if states else self.state
        return events

    def when(self, reached: Callable[[FakeChat], Any], then: Callable[[FakeChat], Any]) -> Callable[[], None]:
        def wait() -> None:
            deadline = time.monotonic() + 20
            while THREAD not in self.client.chats_by_id or not reached(self.chat):
                assert time.monotonic() < deadline
                time.sleep(0.02)
            then(self.chat)

        return wait


@pytest.fixture
def program() -> Program:
    client = FakeClient()
    return Program(page_over(client, None, Owner(TOKEN)), client)


def said(text: str, message_id: str = "u1") -> dict[str, Any]:
    return {"id": message_id, "role": "user", "content": text}


def kinds(events: list[Any]) -> list[str]:
    return [event["type"] for event in events]


def test_only_who_holds_the_owners_token_is_served(program: Program) -> None:
    asked = {"threadId": THREAD, "runId": "r", "messages": [said("Hi")]}
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": TOKEN}, {"X-Forwarded-User": "owner"}):
        assert program.http.post("/agui", json=asked, headers=headers).status_code == 401
    assert not program.client.calls


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"{", "no RunAgentInput"),
        (b'{"threadId": "t"}', "runId"),
        (b'{"threadId": "../x", "runId": "r", "messages": []}', "threadId must be"),
        (b" " * 2_000_001, "larger than 2 MB"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_sentence(program: Program, body: bytes, why: str) -> None:
    answer = program.http.post("/agui", content=body, headers=BEARER)
    assert answer.status_code in (413, 422)
    assert why in answer.json()["error"]


def test_the_first_message_begins_a_chat_and_its_reply_grows(program: Program) -> None:
    def write(chat: FakeChat) -> None:
        chat.conversation.begin_plan(chat.tick())
        for text in ("It", "It is", "It is lovely"):
            chat.attempt = Attempt("plan", partial=text)
            time.sleep(0.3)
        chat.attempt = None
        chat.conversation.working = ""
        chat.agent_says("It is lovely in May.")

    events = program.run(said("Paris?"), meanwhile=program.when(lambda chat: chat.conversation.inbox, write))
    assert kinds(events)[:2] == ["RUN_STARTED", "MESSAGES_SNAPSHOT"], "the welcome, which the program has not seen"
    assert [message["role"] for message in events[1]["messages"]] == ["assistant", "user"]
    deltas = [event["delta"] for event in events if event["type"] == "TEXT_MESSAGE_CONTENT"]
    assert "".join(deltas) == "It is lovely in May."
    assert len(deltas) > 1
    assert kinds(events)[-3:] == ["TEXT_MESSAGE_END", "STATE_SNAPSHOT", "RUN_FINISHED"]
    assert events[-1]["outcome"] == {"type": "success"}
    again = program.run(said("Paris?"))
    assert kinds(again) == ["RUN_STARTED", "STATE_SNAPSHOT", "RUN_FINISHED"], "the same message counts once"


def test_a_proposal_is_an_interrupt_and_its_answer_a_decision_with_edited_arguments(program: Program) -> None:
    def propose(chat: FakeChat) -> None:
        chat.agent_proposes("FindEvents", {"city": "Paris", "month": "May"}, "Let me look.")

    events = program.run(said("Paris?"), meanwhile=program.when(lambda chat: chat.conversation.inbox, propose))
    (interrupt,) = events[-1]["outcome"]["interrupts"]
    called = next(event for event in events if event["type"] == "TOOL_CALL_START")
    assert interrupt["toolCallId"] == interrupt["id"] == called["toolCallId"]
    assert called["toolCallName"] == "FindEvents"
    assert interrupt["responseSchema"]["properties"]["arguments"]["properties"]["city"]["type"] == "string"

    def answer(chat: FakeChat) -> None:
        chat.tool_returns([{"name": "Fair"}])
        chat.agent_says("There is a fair.")

    payload = {"approved": True, "arguments": {"city": "Lyon", "month": "May"}}
    resume = [{"interruptId": interrupt["id"], "status": "resolved", "payload": payload}]
    events = program.run(
        said("Paris?"), meanwhile=program.when(lambda chat: chat.conversation.receipt, answer), resume=resume
    )
    assert ("confirm", interrupt["id"], {"city": "Lyon", "month": "May"}) in program.client.calls
    result = next(event for event in events if event["type"] == "TOOL_CALL_RESULT")
    assert json.loads(result["content"]) == [{"name": "Fair"}]
    assert kinds(events)[-1] == "RUN_FINISHED"
    events = program.run(said("Paris?"), resume=resume)
    assert kinds(events) == ["RUN_STARTED", "STATE_SNAPSHOT", "RUN_FINISHED"], "decided twice, it counts once"


def test_a_cancelled_interrupt_is_declined_and_nonsense_decides_nothing(program: Program) -> None:
    events = program.run(
        said("Paris?"),
        meanwhile=program.when(
            lambda chat: chat.conversation.inbox, lambda chat: chat.agent_proposes("FindEvents", {"city": "Paris"})
        ),
    )
    (interrupt,) = events[-1]["outcome"]["interrupts"]
    nonsense = [{"interruptId": interrupt["id"], "status": "resolved", "payload": {"approved": "yes"}}]
    events = program.run(resume=nonsense)
    assert events[-1]["type"] == "RUN_ERROR"
    assert "`approved`" in events[-1]["message"]
    assert program.chat.conversation.proposal is not None
    program.run(
        resume=[{"interruptId": interrupt["id"], "status": "cancelled"}],
        meanwhile=program.when(lambda chat: chat.conversation.reply_due, lambda chat: chat.agent_says("Then not.")),
    )
    assert program.client.calls[-1] == ("decline", interrupt["id"], "")


def test_what_happened_in_the_page_meanwhile_is_told(program: Program) -> None:
    hello = program.when(lambda chat: chat.conversation.inbox, lambda chat: chat.agent_says("Hello."))
    program.run(said("Hi"), meanwhile=hello)
    program.chat.conversation.receive_message(UserMessage(text="From the page", id="p1"), program.chat.tick())
    program.chat.agent_says("I hear you.")
    events = program.run(said("Hi"))
    texts = [(event["role"], event["messageId"]) for event in events if event["type"] == "TEXT_MESSAGE_START"]
    assert [role for role, _ in texts] == ["user", "assistant"]
    program.state = None
    (snapshot,) = [event for event in program.run() if event["type"] == "MESSAGES_SNAPSHOT"]
    assert [message["content"] for message in snapshot["messages"]][-2:] == ["From the page", "I hear you."]


def test_a_thread_that_was_never_begun_is_an_error(program: Program) -> None:
    events = program.run()
    assert kinds(events) == ["RUN_STARTED", "RUN_ERROR"]
    assert events[-1]["code"] == "ChatNotFound"
