"""`python -m agent.local`: server and worker without a page, until Ctrl-C.

`python -m agent.local restart`: let the worker beside the pages begin again, with the .env of now.
`python -m agent.local <setup>`: the keeper, as a page starts it.
"""

import asyncio
import os
import signal
import sys

from agent.errors import SettingsError, StartFailed
from agent.local.keeper import keep
from agent.local.page import ensure, release, restart_worker
from agent.local.setup import Setup
from agent.local.waiting import wait_ready
from agent.settings import load_settings


async def run() -> None:
    """Do as a page does, and say where things are."""
    settings = load_settings()
    ensure(settings)
    status = await wait_ready(settings, _say)
    _say(status.problem or f"Temporal: {status.address}  Web UI: {status.ui_url or 'unknown'}  worker: {status.worker}")
    await asyncio.Event().wait()


def _say(sentence: str) -> None:
    sys.stdout.write(f"{sentence}\n")
    sys.stdout.flush()


if sys.argv[1:] == ["restart"]:
    there = restart_worker(load_settings())
    _say("The worker begins again." if there else "No worker of ours runs here.")
elif sys.argv[1:]:
    asyncio.run(keep(Setup.from_json(sys.argv[1]), dict(os.environ)))
else:
    for number in (signal.SIGINT, signal.SIGTERM):  # also where a shell started us with Ctrl-C ignored
        signal.signal(number, signal.default_int_handler)
    try:
        asyncio.run(run())
    except (SettingsError, StartFailed) as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        pass
    finally:
        release()
