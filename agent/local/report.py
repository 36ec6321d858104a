"""What the server's and the worker's keepers each report, made into the one status that pages read."""

import asyncio
import dataclasses
import os
import time
from pathlib import Path
from typing import Any

from agent.local.status import LocalStatus, write_status


class Report:
    """The status of one keeper; every change is written for the pages at once."""

    def __init__(self, path: Path, *, worker: bool) -> None:
        self.status = LocalStatus(worker="starting" if worker else "off", keeper_pid=os.getpid(), since=time.time())
        self.answering = asyncio.Event()
        self._path = path
        self._step = self.status.step
        self._problems = {"server": "", "worker": ""}
        write_status(path, self.status)

    def server(self, *, step: str = "", problem: str | None = None, **changes: Any) -> None:
        self._step = step or self._step
        self._change("server", problem, changes)
        if self.status.phase == "ready":
            self.answering.set()

    def worker(self, *, problem: str | None = None, **changes: Any) -> None:
        self._change("worker", problem, changes)

    def stopping(self) -> None:
        self.server(step="Stopping what the last page started", phase="starting", problem="", address="", ui_url="")

    def _change(self, part: str, problem: str | None, changes: dict[str, Any]) -> None:
        if problem is not None:
            self._problems[part] = problem
        changed = dataclasses.replace(self.status, **changes)
        problem = self._problems["server"] or self._problems["worker"]
        changed = dataclasses.replace(changed, problem=problem, step=self._words(changed))
        if changed.step != self.status.step:
            changed = dataclasses.replace(changed, since=time.time())
        if changed != self.status:
            self.status = changed
            write_status(self._path, changed)

    def _words(self, status: LocalStatus) -> str:
        if status.phase != "ready":
            return self._step
        return {"starting": "Starting the worker", "failed": "Trying to start the worker"}.get(status.worker, "Ready")
