"""The list of chats: its order and headings, search, the badge of the tab, and deleting."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from agent.client import ChatRow
from agent.page.chat_list import SEARCHED, groups
from tests.page.conftest import Page

NOW = datetime(2030, 3, 15, 12, 0, tzinfo=UTC)


def row(name: str, ago: timedelta, **more: Any) -> ChatRow:
    return ChatRow(name, name, "food", NOW - ago, "running", **more)


def test_what_needs_the_person_comes_first_then_by_day() -> None:
    rows = [
        row("now", timedelta(hours=1)),
        row("yesterday", timedelta(hours=20)),
        row("needs", timedelta(days=3), waiting=True),
        row("week", timedelta(days=6)),
        row("old", timedelta(days=40)),
    ]
    found = {heading: [each.chat_id for each in listed] for heading, listed in groups(rows, NOW, UTC).items()}
    assert found == {
        "Needs you": ["needs"],
        "Today": ["now"],
        "Yesterday": ["yesterday"],
        "Previous 7 days": ["week"],
        "Older": ["old"],
    }
    assert next(iter(found)) == "Needs you"


def test_a_day_is_one_of_the_readers_time_zone() -> None:
    late = [row("late", timedelta(hours=11))]  # 01:00 in UTC
    assert list(groups(late, NOW, UTC)) == ["Today"]
    assert list(groups(late, NOW, ZoneInfo("America/New_York"))) == ["Yesterday"]


def test_a_long_list_is_searched_by_title(page: Page) -> None:
    for _ in range(SEARCHED):
        page.greet()
    page.until(lambda: any(each.key == "search-chats" for each in page.app.text_input))
    page.app.text_input(key="search-chats").input("no such words").run()
    page.shows("No chat has these words in its title.")
    assert not page.has(f"chat-{page.chat_id}")
    page.app.text_input(key="search-chats").input("PLAN trip").run()
    assert page.has(f"chat-{page.chat_id}")


def test_a_deleted_chat_is_gone_from_the_list_at_once(greeted: Page) -> None:
    chat_id = greeted.chat_id
    greeted.until(lambda: greeted.has(f"chat-{chat_id}")).click("open-delete").shows("cannot be undone")
    assert greeted.calls("delete") == []
    greeted.click("delete-now").shows("the chat goes on")
    assert greeted.calls("delete") == [(chat_id,)]
    assert greeted.chat_id == ""
    assert not greeted.has(f"chat-{chat_id}")
