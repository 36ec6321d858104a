"""Temporal's own programs read an encrypted chat through the page's codec server: its Web UI, and its CLI."""

import asyncio
import json
import subprocess
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, expect

from agent.client import ChatClient, new_chat_id
from agent.payload_keys import new_key, read_keys
from agent.settings import Settings
from agent.temporal import connect
from tests.e2e.conftest import run_page
from tests.workflow.harness import GOAL

WORDS = "Xylophonists in Melbourne"
PATIENCE = 60_000


async def test_the_web_ui_and_the_cli_read_an_encrypted_chat(
    tmp_path: Path, temporal_cli: Path, browser: Browser
) -> None:
    key = new_key()
    async with run_page(tmp_path, temporal_cli, PAYLOAD_KEYS=key) as page:
        endpoint = await page.printed(r"(http://\S+/codec/\w+)")
        settings = Settings(payload_keys=read_keys(key))
        await page.chats()
        chats = ChatClient(await connect(settings, page.server_address), settings)
        chat_id = new_chat_id()
        await chats.begin(chat_id, GOAL, WORDS, "m1", welcome="Hello.")

        async def temporal(*arguments: str) -> str:
            command = [str(temporal_cli), "workflow", *arguments, "-w", chat_id, "--address", page.server_address]
            done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
            return done.stdout

        query = ("query", "--type", "get_conversation_history")
        assert "Xylophonists" not in await temporal(*query)
        assert "Xylophonists" in await temporal(*query, "--codec-endpoint", endpoint)
        base, _, token = endpoint.rpartition("/")
        codec = ("--codec-endpoint", base, "--codec-auth", f"Bearer {token}")
        await temporal("signal", "--name", "user_prompt", "--input", json.dumps("And drummers"), *codec)
        assert "And drummers" in await temporal(*query, *codec)

        async def until_shown(shown: Any) -> None:
            await expect(shown.first).to_be_visible(timeout=PATIENCE)

        ui = await (await browser.new_context()).new_page()
        address = f"{page.web_ui}/namespaces/default/workflows/{chat_id}"
        await ui.goto(address)
        await until_shown(ui.get_by_text("AgentGoalWorkflow"))
        assert await ui.get_by_text(WORDS).count() == 0
        await ui.get_by_test_id("data-encoder-status").click()
        await ui.get_by_test_id("data-encoder-endpoint-input").fill(endpoint)
        await ui.get_by_test_id("confirm-data-encoder-button").click()
        await ui.reload()
        await until_shown(ui.get_by_text(WORDS))
