"""Break it in a browser: real processes are killed by its buttons, lights tell of it, and the chat goes on."""

import re

from playwright.async_api import Browser, expect

from tests.bench.outbox import BOX
from tests.e2e.conftest import RunningPage

PATIENCE = 60_000


async def test_a_person_kills_worker_and_server_and_loses_an_answer(
    running_page: RunningPage, browser: Browser
) -> None:
    page = await browser.new_page()
    await page.goto(await running_page.owner_url())
    await page.locator(".st-key-example-0 button").click()
    card, panel = page.locator('[class*="st-key-card-"]'), page.locator(".st-key-break-it")
    await expect(card).to_contain_text("Find events", timeout=PATIENCE)

    worker = running_page.pid_of("worker")
    await expect(panel).to_contain_text(f"Worker {worker}")
    await page.get_by_role("button", name="Kill the worker").click()
    await expect(panel).to_contain_text(f"{worker} died", timeout=PATIENCE)
    await expect(page.locator(".st-key-status")).to_contain_text("Waiting for your decision", timeout=PATIENCE)
    worker = running_page.pid_of("worker")
    await expect(panel).to_contain_text(f"Worker {worker}", timeout=PATIENCE)

    await page.get_by_role("button", name="Lose the next tool's answer").click()
    await expect(panel).to_contain_text("dies when the next tool has run", timeout=PATIENCE)
    await card.get_by_role("button", name="Confirm").first.click()
    await expect(page.locator("table")).to_be_visible(timeout=PATIENCE)
    await expect(page.locator('[class*="st-key-happened-"]')).to_contain_text(
        re.compile(r"took over.*nothing done twice"), timeout=PATIENCE
    )
    await expect(panel).to_contain_text(f"{worker} died", timeout=PATIENCE)

    server = running_page.pid_of("server")
    await page.get_by_role("button", name="Kill the server").click()
    await expect(panel).to_contain_text(f"{server} died", timeout=PATIENCE)
    await page.locator(BOX).fill("the second one")
    await page.locator(BOX).press("Enter")
    await expect(page.locator(".stMain")).to_contain_text("Which city will you depart from", timeout=PATIENCE)
    await expect(page.locator(".stChatMessage .stText")).to_have_text(
        ["An event in San Francisco in March", "the second one"]
    )


async def test_the_tour_leads_from_a_sentence_over_a_dead_worker_to_the_marked_line(
    running_page: RunningPage, browser: Browser
) -> None:
    page = await browser.new_page()
    await page.goto(await running_page.owner_url())
    await page.get_by_role("button", name="Take the one-minute tour").click()
    await page.locator(".st-key-tour-example button").click()
    await expect(page.locator(".st-key-tour-confirm")).to_be_visible(timeout=PATIENCE)
    await page.locator('[class*="st-key-card-"]').get_by_role("button", name="Confirm").first.click()
    growing = page.locator(".stChatMessage", has_text="▍")
    await expect(growing).to_contain_text("in March", timeout=PATIENCE)
    worker = running_page.pid_of("worker")
    await page.locator(".st-key-tour-kill-now button").click()
    await expect(page.locator(".st-key-tour-dead")).to_contain_text(f"Worker {worker} is dead", timeout=PATIENCE)
    await expect(page.locator(".st-key-tour-done")).to_contain_text("That was it", timeout=PATIENCE)
    await expect(page.locator('[class*="st-key-happened-"]')).to_contain_text(f"{worker} died here")
    await page.get_by_role("button", name="Close", exact=True).click()
    await expect(page.locator('[class*="st-key-tour-"]')).to_have_count(0)
