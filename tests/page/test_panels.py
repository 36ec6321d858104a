"""The waterfall and the score over the page, and the link to Temporal's Web UI."""

from datetime import UTC, datetime, timedelta

import pytest
import streamlit as st

from agent.errors import ServerUnavailable
from agent.local import LocalStatus
from agent.messages import Interruption
from agent.page.score import explanation, proof
from agent.page.waterfall import label, table
from agent.timeline import Fact, RunHistory, Score, Span, Turn
from tests.page.conftest import Page

NOON = datetime(2030, 3, 1, 12, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def history() -> RunHistory:
    died = Interruption(kind="died", worker="14995@here", at=at(2), next_worker="15507@here", resumed=at(8))
    told = {"interruptions": [died.model_dump(mode="json")]}
    return RunHistory(
        "run",
        (
            Fact(1, NOON, "begun"),
            Fact(2, NOON, "signal", "user_prompt", details={"id": "m1"}),
            Fact(5, at(1), "scheduled", "plan", 5, "1", details={"said": [2]}),
            Fact(6, at(8), "started", about=5, attempt=2, worker="15507@here"),
            Fact(7, at(10), "completed", about=5, details=told),
        ),
    )


def bars(html: str) -> list[tuple[float, float]]:
    """Left edge and width of each bar, in percent."""
    return [
        (float(piece.split("%")[0]), float(piece.split("width:")[1].split("%")[0]))
        for piece in html.split("left:min(")[1:]
    ]


def test_bars_are_to_scale() -> None:
    turn = Turn((Span("signal", "message", at(0), at(1)), Span("model", "plan", at(1), at(10))))
    assert bars(table(turn, "12:00")) == [(0.0, 10.0), (10.0, 90.0)]


def test_a_bar_says_in_words_what_it_is() -> None:
    assert label(Span("model", "plan", at(1), at(2), "died", "14995@here", 1)) == (
        "Model, attempt 1 on worker 14995: its worker died"
    )
    assert label(Span("tool", "FindEvents", at(1), at(2))) == "Find events"
    assert label(Span("person", "confirm", at(1), at(2))) == "Your wait, until you confirmed"


def test_names_from_outside_are_letters_only() -> None:
    turn = Turn((Span("tool", "<img src=x onerror=alert(1)>", at(0), at(1)),))
    assert "<img" not in table(turn, "12:00")


def test_the_waterfall_opens_and_closes_with_another_chat(greeted: Page) -> None:
    greeted.client.histories[greeted.chat_id] = history()
    greeted.click("open-waterfall")
    (shown,) = [
        each.proto.body
        for each in greeted.app.get("html")
        if "waterfall" in each.proto.body and "<table" in each.proto.body
    ]
    assert "its worker died" in shown
    assert greeted.app.session_state.session.panel == "waterfall"


def test_the_score_counts_this_chat_and_all_that_the_reader_sees(greeted: Page) -> None:
    greeted.client.histories[greeted.chat_id] = history()
    greeted.click("open-score")
    assert "| Workers that died at work | 1 | 1 |" in greeted.text
    assert "| Slowest recovery | 6.0 s | 6.0 s |" in greeted.text
    assert "1 chat that you can see here" in greeted.text


def test_a_server_that_is_away_is_a_sentence_in_the_panel(greeted: Page) -> None:
    greeted.client.history_trouble = ServerUnavailable("The Temporal server does not answer.")
    greeted.click("open-score")
    assert "The Temporal server does not answer." in greeted.text


def test_the_proof_has_the_counts_and_not_the_way_into_the_chat() -> None:
    score = Score(chats=1, since=NOON, confirmed=2, done=2)
    text = proof("chat-0123456789abcdef", score, score, NOON, UTC)
    assert "| Tools confirmed / done | 2 / 2 | 2 / 2 |" in text
    assert "chat-0123456789abcdef" not in text
    assert "the oldest of Fri 1 Mar 2030, 12:00" in explanation(score, UTC).replace("\u00a0", " ")


EMBEDDED = LocalStatus(step="Ready", phase="ready", address="test:1", ui_url="http://127.0.0.1:8233")


class _Visited:
    """What Streamlit knows of a visit."""

    cookies: dict[str, str] = {}
    timezone = "UTC"

    def __init__(self, url: str) -> None:
        self.url = url


@pytest.mark.parametrize(
    ("address", "configured", "link"),
    [
        ("http://localhost:8501/", "", "http://127.0.0.1:8233"),
        ("http://127.0.0.1:8501/?chat=x", "", "http://127.0.0.1:8233"),
        ("https://chat.example.com/", "", ""),
        ("https://chat.example.com/", "https://temporal.example.com", "https://temporal.example.com"),
    ],
)
def test_nobody_is_sent_to_an_address_of_their_own_machine(
    page: Page, monkeypatch: pytest.MonkeyPatch, address: str, configured: str, link: str
) -> None:
    page.settings, page.local_stack.now = {"temporal_ui_url": configured}, EMBEDDED
    page.greet()
    monkeypatch.setattr(st, "context", _Visited(address))
    page.app.run()
    shown = [each.proto.url for each in page.app.get("link_button") if "/workflows/" in each.proto.url]
    assert [url.split("/namespaces")[0] for url in shown] == ([link] if link else [])
