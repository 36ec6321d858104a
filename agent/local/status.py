"""What the keeper is doing: its reports, made into one status that every page reads from one small file."""

import asyncio
import contextlib
import dataclasses
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal


@dataclass(frozen=True)
class LocalStatus:
    """The state of the server and the worker beside the page.

    step: one plain sentence on what is under way. phase: `ready` = the server can be used at `address`.
    problem: "" or one sentence with its remedy. ui_url: the server's Web UI, "" when unknown.
    since: when this step began, in seconds since the epoch.
    """

    step: str = "Starting"
    phase: Literal["starting", "ready", "failed"] = "starting"
    address: str = ""
    ui_url: str = ""
    worker: Literal["starting", "running", "off", "failed"] = "starting"
    worker_pid: int = 0
    server_pid: int = 0
    keeper_pid: int = 0
    problem: str = ""
    since: float = 0.0

    @property
    def age(self) -> float:
        """How many seconds this step has lasted."""
        return max(0.0, time.time() - self.since) if self.since else 0.0

    @property
    def settled(self) -> bool:
        """Nothing more happens by itself: the server answers, and the worker runs or is not ours to start."""
        return self.phase == "failed" or (self.phase == "ready" and self.worker != "starting")


def read_status(path: Path) -> LocalStatus:
    """The newest status, or that of a fresh start when there is none or another version wrote it."""
    with contextlib.suppress(OSError, ValueError, TypeError):
        return LocalStatus(**json.loads(path.read_bytes()))
    return LocalStatus()


class Report:
    """The status of one keeper; every change is written for the pages at once."""

    def __init__(self, path: Path, *, worker: bool) -> None:
        self.status = LocalStatus(worker="starting" if worker else "off", keeper_pid=os.getpid(), since=time.time())
        self.answering = asyncio.Event()
        self._path = path
        self._step = self.status.step
        self._problems = {"server": "", "worker": ""}
        self._write()

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
            self._write()

    def _words(self, status: LocalStatus) -> str:
        if status.phase != "ready":
            return self._step
        return {"starting": "Starting the worker", "failed": "Trying to start the worker"}.get(status.worker, "Ready")

    def _write(self) -> None:
        """Replace the file in one step, so that a reader never sees half of it."""
        draft = self._path.with_suffix(".new")
        for _ in range(5):
            with contextlib.suppress(OSError):  # a full disk; on Windows, a reader
                draft.write_text(json.dumps(dataclasses.asdict(self.status)))
                draft.replace(self._path)
                return
            time.sleep(0.01)
