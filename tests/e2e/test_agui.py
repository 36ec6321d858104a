"""The AG-UI door, by AG-UI's own TypeScript client: the same chat as in the page, with real processes behind it."""

import asyncio
import json
import shutil
import subprocess
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.async_api import Browser, expect

from agent.client import new_chat_id
from agent.faults import Faults
from tests.e2e.conftest import RunningPage

CLIENT = "@ag-ui/client"


def typescript_client() -> Path:
    """Where npm has installed it."""
    npm = shutil.which("npm")
    root = subprocess.run([npm, "root", "-g"], capture_output=True, text=True, check=False).stdout if npm else ""
    found = Path(root.strip()) / CLIENT / "dist" / "index.mjs"
    if not root or not found.exists():
        pytest.skip(f"AG-UI's client is not installed: npm install --global {CLIENT}")
    return found


async def test_the_typescript_client_reads_a_growing_reply_and_decides_once(
    running_page: RunningPage, browser: Browser
) -> None:
    client, chat_id = typescript_client(), new_chat_id()
    address = await running_page.owner_url()
    (token,) = parse_qs(urlsplit(address).query)["owner"]
    await running_page.chats()  # there is a server
    script = str(Path(__file__).with_name("agui.mjs"))
    node = await asyncio.create_subprocess_exec(
        "node", script, str(client), f"{running_page.url}/agui", token, chat_id, stdout=subprocess.PIPE
    )
    output, _ = await asyncio.wait_for(node.communicate(), 120)
    assert node.returncode == 0
    told = json.loads(output)

    (asked,) = told["asked"]
    assert asked["reason"] == "tool_approval"
    assert asked["metadata"]["arguments"] == {"city": "San Francisco", "month": "March"}
    roles = [message["role"] for message in told["answered"]]
    assert roles[-3:] == ["assistant", "tool", "assistant"]
    reply = told["answered"][-1]["content"]
    assert "in April" in reply, "the edited argument"
    assert "".join(told["deltas"]).endswith(reply)
    assert told["known"] == len(told["answered"]), "the second confirmation came to nothing new"
    assert "401" in told["refused"] or "owner's token" in told["refused"]
    assert not Faults(running_page.home).is_slow

    page = await browser.new_page()
    await page.goto(f"{address}&chat={chat_id}")
    await expect(page.locator(".stMain")).to_contain_text(reply, timeout=60_000)
    await expect(page.locator("summary").filter(has_text="confirmed by")).to_have_count(1)
