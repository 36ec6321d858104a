"""MCP over HTTP through nginx: what a call has come to when the gateway answers instead of the server."""

import asyncio
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.tools.mcp.test_servers import answers, connected, free_port, lines, run, serving
from tools import Server, ToolError, Toolset, TryAgain
from tools.mcp import connection

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is not installed")

CONFIGURATION = """
daemon off; worker_processes 1; pid {home}/pid; error_log {home}/errors;
events {{}}
http {{
  access_log off; client_body_temp_path {home}/a; proxy_temp_path {home}/b; fastcgi_temp_path {home}/c;
  uwsgi_temp_path {home}/d; scgi_temp_path {home}/e;
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://127.0.0.1:{upstream}; proxy_http_version 1.1; proxy_buffering off; proxy_read_timeout {seconds}s;
      proxy_set_header Host 127.0.0.1:{upstream};
      {more}
    }}
  }}
}}
"""


@contextmanager
def gateway(home: Path, upstream: int, seconds: int = 60, more: str = "", port: int = 0) -> Iterator[int]:
    port = port or free_port()
    home.mkdir(exist_ok=True)
    configuration = home / "nginx.conf"
    configuration.write_text(CONFIGURATION.format(home=home, port=port, upstream=upstream, seconds=seconds, more=more))
    process = subprocess.Popen([str(NGINX), "-c", str(configuration), "-e", str(home / "errors")])
    try:
        ends = time.monotonic() + 30
        while not answers(port):
            assert process.poll() is None
            assert time.monotonic() < ends
            time.sleep(0.02)
        yield port
    finally:
        process.terminate()
        process.wait()


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    return tmp_path / "notes.txt"


def server(port: int) -> Server:
    return Server(name="notes", url=f"http://127.0.0.1:{port}/mcp")


@pytest.mark.parametrize("arguments", [[], ["sessions"]], ids=["without sessions", "with sessions"])
async def test_server_that_dies_during_a_call_leaves_its_outcome_open(
    toolset: Toolset, notes: Path, tmp_path: Path, arguments: list[str]
) -> None:
    upstream = free_port()
    with gateway(tmp_path / "nginx", upstream) as port:
        async with connected(toolset, server(port)) as found:
            with serving(notes, upstream, *arguments):
                tools = (await found.tools_of("g")).tools
                call = asyncio.create_task(run(tools["notes_add_slowly"], line="begun"))
                async with asyncio.timeout(30):
                    while lines(notes) != ["begun"]:
                        await asyncio.sleep(0.02)
            with pytest.raises(
                TryAgain, match=r"closed the connection before it answered|failed to answer \(status 502\)"
            ):
                await call


async def test_gateway_that_waits_no_longer_leaves_the_outcome_open(
    toolset: Toolset, notes: Path, tmp_path: Path
) -> None:
    upstream = free_port()
    with serving(notes, upstream), gateway(tmp_path / "nginx", upstream, seconds=2) as port:
        async with connected(toolset, server(port)) as found:
            tools = (await found.tools_of("g")).tools
            with pytest.raises(TryAgain, match=r"failed to answer \(status 504\)|closed the connection"):
                await run(tools["notes_add_slowly"], line="begun")
            assert lines(notes) == ["begun"]
            assert await run(tools["notes_count"], word="four") == {"letters": 4}, "the session goes on"


@pytest.mark.parametrize("status", [500, 503])
async def test_error_of_the_gateway_after_the_request_left_leaves_the_outcome_open(
    toolset: Toolset, notes: Path, tmp_path: Path, status: int
) -> None:
    """The gateway lets the call through, and hands on the error instead of the answer."""
    upstream, port = free_port(), free_port()
    spoiled = f"proxy_intercept_errors on; if ($http_mcp_method = tools/call) {{ return {status}; }}"
    with serving(notes, upstream), gateway(tmp_path / "nginx", upstream, more=spoiled, port=port):
        async with connected(toolset, server(port)) as found:
            tools = (await found.tools_of("g")).tools
            for tool, argument in (("notes_add", "line"), ("notes_count", "word")):
                with pytest.raises(TryAgain, match=rf"or a gateway before it, failed to answer \(status {status}\)"):
                    await run(tools[tool], **{argument: "x"})


@pytest.mark.parametrize(
    ("status", "sentence"),
    [(413, r"rejected the call \(status 413\)"), (429, "Nothing was done")],
)
async def test_call_that_the_gateway_rejects_has_not_happened(
    toolset: Toolset, notes: Path, tmp_path: Path, status: int, sentence: str
) -> None:
    upstream = free_port()
    rejecting = f"if ($http_mcp_method = tools/call) {{ return {status}; }}"
    with serving(notes, upstream), gateway(tmp_path / "nginx", upstream, more=rejecting) as port:
        async with connected(toolset, server(port)) as found:
            tools = (await found.tools_of("g")).tools
            with pytest.raises(ToolError, match=sentence):
                await run(tools["notes_add"], line="x")
    assert lines(notes) == []


async def test_gateway_without_its_server_did_nothing_before_and_serves_again_after(
    toolset: Toolset, notes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "PAUSE", 0.0)
    upstream = free_port()
    with gateway(tmp_path / "nginx", upstream) as port:
        async with connected(toolset, server(port)) as found:
            with serving(notes, upstream):
                tools = (await found.tools_of("g")).tools
            with pytest.raises(ToolError, match=r"Nothing was done\.$"):
                await run(tools["notes_add"], line="x")
            with serving(notes, upstream):
                assert await run(tools["notes_add"], line="y") == "added"
    assert lines(notes) == ["y"]


async def test_session_of_a_restarted_server_is_renewed_at_once(toolset: Toolset, notes: Path) -> None:
    port = free_port()
    async with connected(toolset, server(port)) as found:
        with serving(notes, port, "sessions"):
            tools = (await found.tools_of("g")).tools
            assert await run(tools["notes_count"], word="four") == {"letters": 4}
        with serving(notes, port, "sessions"):
            assert await run(tools["notes_count"], word="four") == {"letters": 4}
            assert await run(tools["notes_put"], line="one") == "wrote one"
        with serving(notes, port, "sessions"):
            assert await run(tools["notes_add"], line="two") == "added"
    assert lines(notes) == ["one", "two"]
