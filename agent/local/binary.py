"""Where the `temporal` program comes from: what is there, else a download, else a build."""

import asyncio
import contextlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from agent.errors import StartFailed
from agent.local.fetching import build, download
from agent.settings import Settings

NO_SERVER = (
    "No Temporal server could be found, downloaded or built. Do one of these, then start again: connect to the internet; "
    "put the Temporal CLI on PATH (https://docs.temporal.io/cli); name it in TEMPORAL_CLI_PATH; install Go 1.25 or newer; "
    "or set TEMPORAL_ADDRESS to a server that runs."
)


async def temporal_binary(settings: Settings, say: Callable[[str], None]) -> Path:
    """The program to start the dev server with: TEMPORAL_CLI_PATH, PATH, our cache, the SDK's download, Go.

    say: told each step as one sentence, at least every 5 s. Raises StartFailed naming all the ways.
    """
    if settings.temporal_cli_path:
        named = _path(settings.temporal_cli_path)
        if await runs(named):
            return named
        raise StartFailed(
            f"TEMPORAL_CLI_PATH names {named}, which is not a Temporal CLI that runs. "
            "Change it, or remove it to let Steadfast look for one, then start again."
        )
    if (found := shutil.which("temporal")) and await runs(Path(found)):
        return Path(found)
    cached = settings.home / "bin" / ("temporal.exe" if os.name == "nt" else "temporal")
    if await runs(cached):
        return cached
    for way in (download, build):
        directory = settings.home / "bin" / "new"  # one keeper a home, so nobody else is at work here
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
        try:
            made = await way(directory, say)
            if made and await runs(made):
                made.replace(cached)
                return cached
        finally:
            shutil.rmtree(directory, ignore_errors=True)
    raise StartFailed(NO_SERVER)


async def runs(program: Path) -> bool:
    """Whether it is a Temporal CLI that works on this machine."""
    with contextlib.suppress(OSError, TimeoutError):
        process = await asyncio.create_subprocess_exec(
            program, "--version", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
        )
        try:
            output, _ = await asyncio.wait_for(process.communicate(), 20)
        finally:
            if process.returncode is None:
                process.kill()
        return process.returncode == 0 and b"temporal" in output.lower()
    return False


def _path(text: str) -> Path:
    return Path(text).expanduser()
