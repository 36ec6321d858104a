"""Our own server over restarts: one at a time, on one database file, at the same address whenever that is free."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agent.errors import StartFailed
from agent.local.locks import FileLock
from agent.local.process import open_log
from agent.local.server import DevServer, Ports, fetch, free_ports, start_dev_server

RETENTION_DAYS = 30
"""Days that closed chats are kept; set only on a server that we started."""


class PersistentServer:
    """The server of one home directory.

    Two servers on one database file both wedge, so each holds a lock on it that it inherited: the lock is free when
    no server lives, whatever happened to the supervisor that started it.
    """

    def __init__(self, home: Path, namespace: str) -> None:
        self.namespace = namespace
        self.database = home / "temporal.db"
        self._lock = FileLock(home / "server.lock")
        self._state = home / "server.json"
        self._mark = home / "temporal.db.healthy"
        self._log = open_log(home / "server.log")

    async def start(self, binary: Path, environment: Mapping[str, str]) -> DevServer:
        """Start it on the database of the last time. Raises StartFailed."""
        await self._acquire_database()
        try:
            try:
                server = await self._try(binary, environment, free_ports(self._last_ports()))
            except StartFailed:  # another program may have taken a port between our look and its start
                server = await self._try(binary, environment, free_ports())
        except StartFailed as error:
            raise StartFailed(f"{error} (If that does not pass, move {self.database} away to begin anew.)") from None
        self._mark.touch()
        with contextlib.suppress(OSError, ValueError):
            await server.keep_closed_chats(RETENTION_DAYS, self.namespace)
        return server

    async def _try(self, binary: Path, environment: Mapping[str, str], ports: Ports) -> DevServer:
        self._discard_incomplete()
        return await start_dev_server(
            binary,
            ports=ports,
            database=self.database,
            namespace=self.namespace,
            log=self._log,
            environment=environment,
            keep=[self._lock.fd],
            on_spawn=lambda pid: self._save_state(pid, ports),
        )

    def close(self) -> None:
        self._lock.close()

    async def _acquire_database(self) -> None:
        """Wait for a server that is dying with its supervisor; terminate one that survived it."""
        for attempt in range(100):
            if self._lock.take():
                break
            if attempt == 20:  # 1 s: not dying by itself. The lock is held, so the number is still that server's.
                self._terminate_orphan()
            await asyncio.sleep(0.05)
        else:
            raise StartFailed(
                f"Another Temporal server is using {self.database}. "
                "End it, or set STEADFAST_HOME to another directory, then start again."
            )
        if sys.platform == "win32" and (ports := self._last_ports()):  # there a child does not inherit the lock
            with contextlib.suppress(OSError, ValueError):
                await asyncio.to_thread(fetch, f"http://127.0.0.1:{ports.http}/api/v1/system-info")
                self._terminate_orphan()

    def _terminate_orphan(self) -> None:
        with contextlib.suppress(OSError, KeyError):
            os.kill(self._read_state()["pid"], signal.SIGTERM)

    def _discard_incomplete(self) -> None:
        """A server killed while it made its database leaves a file that never works: keep only one that once did."""
        if not (self.database.exists() and self._mark.exists()):
            self._mark.unlink(missing_ok=True)
            for suffix in ("", "-wal", "-shm", "-journal"):
                self.database.with_name(self.database.name + suffix).unlink(missing_ok=True)

    def _save_state(self, pid: int, ports: Ports) -> None:
        self._state.write_text(json.dumps({"pid": pid, "ports": ports._asdict()}))

    def _read_state(self) -> dict[str, Any]:
        with contextlib.suppress(OSError, ValueError):
            state = json.loads(self._state.read_bytes())
            return state if isinstance(state, dict) else {}
        return {}

    def _last_ports(self) -> Ports | None:
        with contextlib.suppress(TypeError, KeyError):
            return Ports(**self._read_state()["ports"])
        return None
