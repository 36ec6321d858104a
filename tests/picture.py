"""The README's picture, made of the real page: `python -m tests.picture`.

The page's own tour in headless Chromium: a worker is killed in the middle of a sentence, and the sentence goes on.
"""

import asyncio
import io
import tempfile
from pathlib import Path

from PIL import Image
from playwright.async_api import Page, ViewportSize, expect

from agent.local.binary import temporal_binary
from agent.settings import load_settings
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
    """The tour, from the first screen to the line that tells what happened."""
    film = Film(page)
    card = page.locator('[class*="st-key-card-"]')
    await page.goto(address)
    await expect(page.locator(".st-key-break-it")).to_contain_text("Worker", timeout=PATIENCE)
    await page.wait_for_timeout(3000)
    await film.shoot(2500)
    await page.locator(".st-key-take-tour button").click()
    await expect(page.locator(".st-key-tour-example")).to_be_visible(timeout=PATIENCE)
    await page.wait_for_timeout(800)
    await film.shoot(2000)
    await page.locator(".st-key-tour-example button").click()
    await expect(page.locator(".st-key-tour-confirm")).to_be_visible(timeout=PATIENCE)
    await page.wait_for_timeout(800)
    await film.shoot(2500)
    await card.get_by_role("button", name="Confirm").first.click()
    growing = page.locator(".stChatMessage", has_text="▍")
    for words, shown in (("in March", 1200), ("and 4", 1800)):
        await expect(growing).to_contain_text(words, timeout=PATIENCE)
        await film.shoot(shown)
    await page.locator(".st-key-tour-kill-now button").click()
    await expect(page.locator(".st-key-tour-dead")).to_be_visible(timeout=PATIENCE)
    await page.wait_for_timeout(500)
    await film.shoot(2500)
    await expect(growing).to_contain_text("months before", timeout=PATIENCE)
    await film.shoot(1500)
    await expect(page.locator(".st-key-tour-done")).to_be_visible(timeout=PATIENCE)
    await page.wait_for_timeout(1000)
    await film.shoot(6000)
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
