"""What pages and the supervisor tell each other: a config on its command line, and a status in a small file."""

import asyncio
import contextlib
import dataclasses
import hashlib
import json
import os
import re
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from agent.settings import Settings

DEFAULT_ADDRESS = "localhost:7233"
"""Where a Temporal server of the person's own is looked for when TEMPORAL_ADDRESS is not set."""

ROOT = Path(__file__).resolve().parents[2]
"""The project's directory, where worker.py is and workers run."""

WORKER = (sys.executable, "worker.py")


Request = Literal["restart", "reset", "kill-worker", "kill-server"]


@dataclass(frozen=True)
class LocalConfig:
    """What a page asks a supervisor to run. No secrets: other users of the machine can read a command line.

    address: the given server, or "" to look for one at look_at and else start our own. worker: its command, or ().
    """

    home: str
    address: str = ""
    namespace: str = "default"
    cli_path: str = ""
    worker: tuple[str, ...] = ()
    look_at: str = DEFAULT_ADDRESS

    @classmethod
    def of(cls, settings: Settings) -> "LocalConfig":
        """STEADFAST_LOOK_AT (for tests) replaces localhost:7233."""
        try:
            home = settings.home.absolute() if not str(settings.home).startswith("~") else settings.home
        except RuntimeError:  # the user has no home directory; prepare_home says so
            home = Path("~")
        return cls(
            home=str(home),
            address=settings.temporal_address,
            namespace=settings.environment.get("TEMPORAL_NAMESPACE", "default"),
            cli_path=settings.temporal_cli_path,
            worker=WORKER if settings.embedded_worker else (),
            look_at=settings.environment.get("STEADFAST_LOOK_AT", DEFAULT_ADDRESS),
        )

    @property
    def needs_supervisor(self) -> bool:
        return not self.address or bool(self.worker)

    @property
    def directory(self) -> Path:
        """The files of this supervisor. Pages with another TEMPORAL_ADDRESS have another one, so nothing mixes."""
        if not self.address:
            return Path(self.home) / "local"
        name = re.sub(r"[^A-Za-z0-9.-]", "_", self.address)[:60]
        return Path(self.home) / f"{name}-{hashlib.sha256(self.address.encode()).hexdigest()[:8]}"

    @property
    def pages_lock(self) -> Path:
        """Shared by every page that lives."""
        return self.directory / "pages.lock"

    @property
    def supervisor_lock(self) -> Path:
        """Held by the one supervisor."""
        return self.directory / "supervisor.lock"

    @property
    def supervisor_log(self) -> Path:
        """The stderr of the supervisor: empty unless it crashed."""
        return self.directory / "supervisor.log"

    @property
    def worker_log(self) -> Path:
        return self.directory / "worker.log"

    @property
    def status(self) -> Path:
        return self.directory / "status.json"

    def request(self, name: Request) -> Path:
        """An empty file by which a command asks the supervisor for something; the supervisor deletes it."""
        return self.directory / f"{name}.request"

    def to_json(self) -> str:
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "LocalConfig":
        fields = json.loads(text)
        return cls(**{**fields, "worker": tuple(fields["worker"])})


@dataclass(frozen=True)
class LocalStatus:
    """The state of the server and the worker beside the page.

    step: what is under way, in one sentence. phase: `ready` = the server can be used at `address`.
    worker: `stuck` = it runs and does not respond; `stopping` = it finishes what is under way before a restart.
    problem: "" or one sentence with its remedy. ui_url: the server's Web UI, "" when unknown.
    since, worker_since, server_since: when this step, worker or server began, in seconds since the epoch.
    worker_died, server_died: the process that died last, without having been told to stop, and when; 0 = none has.
    """

    step: str = "Starting"
    phase: Literal["starting", "ready", "failed"] = "starting"
    address: str = ""
    ui_url: str = ""
    worker: Literal["starting", "running", "stuck", "stopping", "off", "failed"] = "starting"
    worker_pid: int = 0
    worker_starts: int = 0
    server_pid: int = 0
    supervisor_pid: int = 0
    problem: str = ""
    since: float = 0.0
    worker_since: float = 0.0
    server_since: float = 0.0
    worker_died: tuple[int, float] = (0, 0.0)
    server_died: tuple[int, float] = (0, 0.0)

    @property
    def age(self) -> float:
        """How many seconds this step has lasted."""
        return max(0.0, time.time() - self.since) if self.since else 0.0

    @property
    def settled(self) -> bool:
        """Nothing more happens by itself: the server answers, and the worker runs or is not ours to start."""
        return self.phase == "failed" or (self.phase == "ready" and self.worker in ("running", "off", "failed"))


def read_status(path: Path) -> LocalStatus:
    """The newest status, or that of a fresh start when there is none or another version wrote it."""
    with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
        found = json.loads(path.read_bytes())
        died = {name: tuple(found[name]) for name in ("worker_died", "server_died")}
        return LocalStatus(**(found | died))
    return LocalStatus()


_WORKER_STEPS = {
    "starting": "Starting the worker",
    "failed": "Trying to start the worker",
    "stuck": "Waiting for the worker to respond",
    "stopping": "Restarting the worker: it finishes what is under way first",
}


class StatusReport:
    """The status of one supervisor; each change is written to its file at once, or by flush() once that works.

    server_ready: set while the server can be used.
    """

    def __init__(self, path: Path, *, worker: bool) -> None:
        self.status = LocalStatus(worker="starting" if worker else "off", supervisor_pid=os.getpid(), since=time.time())
        self.server_ready = asyncio.Event()
        self._path = path
        self._written = LocalStatus()
        self._step = self.status.step
        self._problems = {"server": "", "worker": ""}
        self.flush()

    def server(self, *, step: str = "", problem: str | None = None, **changes: Any) -> None:
        self._step = step or self._step
        self._change("server", problem, changes)
        if self.status.phase == "ready":
            self.server_ready.set()
        else:
            self.server_ready.clear()

    def worker(self, *, problem: str | None = None, **changes: Any) -> None:
        self._change("worker", problem, changes)

    def stopping(self) -> None:
        self.server(step="Stopping: the last page was closed", phase="starting", problem="", address="", ui_url="")

    def _change(self, part: str, problem: str | None, changes: dict[str, Any]) -> None:
        if problem is not None:
            self._problems[part] = problem
        changed = dataclasses.replace(self.status, **changes)
        problem = self._problems["server"] or self._problems["worker"]
        changed = dataclasses.replace(changed, problem=problem, step=self._step_of(changed))
        if changed.step != self.status.step:
            changed = dataclasses.replace(changed, since=time.time())
        if changed != self.status:
            self.status = changed
            self.flush()

    def _step_of(self, status: LocalStatus) -> str:
        if status.phase != "ready":
            return self._step
        return _WORKER_STEPS.get(status.worker, "Ready")

    def flush(self) -> None:
        """Write what has not been written. The file is replaced in one step, so that a reader never sees half of it."""
        if self.status == self._written:
            return
        text = json.dumps(dataclasses.asdict(self.status)).ljust(4096)
        draft = self._path.with_suffix(".new")
        try:
            _replace(draft, self._path, text)
        except OSError:  # a full disk; on Windows, a reader
            try:
                _overwrite(self._path, text)
            except OSError:
                return
        self._written = self.status


def _replace(draft: Path, path: Path, text: str) -> None:
    try:
        draft.write_text(text)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _overwrite(path: Path, text: str) -> None:
    """Needs no space on the disk, since all are of one length."""
    with path.open("r+") as file:
        file.write(text)
