"""`python -m agent.local`: server and worker without a page, until Ctrl-C.

`python -m agent.local restart`: restart the worker beside the pages, with the .env of now, and wait until it runs.
`python -m agent.local reset`: give the chats' database another name and start with an empty one; nothing is deleted.
`python -m agent.local backup FILE`: copy the chats' database, also while the server runs.
`python -m agent.local restore FILE`: put such a copy in its place; the database of before gets another name.
`python -m agent.local <config>`: the supervisor, as a page starts it.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path

from agent.errors import SettingsError, StartFailed
from agent.local import backup, commands
from agent.local.client import ensure, release, wait_ready
from agent.local.status import LocalConfig
from agent.local.supervisor import supervise
from agent.settings import load_settings


async def run() -> None:
    """Do as a page does, and say where things are."""
    settings = load_settings()
    ensure(settings)
    now = await wait_ready(settings, _say)
    _say(now.problem or f"Temporal: {now.address}  Web UI: {now.ui_url or 'unknown'}  worker: {now.worker}")
    await asyncio.Event().wait()


def _say(sentence: str) -> None:
    sys.stdout.write(f"{sentence}\n")
    sys.stdout.flush()


def main() -> None:
    """Do what the command line says. Raises SettingsError, StartFailed, KeyboardInterrupt."""
    match sys.argv[1:]:
        case []:
            asyncio.run(run())
        case ["restart"]:
            commands.restart(load_settings(), _say)
        case ["reset"]:
            commands.reset(load_settings(), _say)
        case ["backup", file]:
            backup.backup(load_settings(), Path(file).expanduser(), _say)
        case ["restore", file]:
            backup.restore(load_settings(), Path(file).expanduser(), _say)
        case [config] if config.startswith("{"):
            os.umask(0o077)  # what server and worker write is nobody else's to read
            asyncio.run(supervise(LocalConfig.from_json(config), dict(os.environ)))
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM):  # also where a shell started us with Ctrl-C ignored
        signal.signal(number, signal.default_int_handler)
    try:
        main()
    except (SettingsError, StartFailed) as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        pass
    finally:
        release()
