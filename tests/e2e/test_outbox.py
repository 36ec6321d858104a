"""Messages sent while things die: none vanishes, none comes twice, none overtakes another."""

from playwright.async_api import Browser

from tests.bench.outbox import play_round
from tests.e2e.conftest import RunningPage


async def test_messages_sent_through_freezes_kills_and_reloads_arrive_once_and_in_order(
    running_page: RunningPage, browser: Browser
) -> None:
    played = await play_round(running_page, browser, 1, messages=20, longest=4)
    assert await played.arrived(120) == played.sent
    assert {"freeze", "kill server"} <= set(played.happened)
