"""The conversation of the first issue, held in a browser, with a worker killed and a reload on the way."""

import os
import re
import signal
from dataclasses import dataclass

from playwright.async_api import Browser, Page, expect

from tests.bench.outbox import BOX
from tests.e2e.conftest import RunningPage

PATIENCE = 60_000
"""Milliseconds: a machine may be busy; how fast it is, the benchmark says."""

CARD_BUTTONS = 6
"""Confirm, Decline, Edit, Decline with a reason, Don't ask again, Ask somebody else."""


@dataclass
class Reader:
    """A person at the page."""

    page: Page

    async def see(self, words: str) -> None:
        await expect(self.page.locator(".stMain")).to_contain_text(re.compile(words, re.IGNORECASE), timeout=PATIENCE)

    async def status(self, words: str) -> None:
        await expect(self.page.locator(".st-key-status")).to_contain_text(
            re.compile(words, re.IGNORECASE), timeout=PATIENCE
        )

    async def say(self, text: str) -> None:
        box = self.page.locator(BOX)
        await box.fill(text)
        await box.press("Enter")

    async def confirm(self, card: str) -> None:
        """Confirm the open card, which is this tool's."""
        shown = self.page.locator('[class*="st-key-card-"]')
        await expect(shown).to_contain_text(card, timeout=PATIENCE)
        await shown.get_by_role("button", name="Confirm", exact=False).first.click()
        await expect(shown).to_have_count(0, timeout=PATIENCE)

    async def sees_the_end(self) -> None:
        """The newest message is in view, as a chat should open."""
        await self.page.wait_for_function(
            "() => { const m = document.querySelector('.stMain');"
            " return m.scrollHeight > m.clientHeight && m.scrollHeight - m.scrollTop - m.clientHeight < 60; }",
            timeout=PATIENCE,
        )

    async def said(self) -> list[str]:
        """The person's own words, as the page shows them."""
        return [text.strip() for text in await self.page.locator(".stChatMessage .stText").all_inner_texts()]

    async def shows_exactly(self, blocks: list[str]) -> None:
        """Once it has drawn to the end."""
        await expect(self.page.locator('[class*="st-key-card-"] button')).to_have_count(CARD_BUTTONS, timeout=PATIENCE)
        await self.page.wait_for_timeout(500)
        assert await self.everything() == blocks

    async def everything(self) -> list[str]:
        """All that the transcript shows, block by block, without the icons' names."""
        return [text.strip() for text in await self.page.locator(".stChatMessage").all_inner_texts()]


async def test_conversation_survives_a_killed_worker_and_a_reload(running_page: RunningPage, browser: Browser) -> None:
    context = await browser.new_context()
    page = await context.new_page()
    reader = Reader(page)
    await page.goto(running_page.url)
    await reader.see("which city")
    await reader.say("I'd like to see events in San Francisco in March")
    await reader.confirm("Find events")
    await expect(page.locator("table")).to_contain_text("When", timeout=PATIENCE)
    await reader.status("Waiting for you$")
    await reader.say("I would like to attend the second one")
    await reader.see("city will you depart from")
    await reader.say("I would like to order two double cheeseburgers.")
    await reader.see("does not fit")

    killed = running_page.pid_of("worker")
    os.kill(killed, signal.SIGKILL)
    await reader.say("I'm sorry. I'd like to depart from Austin, TX")
    await expect(page.locator('[class*="st-key-card-"]')).to_contain_text("Search flights", timeout=PATIENCE)
    assert running_page.pid_of("worker") != killed

    await reader.status("Waiting for your decision")
    await expect(page.locator('[class*="st-key-card-"] button')).to_have_count(CARD_BUTTONS, timeout=PATIENCE)
    await page.wait_for_timeout(500)
    before, address = await reader.everything(), page.url
    other = Reader(await context.new_page())
    await other.page.goto(address)
    await other.status("Waiting for your decision")
    await other.shows_exactly(before)
    await page.reload()
    await reader.status("Waiting for your decision")
    assert page.url == address
    await reader.shows_exactly(before)
    await reader.sees_the_end()

    await other.page.locator(BOX).fill("half a thou")
    await reader.confirm("Search flights")
    await reader.see("cheapest")
    await other.status("Waiting for you$")
    assert await other.page.locator(BOX).input_value() == "half a thou"
    await other.page.close()

    await reader.say("Yes")
    await reader.confirm("Create invoice")
    await reader.status("The goal is reached")
    link = page.get_by_role("link", name="Open the invoice")
    assert (await link.get_attribute("href") or "").startswith("https://")
    await reader.see("Reference")

    assert await reader.said() == [
        "I'd like to see events in San Francisco in March",
        "I would like to attend the second one",
        "I would like to order two double cheeseburgers.",
        "I'm sorry. I'd like to depart from Austin, TX",
        "Yes",
    ]
    decided = await page.locator(".stExpander summary, .stExpander button").all_inner_texts()
    times = {
        tool: sum(tool in text for text in decided) for tool in ("Find events", "Search flights", "Create invoice")
    }
    assert times == {"Find events": 1, "Search flights": 1, "Create invoice": 1}
    assert not await page.get_by_test_id("stException").count()
    transcript = "\n".join(await reader.everything())
    assert not re.search(r"""[{}]|['"]:|\bNone\b|\\u""", transcript)

    await page.locator(".st-key-new-chat button").click()
    await expect(page).not_to_have_url(address, timeout=PATIENCE)
    await reader.see("which city")
    assert await reader.said() == []
