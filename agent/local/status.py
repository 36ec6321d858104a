"""What the keeper is doing, told to every page through one small file."""

import contextlib
import dataclasses
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal


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


def write_status(path: Path, status: LocalStatus) -> None:
    """Replace the file in one step, so that a reader never sees half of it."""
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps(dataclasses.asdict(status)))
    os.replace(draft, path)  # noqa: PTH105 - Path.replace is the same call
