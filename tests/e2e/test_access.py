"""Who sees which chats, at every name of this machine and behind a proxy; and whom the page talks to."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import psutil
from playwright.async_api import Browser, BrowserContext, Page, expect

from agent.local.server import free_ports
from tests.bench.outbox import BOX
from tests.e2e.conftest import RunningPage, run_page

PATIENCE = 60_000


async def _open(context: BrowserContext, url: str) -> Page:
    """A page on which a chat has begun."""
    page = await context.new_page()
    await page.goto(url)
    return await _say(page)


async def _say(page: Page) -> Page:
    """A word, with which a chat begins."""
    await page.locator(BOX).fill("Toronto")
    await page.locator(BOX).press("Enter")
    await page.wait_for_url("**/?chat=*", timeout=PATIENCE)
    await expect(page.locator(f".st-key-chat-{_chat(page)}")).to_have_count(1, timeout=PATIENCE)
    return page


def _chat(page: Page) -> str:
    return page.url.rpartition("chat=")[2]


async def _listed(page: Page) -> set[str]:
    """The ids of the chats in the sidebar."""
    names = await page.locator('.st-key-chats [class*="st-key-chat-"]').evaluate_all("all => all.map(e => e.className)")
    return {
        part.removeprefix("st-key-chat-") for name in names for part in name.split() if part.startswith("st-key-chat-")
    }


@asynccontextmanager
async def _tcp_proxy(port: int) -> AsyncIterator[int]:
    """A proxy that adds no header: what comes through it looks local. The port it listens on."""

    async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await source.read(65536):
                sink.write(data)
                await sink.drain()
        sink.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream_reader, upstream_writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(pump(reader, upstream_writer), pump(upstream_reader, writer))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield int(server.sockets[0].getsockname()[1])


async def test_owner_is_who_holds_the_token_at_every_name_and_nobody_else(
    tmp_path: Path, temporal_cli: Path, browser: Browser
) -> None:
    async with run_page(tmp_path, temporal_cli, STREAMLIT_SERVER_ADDRESS="::") as running:
        port = urlsplit(running.url).port
        assert port is not None
        token = urlsplit(await running.owner_url()).query
        visitor = await _open(await browser.new_context(), running.url)
        theirs = _chat(visitor)
        async with _tcp_proxy(port) as proxied:
            for base in (f"http://localhost:{port}", f"http://[::1]:{port}", f"http://127.0.0.1:{proxied}"):
                context = await browser.new_context()
                stranger = await _open(context, base)
                assert await _listed(stranger) == {_chat(stranger)}, base
                await stranger.goto(f"{base}/?{token}")
                await expect(stranger.locator(f".st-key-chat-{theirs}")).to_have_count(1, timeout=PATIENCE)
                assert "owner" not in stranger.url
                await context.close()
            context = await browser.new_context()
            owner = await context.new_page()
            await owner.goto(f"{running.url}/?{token}")
            await owner.goto(running.url)  # the browser remembers
            await expect(owner.locator(f".st-key-chat-{theirs}")).to_have_count(1, timeout=PATIENCE)
            await context.close()
        cookies = await visitor.context.storage_state()
        await visitor.context.close()
        again = await (await browser.new_context(storage_state=cookies)).new_page()
        await again.goto(running.url)
        await expect(again.locator(f".st-key-chat-{theirs}")).to_have_count(1, timeout=PATIENCE)
        stranger = await (await browser.new_context()).new_page()
        await stranger.goto(f"{running.url}/?chat={theirs}")
        await expect(stranger.get_by_text("There is no chat at this address that you may open")).to_be_visible(
            timeout=PATIENCE
        )


async def test_visitors_who_log_in_have_their_own_chats_side_by_side(
    tmp_path: Path, temporal_cli: Path, browser: Browser
) -> None:
    ports = free_ports()
    base, provider = f"http://127.0.0.1:{ports.ui}", f"http://127.0.0.1:{ports.grpc}"
    secrets = tmp_path / "secrets.toml"
    secrets.write_text(
        f'''
        [auth]
        redirect_uri = "{base}/oauth2callback"
        cookie_secret = "a secret of the tests, and long enough"
        client_id = "steadfast"
        client_secret = "of the tests"
        server_metadata_url = "{provider}/.well-known/openid-configuration"
        '''
    )
    serve = [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--port", str(ports.grpc)]
    issuer = await asyncio.create_subprocess_exec(*serve, stderr=asyncio.subprocess.DEVNULL)
    settings = {"STREAMLIT_SERVER_PORT": str(ports.ui), "STREAMLIT_SECRETS_FILES": str(secrets)}
    try:
        async with run_page(tmp_path, temporal_cli, **settings) as running:
            ann = await _log_in(await browser.new_context(), running.url, "ann@example.com")
            anns = _chat(await _say(ann))
            bob = await _log_in(await browser.new_context(), running.url, "bob@example.com")
            bobs = _chat(await _say(bob))
            assert await _listed(bob) == {bobs}
            await bob.goto(f"{running.url}/?chat={anns}")
            await expect(bob.get_by_text("There is no chat at this address that you may open")).to_be_visible(
                timeout=PATIENCE
            )
            again = await _log_in(await browser.new_context(), running.url, "ann@example.com")
            await expect(again.locator(f".st-key-chat-{anns}")).to_have_count(1, timeout=PATIENCE)
            assert await _listed(again) == {anns}
            await again.locator(".st-key-logout button").click()
            await again.wait_for_url(f"{provider}/**", timeout=PATIENCE)
            await again.goto(running.url)
            await expect(again.locator(".st-key-login-default button")).to_be_visible(timeout=PATIENCE)
    finally:
        issuer.terminate()
        await issuer.wait()


async def _log_in(context: BrowserContext, url: str, subject: str) -> Page:
    page = await context.new_page()
    await page.goto(url)
    await page.locator(".st-key-login-default button").click(timeout=PATIENCE)
    await page.locator("input[name=sub]").fill(subject, timeout=PATIENCE)
    await page.get_by_role("button", name="Authorize").click()
    await expect(page.locator(BOX)).to_be_visible(timeout=PATIENCE)
    return page


async def test_page_listens_on_loopback_refuses_other_hosts_and_talks_to_nobody_else(
    running_page: RunningPage, browser: Browser
) -> None:
    process = psutil.Process(running_page.process.pid)
    listening = {
        connection.laddr.ip for connection in process.net_connections("tcp") if connection.status == psutil.CONN_LISTEN
    }
    assert listening == {"127.0.0.1"}

    host = urlsplit(running_page.url).netloc
    assert await _handshake(host, host, f"http://{host}") == 101
    assert await _handshake(host, "evil.example", "http://evil.example") == 403
    assert await _handshake(host, host, "http://localhost:3000") == 403

    context = await browser.new_context()
    asked: set[str] = set()
    context.on("request", lambda request: asked.add(urlsplit(request.url).netloc))
    page = await _open(context, await running_page.owner_url())
    await expect(page.locator(".stChatMessage .stText")).to_have_text("Toronto", timeout=PATIENCE)
    assert asked - {""} == {host}, "data: and blob: have no host"
    icon = await page.locator('link[rel="shortcut icon"]').get_attribute("href") or ""
    assert icon.startswith(("data:image/svg", "/media/", f"http://{host}/media/")), icon


async def _handshake(address: str, host: str, origin: str) -> int:
    """The status with which the page answers a websocket for this host, opened by this origin."""
    name, _, port = address.partition(":")
    reader, writer = await asyncio.open_connection(name, int(port))
    lines = [
        "GET /_stcore/stream HTTP/1.1",
        f"Host: {host}",
        f"Origin: {origin}",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ]
    writer.write("\r\n".join([*lines, "", ""]).encode())
    status = int((await reader.readline()).split()[1])
    writer.close()
    return status
