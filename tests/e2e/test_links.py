"""A link that decides, in a browser that knows nothing of the chat."""

from datetime import UTC, datetime, timedelta

from playwright.async_api import Browser, expect

from agent import links
from agent.client import new_chat_id
from agent.goals import goal_for
from agent.messages import Link
from agent.page.access import Owner
from tests.e2e.conftest import RunningPage
from tests.workflow.harness import wait_until
from tools import load

PATIENCE = 60_000


async def test_somebody_else_confirms_by_a_link_in_a_browser_of_their_own(
    running_page: RunningPage, browser: Browser
) -> None:
    chats, chat_id = await running_page.chats(), new_chat_id()
    goal = goal_for(load(), "event_flight_invoice")
    await chats.begin(chat_id, goal, "Find me an event in Melbourne in March", "1", welcome="Hello!")
    waiting: list[str] = []

    async def waits() -> bool:
        view = (await chats.view(chat_id)).view
        waiting[:] = [each.id for each in view.deciding] if view else []
        return bool(waiting)

    await wait_until(waits)
    await chats.add_link(chat_id, "decide", seconds=600, link_id="l1", proposal_id=waiting[0])
    expires = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=60)
    key = Owner.of_home(running_page.home).token
    token = links.token(key, chat_id, Link(id="l1", kind="decide", expires=expires))
    page = await (await browser.new_context()).new_page()
    await page.goto(f"{running_page.url}/decide/{token}")
    await page.locator("#name").fill("Bob")
    await page.get_by_role("button", name="Confirm").click()
    await expect(page.get_by_text("Confirmed. You can close this page.")).to_be_visible(timeout=PATIENCE)
    view = (await chats.view(chat_id)).view
    assert view is not None
    assert [each.who for each in view.messages if each.kind == "decision"] == ["Bob (by a link)"]
