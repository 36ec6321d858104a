"""What people do with a chat, in a browser: stop, regenerate, copy, edit, fork, import, decide several, rules."""

import re
from pathlib import Path

from playwright.async_api import Browser, Locator, Page, expect

from agent.faults import Faults
from tests.bench.outbox import BOX
from tests.e2e.conftest import RunningPage

PATIENCE = 60_000


async def _say(page: Page, text: str) -> None:
    await page.locator(BOX).fill(text)
    await page.locator(BOX).press("Enter")


async def _choose(message: Locator, option: str) -> None:
    """From the menu of a message."""
    await message.get_by_role("button", name="Message actions").click()
    await message.page.get_by_text(option, exact=True).click()


async def test_a_reply_is_stopped_written_again_copied_and_gone_on_from(
    running_page: RunningPage, browser: Browser, tmp_path: Path
) -> None:
    context = await browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = await context.new_page()
    await page.goto(f"{running_page.url}/?goal=event_flight_invoice")
    status, replies = page.locator(".st-key-status").first, page.locator(".stChatMessage:has(.stMarkdown)")
    asked = page.locator('[class*="st-key-bubble-"]', has_text="what can you do?")
    faults = Faults(running_page.home)
    faults.slow_model()
    await _say(page, "what can you do?")
    await expect(replies.last).to_contain_text(re.compile(r"\w+ \w+ \w+ ▍"), timeout=PATIENCE)
    await page.get_by_role("button", name="Stop").click()
    await expect(replies.last).to_contain_text("Stopped ·", timeout=PATIENCE)
    stopped = await replies.last.inner_text()
    faults.slow_model(ended=True)
    await page.get_by_role("button", name="Regenerate").click()
    await expect(page.get_by_text("An earlier reply, which was written again")).to_be_visible(timeout=PATIENCE)
    await expect(status).to_contain_text("Waiting for you", timeout=PATIENCE)
    whole = await replies.last.locator(".stMarkdown").first.inner_text()
    assert len(whole) > len(stopped.partition("\n")[0])

    await _choose(replies.last, "Copy")
    await expect(page.locator(".copied")).to_have_text("Copied")
    assert (await page.evaluate("navigator.clipboard.readText()")).split()[:4] == whole.split()[:4]

    before = page.url
    await _choose(asked, "Edit and send again")
    form = page.locator("textarea[aria-label='Your message']")
    await expect(form).to_be_focused()
    await form.press("Escape")
    await expect(form).to_have_count(0)
    await _choose(asked, "Edit and send again")
    await form.fill("An event in San Francisco in March")
    await page.get_by_role("button", name="Send in a new chat").click()
    await expect(page.locator('[class*="st-key-card-"]')).to_contain_text("San Francisco", timeout=PATIENCE)
    assert page.url != before
    await expect(asked).to_have_count(0)
    await page.go_back()
    await expect(asked).to_be_visible(timeout=PATIENCE)

    await _choose(replies.last, "Fork from here")
    await expect(page.locator(".stMain")).to_contain_text("was said in another chat", timeout=PATIENCE)
    await page.reload()
    await expect(page.locator(".stMain")).to_contain_text("was said in another chat", timeout=PATIENCE)
    await _say(page, "An event in Toronto in May")
    await expect(page.locator('[class*="st-key-card-"]')).to_contain_text("Toronto", timeout=PATIENCE)

    await page.get_by_role("button", name="Export").click()
    async with page.expect_download() as download:
        await page.get_by_role("dialog").get_by_role("button", name="JSON").click()
    file = tmp_path / "chat.json"
    await (await download.value).save_as(file)
    await page.get_by_role("dialog").get_by_role("button", name="Close").click()
    await page.get_by_role("button", name="Import").click()
    await page.get_by_role("dialog").locator("input[type=file]").set_input_files(file)
    await page.get_by_role("dialog").get_by_role("button", name="Import").last.click()
    await expect(status).to_contain_text("This chat was imported", timeout=PATIENCE)
    await expect(page.locator(BOX)).to_be_disabled()
    await page.get_by_role("button", name="Go on in a new chat").click()
    await expect(status).to_contain_text("Waiting for you", timeout=PATIENCE)
    await expect(page.locator(BOX)).to_be_enabled()


async def test_several_proposals_are_decided_together_and_a_rule_decides_the_next(
    running_page: RunningPage, browser: Browser
) -> None:
    page = await browser.new_page()
    await page.goto(f"{running_page.url}/?goal=food")
    card, decided = page.locator('[class*="st-key-card-"]'), page.locator("summary")
    await _say(page, "show me the menu of the pizzeria")
    await card.get_by_role("button", name="Confirm").first.click(timeout=PATIENCE)
    await expect(page.locator("table")).to_be_visible(timeout=PATIENCE)
    await expect(page.locator(".st-key-status")).to_contain_text("Waiting for you", timeout=PATIENCE)
    await _say(page, "a margherita and a mushroom pizza")
    await expect(card).to_contain_text("2 things to decide", timeout=PATIENCE)
    await expect(card.get_by_role("button", name="Confirm 0 of 2")).to_be_disabled()
    await card.locator(".stCheckbox label").nth(1).click()
    await card.get_by_role("button", name="Confirm 1 of 2").click()
    await expect(decided.filter(has_text="Add to cart declined by you")).to_have_count(1, timeout=PATIENCE)
    await expect(decided.filter(has_text="Add to cart confirmed by you")).to_have_count(1, timeout=PATIENCE)

    await _say(page, "also one margherita")
    await expect(card).to_contain_text("Margherita", timeout=PATIENCE)
    await card.get_by_role("button", name="Don't ask again").click()
    await page.get_by_role("button", name="Confirm, and don't ask again").click()
    rules = page.locator(".st-key-rules")
    await expect(rules).to_contain_text("Add to cart", timeout=PATIENCE)
    by_rule = decided.filter(has_text="Add to cart confirmed by your rule")
    await expect(by_rule).to_have_count(0)
    await _say(page, "also 2 mushroom pizzas")
    await expect(by_rule).to_have_count(1, timeout=PATIENCE)
    await rules.get_by_role("button", name="Revoke").click()
    await expect(rules).to_have_count(0, timeout=PATIENCE)
    await _say(page, "also one mushroom pizza")
    await expect(card).to_contain_text("Add to cart", timeout=PATIENCE)
