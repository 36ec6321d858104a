"""The official servers, of the TypeScript SDK: their schemas, their results, their sessions.

`npm install -g @modelcontextprotocol/server-everything @modelcontextprotocol/server-filesystem` installs them; without
them, these tests are skipped.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest

from tests.tools.mcp.test_servers import answers, connected, free_port, run
from tools import InvalidArguments, Server, ToolError, Toolset

NODE, NPM = shutil.which("node"), shutil.which("npm")


@cache
def program(name: str) -> str:
    """The server's main module; skips the test where it is not installed."""
    if NODE is None or NPM is None:
        pytest.skip("node is not installed")
    root = subprocess.run([NPM, "root", "-g"], capture_output=True, text=True, check=True).stdout.strip()
    path = Path(root) / "@modelcontextprotocol" / name / "dist" / "index.js"
    if not path.exists():
        pytest.skip(f"@modelcontextprotocol/{name} is not installed")
    return str(path)


@contextmanager
def everything(port: int) -> Iterator[None]:
    process = subprocess.Popen(
        [str(NODE), program("server-everything"), "streamableHttp"],
        env=os.environ | {"PORT": str(port)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        ends = time.monotonic() + 60
        while not answers(port):
            assert process.poll() is None
            assert time.monotonic() < ends
            time.sleep(0.05)
        yield
    finally:
        process.kill()
        process.wait()


async def test_files_are_listed_written_and_read(toolset: Toolset, tmp_path: Path) -> None:
    command = [str(NODE), program("server-filesystem"), str(tmp_path)]
    async with connected(toolset, Server(name="files", command=command)) as found:
        tools = (await found.tools_of("g")).tools
        assert tools["files_read_text_file"].effect == "read"
        path = str(tmp_path / "price.txt")
        await run(tools["files_write_file"], path=path, content="19.90")
        read = await run(tools["files_read_text_file"], path=path)
        assert read == "19.90" or read["content"] == "19.90"
        await run(tools["files_write_file"], path=path, content="")
        assert Path(path).read_text() == "", "an empty text is a value"
        with pytest.raises(InvalidArguments):
            tools["files_read_text_file"].validate({})
        with pytest.raises(ToolError, match="reported an error"):
            await run(tools["files_read_text_file"], path="/etc/hostname")


async def test_everything_is_listed_and_run_and_a_restarted_server_s_session_renewed(toolset: Toolset) -> None:
    port = free_port()
    program("server-everything")
    async with connected(toolset, Server(name="every", url=f"http://127.0.0.1:{port}/mcp")) as found:
        with everything(port):
            tools, unavailable = await found.tools_of("g")
            assert unavailable == []
            assert "every_echo" in tools
            assert "hello" in str(await run(tools["every_echo"], message="hello"))
            linked = next(name for name in tools if "resource_links" in name.replace("-", "_").lower())
            assert "url" in str(await run(tools[linked], count=2))
        with everything(port):
            assert "again" in str(await run(tools["every_echo"], message="again"))
