"""A page without a browser: each tick is one run of the script."""

import asyncio
import json
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

import tools
from agent.goals import goal_for
from agent.page import pace
from agent.page.access import Owner
from agent.page.app import PageApp
from agent.page.message_box import KEY
from tests.page.fake_client import FakeChat, FakeClient, FakeStack, page_over

INVOICE = {"amount": "208.73", "currency": "USD", "description": "Flight"}


def _script(app: "PageApp") -> None:
    from agent.page.screen import draw

    draw(app)


@pytest.fixture(autouse=True)
def short_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tick waits for the end of its run, which a browser does not."""
    monkeypatch.setattr(pace, "FOLLOW", 0.02)


@dataclass
class Page:
    """What a person sees and does, and the chat behind it."""

    client: FakeClient = field(default_factory=FakeClient)
    local_stack: FakeStack = field(default_factory=FakeStack)
    settings: dict[str, Any] = field(default_factory=dict)
    owner: Owner | None = None
    page_app: PageApp | None = None
    unsent: list[dict[str, str]] = field(default_factory=list)
    app: AppTest = field(init=False)

    def visit(self, **query: str) -> "Page":
        """Open the page in a new session and wait until it has drawn."""
        self.page_app = self.page_app or page_over(self.client, self.local_stack, self.owner, **self.settings)
        self.app = AppTest.from_function(_script, default_timeout=20, kwargs={"app": self.page_app})
        for name, value in query.items():
            self.app.query_params[name] = value
        self.app.run()
        return self

    def greet(self) -> "Page":
        """Open a chat of a session of its own in which the agent has greeted, and nobody has said anything."""
        goal = goal_for(tools.load(), "event_flight_invoice")
        return self.visit(chat=asyncio.run(self.client.start(goal))).shows("Which city would you like to visit")

    def until(self, what: Callable[[], Any]) -> "Page":
        """Tick until it is so."""
        deadline = time.monotonic() + 10
        while not what():
            assert time.monotonic() < deadline, self.text
            assert not len(self.app.exception), "The script raised; the log has the traceback."
            time.sleep(0.02)
            self.app.run()
        return self

    def shows(self, words: str) -> "Page":
        """Tick until these words are on the page."""
        return self.until(lambda: words in self.text)

    def say(self, text: str) -> "Page":
        """Type it and press Enter, as the browser's side of the message box does; wait for what comes of it."""
        waiting = self.box["proposal"]
        box = self.box
        message = {"chat": box["chat"], "id": secrets.token_hex(16), "text": text, "proposal": waiting}
        message["goal"] = box["goal"]
        self.unsent.append(message)
        self.hand_over()
        return self.until(lambda: self._is_settled(message["id"]))

    def _is_settled(self, message_id: str) -> bool:
        """Whether the page knows the message, and it is not merely waiting."""
        known = {message["id"]: message for message in self.pending}
        if message_id in known:
            return known[message_id]["state"] != "waiting" or bool(known[message_id]["note"])
        return message_id in self.box["delivered"]

    def hand_over(self) -> "Page":
        """What the browser has kept reaches the script."""
        self.app.session_state[KEY] = {"outbox": {"revision": len(self.unsent), "messages": list(self.unsent)}}
        self.app.run()
        return self

    def click(self, key: str) -> "Page":
        """Press the button of this key."""
        self.app.button(key=key).click().run()
        return self

    def has(self, key: str) -> bool:
        return any(button.key == key for button in self.app.button)

    @property
    def box(self) -> dict[str, Any]:
        """What the script tells the browser's side of the message box."""
        return self._told("messages")

    @property
    def assist(self) -> dict[str, Any]:
        """What the script tells the component for keyboards and screen readers."""
        return self._told("copied")

    def _told(self, part: str) -> dict[str, Any]:
        told: list[dict[str, Any]] = [json.loads(each.proto.bytes) for each in self.app.get("bidi_component")]
        (found,) = [each for each in told if part in each]
        return found

    @property
    def pending(self) -> list[dict[str, str]]:
        """The messages on their way, as bubbles that the browser draws."""
        return list(self.box["messages"])

    @property
    def chat(self) -> FakeChat:
        return self.client.chats_by_id[self.chat_id]

    @property
    def chat_id(self) -> str:
        """What the address says, "" without a chat."""
        said = self.app.query_params.get("chat", "")
        return said if isinstance(said, str) else said[0]

    @property
    def text(self) -> str:
        """All words on the page, without the marks that keep them from being Markdown."""
        kinds = ("markdown", "caption", "text", "warning", "error", "info")
        words = [str(element.value) for kind in kinds for element in self.app.get(kind)]  # type: ignore[union-attr]
        words += [expander.label for expander in self.app.expander]
        words += [button.label for button in self.app.button]
        return "\n".join(words).replace("\\", "").replace("\u00a0", " ")

    @property
    def card_id(self) -> str:
        """The id of the proposal that waits."""
        assert self.chat.conversation.proposal is not None
        return self.chat.conversation.proposal.id

    def calls(self, name: str) -> list[tuple[Any, ...]]:
        """What the client was asked, without the name of the call."""
        return [call[1:] for call in self.client.calls if call[0] == name]


@pytest.fixture
def page() -> Iterator[Page]:
    made = Page()
    yield made
    if made.page_app is not None:
        made.page_app.loop.close()


@pytest.fixture
def greeted(page: Page) -> Page:
    return page.greet()


@pytest.fixture
def proposed(greeted: Page) -> Page:
    greeted.chat.agent_proposes("CreateInvoice", dict(INVOICE), "Let's create the invoice.")
    return greeted.shows("Let's create the invoice.")
