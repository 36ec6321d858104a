"""The page for keyboards and screen readers: axe-core finds nothing serious, and keys do what they say."""

import shutil
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from tests.bench.outbox import BOX
from tests.e2e.conftest import RunningPage

PATIENCE = 60_000
CARD = '[class*="st-key-card-"]'
ALLOWED: dict[str, str] = {}
"""Rules of axe that Streamlit's own elements break, each with the reason why we cannot mend it."""

CHECK = """
() => axe.run(document, {resultTypes: ["violations"]}).then(found => found.violations
  .filter(({impact}) => impact === "serious" || impact === "critical")
  .flatMap(({id, nodes}) => nodes.map(({html, any}) => [id, html.slice(0, 200), any[0]?.message ?? ""])))
"""


def axe() -> str:
    """The script of axe-core, where npm has installed it."""
    npm = shutil.which("npm")
    root = (
        subprocess.run([npm, "root", "-g"], capture_output=True, text=True, check=False).stdout.strip() if npm else ""
    )
    script = Path(root) / "axe-core" / "axe.min.js"
    if not root or not script.exists():
        pytest.skip("axe-core is not installed: npm install --global axe-core")
    return script.read_text(encoding="utf-8")


async def violations(page: Page, script: str) -> list[Any]:
    """What axe finds in light and dark, wide and on a phone."""
    found = []
    for scheme in ("light", "dark"):
        for width in (1280, 375):
            await page.emulate_media(color_scheme=scheme)
            await page.set_viewport_size({"width": width, "height": 900})
            await page.wait_for_timeout(800)  # colours and the sidebar move
            await page.evaluate(script)
            found += [(scheme, width, *each) for each in await page.evaluate(CHECK) if each[0] not in ALLOWED]
    await page.set_viewport_size({"width": 1280, "height": 900})
    return found


async def say(page: Page, text: str) -> None:
    await page.locator(BOX).fill(text)
    await page.locator(BOX).press("Enter")


async def focused(page: Page, selector: str) -> None:
    """Wait until the focus is there."""
    await page.wait_for_function(f"() => document.activeElement?.matches('{selector}')", timeout=PATIENCE)


async def test_nothing_serious_is_found_and_keys_decide(running_page: RunningPage, browser: Browser) -> None:
    script = axe()
    page = await browser.new_page()
    hosts: set[str] = set()
    page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
    await page.goto(await running_page.owner_url())
    await expect(page.locator(".stChatMessage")).to_be_visible(timeout=PATIENCE)
    await expect(page.locator(BOX)).to_be_visible(timeout=PATIENCE)
    assert await violations(page, script) == []

    await say(page, "an event in San Francisco in March")
    await expect(page.locator(CARD)).to_contain_text("Find events", timeout=PATIENCE)
    assert await violations(page, script) == []

    # A key that was meant for words decides nothing.
    await page.locator(BOX).focus()
    await page.keyboard.press("Enter")
    await page.keyboard.type("y")
    await expect(page.locator(BOX)).to_have_value("y")
    await page.keyboard.press("Backspace")
    await page.keyboard.press("Escape")
    await focused(page, CARD)
    await page.keyboard.press("Enter")
    await page.keyboard.press("Space")
    await page.keyboard.press("e")
    form = page.get_by_test_id("stForm")
    await expect(form).to_be_visible(timeout=PATIENCE)
    await focused(page, "[data-testid=stForm] input")
    assert await violations(page, script) == []
    await page.keyboard.press("Enter")
    for _ in range(3):  # a key that is pressed while the page draws anew may meet no form
        await page.keyboard.press("Escape")
        with suppress(AssertionError):
            await expect(form).to_have_count(0, timeout=20_000)
            break
    await expect(form).to_have_count(0)
    await focused(page, ".message-box textarea")
    await expect(page.locator(CARD).get_by_role("button", name="Confirm")).to_be_enabled()

    await page.keyboard.press("Escape")
    await focused(page, CARD)
    await page.keyboard.press("y")
    await expect(page.locator("table")).to_be_visible(timeout=PATIENCE)
    await expect(page.locator(".announced-words")).to_contain_text("Which", timeout=PATIENCE)
    await page.locator(".stExpander summary").first.click()
    await focused(page, ".message-box textarea")
    assert await violations(page, script) == []
    assert hosts == {running_page.url.removeprefix("http://")}


async def test_what_is_read_stays_in_place_while_earlier_messages_are_shown(
    running_page: RunningPage, browser: Browser
) -> None:
    page = await browser.new_page()
    chats, address = await running_page.chats(), await running_page.new_chat()
    for number in range(52):
        await chats.send(address.rpartition("=")[2], f"Message {number:02}")
    await page.goto(address)
    await expect(page.locator(".stChatMessage", has_text="Message 51")).to_be_visible(timeout=PATIENCE)
    await expect(page.locator(".st-key-status")).to_contain_text("Waiting for you", timeout=PATIENCE)
    earlier = page.locator(".st-key-earlier button")
    await expect(earlier).to_be_attached(timeout=PATIENCE)
    left_alone = 0  # a page that is opened goes to its end, until it is drawn
    while left_alone < 4:
        was = await page.evaluate(
            "(main => [main.scrollTop, (main.scrollTop = 0)][0])(document.querySelector('.stMain'))"
        )
        left_alone = left_alone + 1 if was == 0 else 0
        await page.wait_for_timeout(500)
    read = page.locator(".stChatMessage", has_text="Message 45")
    shown = await page.locator(".stChatMessage").count()
    before = await read.evaluate("each => each.getBoundingClientRect().top")
    await earlier.click()
    await page.wait_for_function(
        f"() => document.querySelectorAll('.stChatMessage').length > {shown}", timeout=PATIENCE
    )
    await page.wait_for_timeout(500)
    assert abs(await read.evaluate("each => each.getBoundingClientRect().top") - before) < 4
