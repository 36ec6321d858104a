"""The keeper's first duty: a Temporal server that answers. The given one, else one that is there, else our own."""

import asyncio
import contextlib
from collections.abc import Mapping
from pathlib import Path

from agent.errors import StartFailed
from agent.local.binary import temporal_binary
from agent.local.child import Backoff
from agent.local.own import OwnServer
from agent.local.server import fetch
from agent.local.setup import Setup
from agent.local.status import Report
from agent.settings import Settings


async def keep_server(setup: Setup, environment: Mapping[str, str], report: Report) -> None:
    """Until cancelled."""
    if setup.address:
        report.server(phase="ready", address=setup.address, ui_url=await web_ui(setup.address))
        return
    report.server(step="Looking for a Temporal server")
    if await answers(setup.look_at):
        report.server(phase="ready", address=setup.look_at, ui_url=await web_ui(setup.look_at))
        await _watch_existing(setup.look_at, report)
    await _keep_own(setup, environment, report)


async def _watch_existing(address: str, report: Report) -> None:
    """Stay with the server that was found: the chats are there, and on another they would seem lost."""
    gone = f"The Temporal server at {address} does not answer any more. Start it again."
    while True:
        await asyncio.sleep(2)
        report.server(problem="" if await listens(address) else gone)


async def _keep_own(setup: Setup, environment: Mapping[str, str], report: Report) -> None:
    settings = Settings(steadfast_home=setup.home, temporal_cli_path=setup.cli_path)
    own = OwnServer(Path(setup.home), setup.namespace)
    backoff = Backoff()
    try:
        while True:
            backoff.began()
            try:
                binary = await temporal_binary(settings, lambda step: report.server(step=step, phase="starting"))
                report.server(step="Starting the Temporal server", phase="starting")
                server = await own.start(binary, environment)
            except StartFailed as error:
                report.server(phase="failed", step="Trying to start the Temporal server", problem=str(error))
            else:
                try:
                    report.server(
                        phase="ready",
                        address=server.address,
                        ui_url=server.ui_url,
                        server_pid=server.child.pid,
                        problem="",
                    )
                    await server.child.ended.wait()
                finally:
                    await server.stop()
                report.server(step="Starting the Temporal server again", phase="starting", server_pid=0)
            await backoff.wait()
    finally:
        own.close()


async def listens(address: str, timeout: float = 1.0) -> bool:
    """Whether anything accepts connections there."""
    host, _, port = address.rpartition(":")
    with contextlib.suppress(OSError, TimeoutError):
        _, writer = await asyncio.wait_for(asyncio.open_connection(host, int(port)), timeout)
        writer.close()
        return True
    return False


async def answers(address: str, timeout: float = 3.0) -> bool:
    """Whether it is a Temporal server in good health: an open port is not enough."""
    if not await listens(address):
        return False
    # Only now: the import takes half a second and 40 MB, which a keeper with a server of its own never needs.
    client = await asyncio.to_thread(__import__, "temporalio.client", fromlist=["Client"])
    with contextlib.suppress(RuntimeError, TimeoutError):
        await asyncio.wait_for(client.Client.connect(address), timeout)
        return True
    return False


async def web_ui(address: str) -> str:
    """The Web UI of a dev server on this machine, which by default listens 1000 ports higher; "" when there is none."""
    host, _, port = address.rpartition(":")
    if host not in ("localhost", "127.0.0.1", "[::1]"):
        return ""
    url = f"http://{host}:{int(port) + 1000}"
    with contextlib.suppress(OSError, ValueError):
        settings = await asyncio.to_thread(fetch, f"{url}/api/v1/settings", None, 1.0)
        return url if "DefaultNamespace" in settings else ""
    return ""
