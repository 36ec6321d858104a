"""The keeper's first duty: a Temporal server that answers. The given one, else one that is there, else our own."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

from agent.errors import StartFailed
from agent.local.backoff import Backoff
from agent.local.binary import temporal_binary
from agent.local.existing import answers, listens, web_ui
from agent.local.own import OwnServer
from agent.local.report import Report
from agent.local.setup import Setup
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
