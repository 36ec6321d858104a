"""The first screen in a browser: nothing begins before somebody says something, and what is said then is kept."""

import os
import signal

from playwright.async_api import Browser, Page, expect

from tests.bench.outbox import BOX
from tests.e2e.conftest import RunningPage

PATIENCE = 60_000


async def _said(page: Page, text: str) -> None:
    await expect(page.locator(".stChatMessage .stText")).to_have_text([text], timeout=PATIENCE)


async def test_a_chat_begins_with_a_click_and_back_and_forward_begin_none(
    running_page: RunningPage, browser: Browser
) -> None:
    chats = await running_page.chats()
    before = {row.chat_id for row in await chats.chats(100)}
    page = await browser.new_page()
    await page.goto(running_page.url)
    await expect(page.locator(".stMain")).to_contain_text("the chat goes on", timeout=PATIENCE)
    await page.locator(".st-key-pick-food button").click()
    await expect(page.locator(".stChatMessage")).to_contain_text(
        "a pizzeria, a grill and a noodle bar", timeout=PATIENCE
    )
    assert {row.chat_id for row in await chats.chats(100)} == before

    await page.get_by_role("button", name="A burger and fries").click()
    await _said(page, "A burger and fries")
    await page.wait_for_url("**/?chat=*", timeout=PATIENCE)
    chat = page.url
    await page.go_back()
    await expect(page.locator(".st-key-pick")).to_be_visible(timeout=PATIENCE)
    assert "chat=" not in page.url
    await page.go_forward()
    await _said(page, "A burger and fries")
    assert page.url == chat

    await page.set_viewport_size({"width": 375, "height": 700})
    await page.locator(".st-key-end-chat button").click(timeout=PATIENCE)
    await expect(page.locator(".st-key-end-now button")).to_be_visible(timeout=PATIENCE)
    await page.locator(".st-key-new-chat button").click(timeout=PATIENCE)
    await expect(page.locator(".st-key-pick")).to_be_visible(timeout=PATIENCE)
    assert len({row.chat_id for row in await chats.chats(100)} - before) <= 1
    assert (await chats.view(chat.rpartition("=")[2])).run_status == "running"


async def test_a_first_message_during_an_outage_and_a_reload_begins_one_chat(
    running_page: RunningPage, browser: Browser
) -> None:
    page = await browser.new_page()
    await page.goto(running_page.url)
    await expect(page.locator(BOX)).to_be_visible(timeout=PATIENCE)
    await page.locator(BOX).fill("half a thou")
    await page.reload()
    await expect(page.locator(BOX)).to_have_value("half a thou", timeout=PATIENCE)
    server = running_page.pid_of("server")
    os.kill(server, signal.SIGSTOP)
    try:
        await page.locator(BOX).fill("Rome in May")
        await page.locator(BOX).press("Enter")
        await page.wait_for_url("**/?chat=*", timeout=PATIENCE)
        address = page.url
        await page.reload()
        await expect(page.locator(".pending-message")).to_contain_text(["Rome in May"], timeout=PATIENCE)
    finally:
        os.kill(server, signal.SIGCONT)
    await _said(page, "Rome in May")
    assert page.url == address
    await expect(page.locator(".pending-message")).to_have_count(0, timeout=PATIENCE)
