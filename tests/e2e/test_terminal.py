"""`python -m agent.chat` beside a running page: one chat, in the terminal and in the browser."""

import asyncio
import re
import subprocess
import sys

from playwright.async_api import Browser, expect

from tests.e2e.conftest import ROOT, RunningPage


async def _terminal(page: RunningPage, typed: str, *arguments: str) -> str:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "agent.chat",
        *arguments,
        cwd=ROOT,
        env=dict(page.environment),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    output, _ = await asyncio.wait_for(process.communicate(typed.encode()), 120)
    assert process.returncode == 0, output.decode()
    return " ".join(output.decode().split())


async def test_a_chat_that_begins_in_the_terminal_goes_on_in_the_page_and_back(
    running_page: RunningPage, browser: Browser
) -> None:
    await running_page.chats()
    shown = await _terminal(running_page, "An event in San Francisco in March\ny\n")
    assert "Find events? [y]es" in shown
    assert "Which of these events would you like?" in shown
    (chat_id,) = re.findall(r"chat-[0-9a-f]{32}", shown)
    assert chat_id in await _terminal(running_page, "", "--list")
    page = await browser.new_page()
    await page.goto(f"{await running_page.owner_url()}&chat={chat_id}")
    await expect(page.locator("table")).to_be_visible(timeout=60_000)
    await page.locator(".message-box textarea").fill("the second one")
    await page.locator(".message-box textarea").press("Enter")
    await expect(page.locator(".stMain")).to_contain_text("Which city will you depart from", timeout=60_000)
    again = await _terminal(running_page, "", chat_id)
    assert "You: the second one" in again
    assert "Which city will you depart from" in again
