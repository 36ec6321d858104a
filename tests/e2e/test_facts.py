"""A worker is killed while it answers: the chat says so afterwards, and what it shows is what the server recorded."""

import os
import re
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.bench.outbox import BOX
from tests.e2e.conftest import RunningPage, run_page
from tests.e2e.test_accessibility import axe, violations
from tests.llm.stub import Answer, Stub

PATIENCE = 60_000
FIND = Answer("Let me look.", calls=(("FindEvents", '{"city": "Austin", "month": "May"}'),))
SLOW = Answer("word " * 400, rate=20)


@pytest.fixture
async def model(tmp_path: Path, temporal_cli: Path) -> AsyncIterator[tuple[RunningPage, Stub]]:
    """A page whose model writes as slowly as the test wants."""
    with Stub() as stub:
        settings = {"LLM_MODEL": "openai/gpt-4o", "LLM_KEY": "sk-a", "LLM_BASE_URL": stub.openai}
        async with run_page(tmp_path, temporal_cli, **settings) as page:
            yield page, stub


async def test_a_killed_worker_stays_in_the_transcript_with_its_receipt_waterfall_and_proof(
    model: tuple[RunningPage, Stub], browser: Browser
) -> None:
    running, stub = model
    script = axe()
    page = await browser.new_page()
    await page.goto(await running.owner_url())
    box = page.locator(BOX)
    await expect(box).to_be_visible(timeout=PATIENCE)
    stub.answer(FIND)
    await box.fill("Austin in May")
    await box.press("Enter")
    stub.default = SLOW
    await page.locator('[class*="st-key-card-"]').get_by_role("button", name="Confirm").first.click(timeout=PATIENCE)
    await expect(page.locator(".stMain")).to_contain_text("word word", timeout=PATIENCE)

    killed = running.pid_of("worker")
    os.kill(killed, signal.SIGKILL)
    stub.default = Answer("Which of these?")
    scar = page.locator('[class*="st-key-happened-"]')
    await expect(scar).to_contain_text(f"Worker {killed} died here", timeout=PATIENCE)
    await expect(scar).to_contain_text(
        re.compile(rf"{running.pid_of('worker')} took over after [0-9.]+ s\. Asked again once; nothing done twice")
    )

    await page.locator(".stExpander summary", has_text="Find events").click()
    receipt = page.locator('[class*="st-key-receipt-"]')
    await expect(receipt).to_contain_text("Effects seen")
    await expect(receipt).to_contain_text("Attempts")

    await page.locator(".st-key-open-waterfall button").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text(f"Model, attempt 1 on worker {killed}: its worker died", timeout=PATIENCE)
    await expect(dialog).to_contain_text("Your wait, until you confirmed")
    assert await dialog.locator(".bar").count() >= 6
    assert await violations(page, script) == []
    await page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0, timeout=PATIENCE)

    await page.locator(".st-key-open-score button").click()
    await expect(dialog).to_contain_text("Workers that died at work", timeout=PATIENCE)
    assert await violations(page, script) == []
    async with page.expect_download() as download:
        await dialog.get_by_role("button", name="Save proof").click()
    proof = Path(await (await download.value).path()).read_text(encoding="utf-8")
    assert "| Messages sent / taken up | 1 / 1 | 1 / 1 |" in proof
    assert "| Tools confirmed / done | 1 / 1 | 1 / 1 |" in proof
    assert "| Done twice | 0 | 0 |" in proof
    assert "| Workers that died at work | 1 | 1 |" in proof
