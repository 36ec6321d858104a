"""Our own server over restarts: one at a time, on one database file, at the same address whenever that is free."""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import sqlite3
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agent.errors import StartFailed
from agent.local.home import disk_problem
from agent.local.locks import FileLock
from agent.local.process import open_log
from agent.local.server import DevServer, Ports, fetch, free_ports, start_dev_server

RETENTION_DAYS = 30
"""Days that closed chats are kept; set only on a server that we started."""

DATABASE = "temporal.db"
RESTORED = "restored.db"
"""A copy of a database that is to take the place of one that is gone."""

_SUFFIXES = ("", "-wal", "-shm", "-journal")


def set_aside(home: Path) -> Path | None:
    """Give the database, with all files that belong to it, a new name; returns that, or None when there is none."""
    files = [(home / (DATABASE + suffix), suffix) for suffix in _SUFFIXES]
    if not any(file.exists() for file, _ in files):
        return None
    stem = f"temporal-{time.strftime('%Y-%m-%d-%H%M%S')}"
    while any(home.glob(f"{stem}.db*")):
        stem += "x"
    for file, suffix in reversed(files):  # the database last: it is the sign that there is one
        with contextlib.suppress(FileNotFoundError):
            file.rename(home / f"{stem}.db{suffix}")
    return home / f"{stem}.db"


class PersistentServer:
    """The server of one home directory.

    Two servers on one database file both wedge, so each holds a lock on it that it inherited: the lock is free when
    no server lives, whatever happened to the supervisor that started it. notice: a sentence for the person, or "".
    """

    def __init__(self, home: Path, namespace: str) -> None:
        self.namespace = namespace
        self._home = home
        self._lock = FileLock(home / "server.lock")
        self._state = home / "server.json"
        self._log = open_log(home / "server.log")
        self.notice = ""

    async def start(self, binary: Path, environment: Mapping[str, str]) -> DevServer:
        """Start it on the database of the last time. Raises StartFailed."""
        await self._acquire_lock()
        # A user without a passwd entry needs the first two. TEMPORAL_* is about other servers.
        missing = {"USER": "steadfast", "HOME": str(self._home)}
        given = {name: value for name, value in environment.items() if not name.startswith("TEMPORAL_")}
        environment = missing | given
        try:
            try:
                server = await self._start_on_database(binary, environment, self._last_ports())
            except StartFailed:  # another program may have taken a port since we looked
                server = await self._start_on_database(binary, environment, None)
        except (StartFailed, OSError, sqlite3.Error) as error:
            raise StartFailed(disk_problem(self._home, error) or _with_remedy(error)) from None
        with contextlib.suppress(OSError, ValueError):
            await server.keep_closed_chats(RETENTION_DAYS, self.namespace)
        return server

    def set_database_aside(self) -> None:
        if self._lock.take() and (aside := set_aside(self._home)):
            self._log.info("The database was set aside as %s.", aside)

    def close(self) -> None:
        self._lock.close()

    async def _start_on_database(self, binary: Path, environment: Mapping[str, str], wanted: Ports | None) -> DevServer:
        if not (self._home / DATABASE).exists() and (self._home / RESTORED).exists():
            (self._home / RESTORED).rename(self._home / DATABASE)
        if not (self._home / DATABASE).exists():
            await self._create_database(binary, environment, wanted)
        return await self._start(binary, environment, self._home, free_ports(wanted))

    async def _create_database(self, binary: Path, environment: Mapping[str, str], wanted: Ports | None) -> None:
        """Let a server make it elsewhere: one killed meanwhile leaves a file that never works, and nobody's chats."""
        if aside := set_aside(self._home):
            self.notice = (
                f"{DATABASE} is gone from {self._home}. The files that belong to it were renamed to {aside.name}-*, "
                "and an empty database was started."
            )
        directory = self._home / "local" / "new-database"
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
        server = await self._start(binary, environment, directory, free_ports(wanted))
        await server.stop()
        await asyncio.to_thread(_into_one_file, directory / DATABASE)
        (directory / DATABASE).rename(self._home / DATABASE)
        shutil.rmtree(directory, ignore_errors=True)

    async def _start(self, binary: Path, environment: Mapping[str, str], directory: Path, ports: Ports) -> DevServer:
        return await start_dev_server(
            binary,
            ports=ports,
            database=directory / DATABASE,
            namespace=self.namespace,
            log=self._log,
            environment=environment,
            keep=[self._lock.fd],
            on_spawn=self._save_state,
        )

    async def _acquire_lock(self) -> None:
        """Wait for a server that is dying with its supervisor; terminate one that survived it."""
        for attempt in range(100):
            if self._lock.take():
                break
            if attempt == 20:  # 1 s: not dying by itself. The lock is held, so the number is still that server's.
                self._kill_orphan()
            await asyncio.sleep(0.05)
        else:
            raise StartFailed(
                f"Another Temporal server is using {self._home / DATABASE}. "
                "End it, or set STEADFAST_HOME to another directory, then start again."
            )
        if sys.platform == "win32" and (ports := self._last_ports()):  # there a child does not inherit the lock
            with contextlib.suppress(OSError, ValueError, KeyError):
                url, host = f"http://127.0.0.1:{ports.http}/api/v1/system-info", self._read_state()["http_host"]
                await asyncio.to_thread(fetch, url, None, 2.0, host)
                self._kill_orphan()

    def _kill_orphan(self) -> None:
        with contextlib.suppress(OSError, KeyError):
            os.kill(self._read_state()["pid"], signal.SIGTERM if sys.platform == "win32" else signal.SIGKILL)

    def _save_state(self, server: DevServer) -> None:
        state = {"pid": server.child.pid, "ports": server.ports._asdict(), "http_host": server.http_host}
        self._state.write_text(json.dumps(state))

    def _read_state(self) -> dict[str, Any]:
        with contextlib.suppress(OSError, ValueError):
            state = json.loads(self._state.read_bytes())
            return state if isinstance(state, dict) else {}
        return {}

    def _last_ports(self) -> Ports | None:
        with contextlib.suppress(TypeError, KeyError):
            return Ports(**self._read_state()["ports"])
        return None


def _into_one_file(database: Path) -> None:
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _with_remedy(error: Exception) -> str:
    if "unknown userid" in str(error):  # a CLI that was built with cgo
        return (
            f"This Temporal CLI does not run for a user without an entry in /etc/passwd (number {os.getuid()}). "
            "Add one, or install the CLI of https://docs.temporal.io/cli, then start again."
        )
    return (
        f"{error} If that does not pass, `python -m agent.local reset` gives the chats' database another name "
        "and starts an empty one."
    )
