"""Two ways to get a `temporal` program that is not there yet: the SDK's download, and a build with Go."""

import asyncio
import contextlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from agent.local.child import Child, open_log
from agent.local.setup import ROOT

VERSION = "v1.5.1"
"""The newest that a plain `go install` builds."""

OLDEST_GO = (1, 25)
SAY_EVERY = 4.0
STALLED_AFTER = 30.0
"""A download that has not grown for so many seconds is given up: the SDK would wait for ever."""


async def download(directory: Path, say: Callable[[str], None]) -> Path | None:
    """Let the Temporal SDK download the CLI into the directory; None when the network does not give it."""
    command = [sys.executable, "-m", "agent.local.download", str(directory), VERSION]
    await _watch(
        command, directory, say, "Downloading the Temporal server ({0:.0f} s so far)", within=300, stalled=STALLED_AFTER
    )
    return _made(directory)


async def build(directory: Path, say: Callable[[str], None]) -> Path | None:
    """Build the CLI with Go into the directory; None when there is no Go that can."""
    go = shutil.which("go")
    if not go or await asyncio.to_thread(_go_version, go) < OLDEST_GO:
        return None
    # Without the tables for debuggers it is 40 MB smaller.
    command = [go, "install", "-ldflags=-s -w", f"github.com/temporalio/cli/cmd/temporal@{VERSION}"]
    sentence = "Building the Temporal server with Go ({0:.0f} s so far; takes 3-5 minutes the first time)"
    await _watch(command, directory, say, sentence, within=1800, environment={**os.environ, "GOBIN": str(directory)})
    return _made(directory)


async def _watch(
    command: Sequence[str],
    directory: Path,
    say: Callable[[str], None],
    sentence: str,
    *,
    within: float,
    stalled: float | None = None,
    environment: Mapping[str, str] | None = None,
) -> None:
    """Run it to its end, saying how long it has taken; end it after `within` s, or when `stalled` s add no byte."""
    child = Child(command, log=open_log(directory.parent / "fetching.log"), environment=environment, cwd=ROOT)
    clock = asyncio.get_running_loop().time
    began = grew = now = clock()
    said, size = began - SAY_EVERY, -1
    try:
        while not child.ended.is_set() and now - began < within and (stalled is None or now - grew < stalled):
            if now - said >= SAY_EVERY:
                say(sentence.format(now - began))
                said = now
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(child.ended.wait(), 0.5)
            now, before, size = clock(), size, _bytes(directory)
            grew = now if size != before else grew
    finally:
        await child.stop(0)


def _made(directory: Path) -> Path | None:
    return next((file for file in directory.glob("temporal*") if file.suffix != ".downloading"), None)


def _bytes(directory: Path) -> int:
    with contextlib.suppress(OSError):  # a file that was renamed under our eyes
        return sum(file.stat().st_size for file in directory.glob("*"))
    return -1


def _go_version(go: str) -> tuple[int, ...]:
    """(1, 25, 3) of the Go that would build, toolchains that it fetches included; () when it does not run."""
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        said = subprocess.run([go, "env", "GOVERSION"], capture_output=True, text=True, timeout=30, check=True).stdout  # noqa: S603
        return tuple(int(part) for part in re.findall(r"\d+", said)[:3])
    return ()
