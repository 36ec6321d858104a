"""`python -m agent.local`: server and worker without a page, until Ctrl-C.

`python -m agent.local restart`: restart the worker beside the pages, with the .env of now.
`python -m agent.local <config>`: the supervisor, as a page starts it.
"""

import asyncio
import os
import signal
import sys

from agent.errors import SettingsError, StartFailed
from agent.local.client import ensure, release, restart_worker, wait_ready
from agent.local.status import LocalConfig
from agent.local.supervisor import supervise
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
    found = restart_worker(load_settings())
    _say("Restarting the worker." if found else "No embedded worker is running.")
elif sys.argv[1:]:
    asyncio.run(supervise(LocalConfig.from_json(sys.argv[1]), dict(os.environ)))
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
