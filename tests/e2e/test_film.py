"""A reply as it is drawn, frame by frame: nothing that was read disappears, nothing shows twice, the box stays in place."""

import json
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, expect

from tests.bench.outbox import BOX
from tests.e2e.conftest import run_page
from tests.llm.stub import Answer, Stub

PATIENCE = 60_000

FILM = """
() => {
  const frames = (window.film = []);
  const shoot = () => {
    const messages = [...document.querySelectorAll(".stChatMessage")].map((each) => each.innerText.trim()).filter(Boolean);
    const top = document.querySelector(".message-box")?.getBoundingClientRect().top ?? 0;
    const frame = JSON.stringify({ messages, top });
    if (frames.at(-1) !== frame) frames.push(frame);
    requestAnimationFrame(shoot);
  };
  shoot();
}
"""
"""Notes every frame that differs from the one before."""


def words(frame: dict[str, Any]) -> str:
    """All that the transcript shows, without the mark of a growing reply and without times."""
    return "\n".join(message.replace("▍", "").strip() for message in frame["messages"])


def faults(frames: list[dict[str, Any]]) -> list[str]:
    """What flickers: words that were shown and are gone, replies shown twice, a box that moves."""
    found = []
    seen: list[str] = []
    for number, frame in enumerate(frames):
        shown = words(frame)
        found += [f"frame {number} lost: {text!r}" for text in seen if text not in shown]
        paragraphs = [message.replace("▍", "").strip().splitlines()[0] for message in frame["messages"]]
        doubled = {text for text in paragraphs if paragraphs.count(text) > 1 and len(text) > 20}
        found += [f"frame {number} doubled: {text!r}" for text in doubled]
        seen = [text for text in paragraphs if text]
        if abs(frame["top"] - frames[0]["top"]) > 2:
            found.append(f"frame {number}: the box moved from {frames[0]['top']} to {frame['top']}")
    return found


async def test_a_reply_grows_without_flicker(tmp_path: Path, temporal_cli: Path, browser: Browser) -> None:
    text = "Here is the first sentence of a longer answer. " * 3 + "\n\nAnd a second paragraph that ends here."
    with Stub() as stub:
        model = {"LLM_MODEL": "openai/stub", "LLM_KEY": "none", "LLM_BASE_URL": stub.openai}
        async with run_page(tmp_path, temporal_cli, **model) as running:
            page = await browser.new_page()
            await page.goto(running.url)
            await expect(page.locator(BOX)).to_be_visible(timeout=PATIENCE)
            await page.locator(BOX).fill("Hello")
            await page.locator(BOX).press("Enter")
            await expect(page.locator(".stChatMessage", has_text="Hello from the stub.").last).to_be_visible(
                timeout=PATIENCE
            )
            await expect(page.locator(".st-key-status")).to_contain_text("Waiting for you", timeout=PATIENCE)
            await page.evaluate(FILM)
            for number in range(2):
                stub.default = Answer(f"Number {number}. {text}", first=0.3, rate=20)
                await page.locator(BOX).fill(f"Question {number}")
                await page.locator(BOX).press("Enter")
                newest = page.locator(".stChatMessage", has_text=f"Number {number}.")
                await expect(newest).to_contain_text("ends here.\n", timeout=PATIENCE)
                await expect(newest).to_contain_text("tokens", timeout=PATIENCE)
                await expect(page.locator(".st-key-status")).to_contain_text("Waiting for you", timeout=PATIENCE)
            await page.wait_for_timeout(500)
            frames = [json.loads(frame) for frame in await page.evaluate("() => window.film")]
    assert len(frames) > 10
    assert faults(frames) == []
