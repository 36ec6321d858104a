"""Where the `temporal` program comes from: one that is installed, else a download, else a build with Go.

`python -m agent.local.binary <directory> <version>` lets the SDK download it, in a process that can be killed.
"""

import asyncio
import contextlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path

from agent.errors import StartFailed
from agent.local.process import Child, open_log
from agent.local.status import ROOT
from agent.settings import Settings

VERSION = "v1.5.1"
"""The newest that a plain `go install` builds."""

OLDEST_GO = (1, 25)
REPORT_EVERY = 4.0
STALLED_AFTER = 30.0
"""A download that has not grown for so many seconds is given up: the SDK would wait for ever."""

NO_SERVER = (
    "No Temporal server could be found, downloaded or built. Do one of these, then start again: connect to the internet; "
    "put the Temporal CLI on PATH (https://docs.temporal.io/cli); name it in TEMPORAL_CLI_PATH; install Go 1.25 or newer; "
    "or set TEMPORAL_ADDRESS to a running server."
)


async def temporal_binary(settings: Settings, say: Callable[[str], None]) -> Path:
    """The program to start the dev server with: TEMPORAL_CLI_PATH, PATH, our cache, the SDK's download, Go.

    say: receives each step as one sentence, at least every 5 s. Raises StartFailed naming all the ways.
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
    for fetch in (download, build):
        directory = settings.home / "bin" / "new"  # one supervisor per home, so nobody else writes here
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
        try:
            fetched = await fetch(directory, say)
            if fetched and await runs(fetched):
                fetched.replace(cached)
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


async def download(directory: Path, say: Callable[[str], None]) -> Path | None:
    """Let the Temporal SDK download the CLI into the directory; None when the network does not allow it."""
    command = [sys.executable, "-m", "agent.local.binary", str(directory), VERSION]
    await _run(
        command, directory, say, "Downloading the Temporal server ({0:.0f} s so far)", within=300, stalled=STALLED_AFTER
    )
    return _result(directory)


async def build(directory: Path, say: Callable[[str], None]) -> Path | None:
    """Build the CLI with Go into the directory; None when there is no Go that can."""
    go = shutil.which("go")
    if not go or await asyncio.to_thread(_go_version, go) < OLDEST_GO:
        return None
    # Without the tables for debuggers it is 40 MB smaller.
    command = [go, "install", "-ldflags=-s -w", f"github.com/temporalio/cli/cmd/temporal@{VERSION}"]
    step = "Building the Temporal server with Go ({0:.0f} s so far; takes 3-5 minutes the first time)"
    # With cgo it would not run for a user without a passwd entry.
    environment = {**os.environ, "GOBIN": str(directory), "CGO_ENABLED": "0"}
    await _run(command, directory, say, step, within=1800, environment=environment)
    return _result(directory)


async def _run(
    command: Sequence[str],
    directory: Path,
    say: Callable[[str], None],
    step: str,
    *,
    within: float,
    stalled: float | None = None,
    environment: Mapping[str, str] | None = None,
) -> None:
    """Run it to its end, reporting how long it has taken; kill it after `within` s, or `stalled` s without a new byte."""
    child = Child(command, log=open_log(directory.parent / "fetching.log"), environment=environment, cwd=ROOT)
    clock = asyncio.get_running_loop().time
    began = grew = now = clock()
    reported, size = began - REPORT_EVERY, -1
    try:
        while not child.ended.is_set() and now - began < within and (stalled is None or now - grew < stalled):
            if now - reported >= REPORT_EVERY:
                say(step.format(now - began))
                reported = now
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(child.ended.wait(), 0.5)
            now, before, size = clock(), size, _bytes(directory)
            grew = now if size != before else grew
    finally:
        await child.stop(0)


def _path(text: str) -> Path:
    return Path(text).expanduser()


def _result(directory: Path) -> Path | None:
    return next((file for file in directory.glob("temporal*") if file.suffix != ".downloading"), None)


def _bytes(directory: Path) -> int:
    with contextlib.suppress(OSError):  # a file that was renamed meanwhile
        return sum(file.stat().st_size for file in directory.glob("*"))
    return -1


def _go_version(go: str) -> tuple[int, ...]:
    """(1, 25, 3) of the Go that would build, toolchains that it fetches included; () when it does not run."""
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        answer = subprocess.run([go, "env", "GOVERSION"], capture_output=True, text=True, timeout=30, check=True).stdout  # noqa: S603
        return tuple(int(part) for part in re.findall(r"\d+", answer)[:3])
    return ()


async def _download_with_sdk(directory: str, version: str) -> None:
    # Only here: the import costs a process half a second and 40 MB.
    from temporalio.testing import WorkflowEnvironment

    with contextlib.suppress(RuntimeError):  # the SDK cannot download only, so the start that follows is a --help
        await WorkflowEnvironment.start_local(
            download_dest_dir=directory,
            dev_server_download_version=version,
            dev_server_extra_args=["--help"],
            dev_server_startup_timeout=timedelta(seconds=1),
        )


if __name__ == "__main__":
    asyncio.run(_download_with_sdk(sys.argv[1], sys.argv[2]))
    os._exit(0)  # a clean exit of the interpreter aborts now and then in the SDK's threads
