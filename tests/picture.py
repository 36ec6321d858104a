"""The README's picture, made of the real page: `python -m tests.picture`.

A chat in headless Chromium whose worker is killed, and which loses the answer of a tool, by the buttons that the page has.
"""

import asyncio
import io
import tempfile
from pathlib import Path

from PIL import Image
from playwright.async_api import Page, ViewportSize, expect

from agent.local.binary import temporal_binary
from agent.settings import load_settings
from tests.bench.outbox import BOX
from tests.e2e.conftest import run_browser, run_page

FILE = Path(__file__).resolve().parents[1] / "docs" / "steadfast.gif"
SIZE: ViewportSize = {"width": 1120, "height": 760}
PATIENCE = 60_000


class Film:
    """Pictures of the page, each with the milliseconds for which it stands."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._frames: list[Image.Image] = []
        self._durations: list[int] = []

    async def shoot(self, milliseconds: int) -> None:
        shot = Image.open(io.BytesIO(await self._page.screenshot())).convert("RGB")
        # the lights are small: the other ways to choose colours would lose them
        self._frames.append(shot.quantize(200, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE))
        self._durations.append(milliseconds)

    def save(self, file: Path) -> None:
        first, *rest = self._frames
        first.save(file, save_all=True, append_images=rest, duration=self._durations, loop=0, optimize=True)


async def play(page: Page, address: str) -> Film:
    """From the first screen to a tool whose answer was lost on the way."""
    film = Film(page)
    panel, card = page.locator(".st-key-break-it"), page.locator('[class*="st-key-card-"]')
    await page.goto(address)
    await expect(page.locator(".stChatMessage")).to_be_visible(timeout=PATIENCE)
    await expect(panel).to_contain_text("Worker", timeout=PATIENCE)
    await page.wait_for_timeout(3000)
    await film.shoot(2500)
    await page.locator(".st-key-example-0 button").click()
    await expect(card).to_contain_text("Find events", timeout=PATIENCE)
    await page.wait_for_timeout(800)
    await film.shoot(2000)
    await page.get_by_role("button", name="Kill the worker").click()
    await expect(panel).to_contain_text("died", timeout=PATIENCE)
    await film.shoot(1500)
    await expect(page.locator(".st-key-status")).to_contain_text("Waiting for your decision", timeout=PATIENCE)
    await page.wait_for_timeout(500)
    await film.shoot(1500)
    await page.get_by_role("button", name="Lose the next tool's answer").click()
    await expect(panel).to_contain_text("dies when the next tool has run", timeout=PATIENCE)
    await film.shoot(1500)
    await card.get_by_role("button", name="Confirm").first.click()
    await expect(page.locator(".st-key-status")).to_contain_text("worker is starting", timeout=PATIENCE)
    await film.shoot(1500)
    await expect(page.locator("table")).to_be_visible(timeout=PATIENCE)
    await expect(page.locator(".st-key-status")).to_contain_text("Waiting for you", timeout=PATIENCE)
    await page.locator('[class*="st-key-happened-"]').hover()
    await page.mouse.wheel(0, -300)
    await page.wait_for_timeout(1000)
    await film.shoot(4000)
    await page.locator(BOX).fill("the second one, from Austin")
    await page.locator(BOX).press("Enter")
    await expect(card).to_contain_text("Search flights", timeout=PATIENCE)
    await page.wait_for_timeout(1000)
    await film.shoot(2500)
    return film


async def main() -> None:
    temporal_cli = await temporal_binary(load_settings(), print)
    with tempfile.TemporaryDirectory() as directory:
        async with run_page(Path(directory), temporal_cli) as running, run_browser() as browser:
            page = await browser.new_page(viewport=SIZE)
            film = await play(page, await running.owner_url())
    film.save(FILE)


if __name__ == "__main__":
    asyncio.run(main())
