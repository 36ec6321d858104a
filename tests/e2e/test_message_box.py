"""The message box in a browser: keys, drafts, limits, and what a reload keeps."""

import asyncio
import os
import secrets
import signal

from playwright.async_api import Browser, Page, expect

from tests.bench.outbox import BOX
from tests.e2e.conftest import RunningPage

PATIENCE = 60_000
PENDING = ".pending-message"


async def _compose(page: Page, text: str, committed: str) -> None:
    """Type with an input method: Enter picks a candidate, and is not meant for the page."""
    devtools = await page.context.new_cdp_session(page)
    await devtools.send(
        "Input.imeSetComposition", {"text": text, "selectionStart": len(text), "selectionEnd": len(text)}
    )
    enter = {"key": "Process", "code": "Enter", "windowsVirtualKeyCode": 229}
    await devtools.send("Input.dispatchKeyEvent", {"type": "rawKeyDown", **enter})
    await devtools.send("Input.insertText", {"text": committed})
    await devtools.send("Input.dispatchKeyEvent", {"type": "keyUp", **enter})


async def _leave_behind(page: Page, text: str) -> None:
    """As if a tab had been closed right after this was sent."""
    message = {
        "chat": page.url.rpartition("chat=")[2],
        "id": secrets.token_hex(16),
        "text": text,
        "proposal": "",
        "at": 1,
    }
    keep = "message => localStorage.setItem(`steadfast.message.1.${message.id}`, JSON.stringify(message))"
    await page.evaluate(keep, message)
    await page.reload()


async def _expect_nothing_kept(page: Page) -> None:
    """The browser forgets what was acknowledged, and what was discarded once the page knows it."""
    kept = "Object.keys(localStorage).filter(key => key.startsWith('steadfast.message')).length"
    await page.wait_for_function(f"() => {kept} === 0", timeout=PATIENCE)


async def _rests_while_hidden(running_page: RunningPage, browser: Browser) -> None:
    """A hidden tab asks for nothing once the agent is done, and shows what happened as soon as it is seen."""
    asked: list[str | bytes] = []
    page = await browser.new_page()
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: asked.append(frame)))
    await page.goto(await running_page.new_chat())
    box = page.locator(BOX)
    await expect(page.get_by_text("Waiting for you")).to_be_visible(timeout=PATIENCE)
    await _see(page, hidden=True)
    quiet = 0
    while quiet < 6:  # two seconds and more, in which a visible tab asks
        before = len(asked)
        await asyncio.sleep(0.5)
        quiet = quiet + 1 if len(asked) == before else 0

    chats = await running_page.chats()
    await chats.send(page.url.rpartition("chat=")[2], "Rome in May")
    await asyncio.sleep(3)
    await expect(page.get_by_text("Rome in May", exact=True)).to_have_count(0)
    await _see(page, hidden=False)
    await expect(page.get_by_text("Rome in May", exact=True)).to_be_visible(timeout=PATIENCE)
    before = len(asked)
    await box.fill("and then?")
    await box.press("Enter")
    await expect(page.get_by_text("and then?", exact=True).first).to_be_visible(timeout=PATIENCE)
    assert len(asked) > before


async def _see(page: Page, *, hidden: bool) -> None:
    """As if the person had gone to another tab, or come back: headless tabs are always visible."""
    await page.evaluate(
        "hidden => { Object.defineProperty(document, 'hidden', {value: hidden, configurable: true});"
        " document.dispatchEvent(new Event('visibilitychange')); }",
        hidden,
    )


async def test_keys_drafts_limits_what_a_reload_keeps_and_rest_while_hidden(
    running_page: RunningPage, browser: Browser
) -> None:
    page = await browser.new_page()
    await page.goto(running_page.url)
    said = page.locator(".stChatMessage .stText")
    box = page.locator(BOX)
    await expect(page.get_by_role("textbox", name="Message")).to_be_focused(timeout=PATIENCE)

    await page.keyboard.type("two")
    await page.keyboard.press("Shift+Enter")
    await page.keyboard.type("lines")
    await _compose(page, "にほん", "日本")
    await expect(box).to_have_value("two\nlines日本")
    await page.reload()
    await expect(box).to_have_value("two\nlines日本", timeout=PATIENCE)
    await box.press("Enter")
    await expect(box).to_have_value("")
    await expect(box).to_be_focused()
    await expect(said).to_have_text(["two\nlines日本"], timeout=PATIENCE)
    await expect(page.locator(PENDING)).to_have_count(0, timeout=PATIENCE)

    await box.fill("x" * 8_001)
    await expect(page.locator(".message-box-hint")).to_have_text(
        "8,001 of 8,000 characters: shorten the message to send it."
    )
    await box.press("Enter")
    await expect(page.get_by_role("button", name="Send message")).to_be_disabled()
    await expect(box).to_have_value("x" * 8_001)
    await box.fill("")

    server = running_page.pid_of("server")
    os.kill(server, signal.SIGSTOP)
    try:
        await box.fill("One <b>![x](http://evil.example)")
        await box.press("Enter")
        await expect(page.locator(PENDING)).to_have_count(1)
        await page.reload()
        await expect(page.locator(PENDING)).to_contain_text(["One <b>![x](http://evil.example)"], timeout=PATIENCE)
    finally:
        os.kill(server, signal.SIGCONT)
    await expect(said.nth(1)).to_have_text("One <b>![x](http://evil.example)", timeout=PATIENCE)
    await expect(page.locator(PENDING)).to_have_count(0, timeout=PATIENCE)
    await _expect_nothing_kept(page)

    await _leave_behind(page, "y" * 8_001)
    await expect(page.locator(PENDING)).to_contain_text("Not sent. The message has 8,001 characters", timeout=PATIENCE)
    await page.get_by_role("button", name="Edit", exact=True).click()
    await expect(box).to_have_value("y" * 8_001)
    await expect(page.locator(PENDING)).to_have_count(0, timeout=PATIENCE)
    await box.fill("")

    await page.locator(".st-key-end-chat button").click()
    await page.locator(".st-key-end-now button").click()
    await expect(box).to_be_disabled(timeout=PATIENCE)
    await _leave_behind(page, "too late")
    await expect(page.locator(PENDING)).to_contain_text("Not sent. This chat has ended.", timeout=PATIENCE)
    await page.get_by_role("button", name="Discard").click()
    await expect(page.locator(PENDING)).to_have_count(0, timeout=PATIENCE)
    await page.reload()
    await expect(box).to_be_disabled(timeout=PATIENCE)
    await expect(page.locator(PENDING)).to_have_count(0)
    await _expect_nothing_kept(page)
    await page.close()
    await _rests_while_hidden(running_page, browser)
