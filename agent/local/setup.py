"""What one keeper keeps, and where its files lie. Pages hand it over as JSON on the command line: no secrets in it."""

import dataclasses
import hashlib
import json
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from agent.settings import Settings

LOOK_AT = "localhost:7233"
"""Where a Temporal server of the person's own is looked for when TEMPORAL_ADDRESS is not set."""

ROOT = Path(__file__).resolve().parents[2]
"""The project's directory, where worker.py lies and workers run."""

WORKER = (sys.executable, "worker.py")


@dataclass(frozen=True)
class Setup:
    """address: the given server, or "" to look for one at look_at and else start our own. worker: its command, or ()."""

    home: str
    address: str = ""
    namespace: str = "default"
    cli_path: str = ""
    worker: tuple[str, ...] = ()
    look_at: str = LOOK_AT

    @property
    def needs_keeper(self) -> bool:
        return not self.address or bool(self.worker)

    @property
    def directory(self) -> Path:
        """The files of this keeper. Pages with another TEMPORAL_ADDRESS have another keeper, so nothing mixes."""
        if not self.address:
            return Path(self.home) / "local"
        name = re.sub(r"[^A-Za-z0-9.-]", "_", self.address)[:60]
        return Path(self.home) / f"{name}-{hashlib.sha256(self.address.encode()).hexdigest()[:8]}"

    @property
    def users(self) -> Path:
        """Shared by every page that lives."""
        return self.directory / "users.lock"

    @property
    def keeper(self) -> Path:
        """Held by the one keeper."""
        return self.directory / "keeper.lock"

    @property
    def keeper_log(self) -> Path:
        """What a keeper says when it crashes."""
        return self.directory / "keeper.log"

    @property
    def status(self) -> Path:
        return self.directory / "status.json"

    def to_json(self) -> str:
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Setup":
        fields = json.loads(text)
        return cls(**{**fields, "worker": tuple(fields["worker"])})


def setup_of(settings: Settings, worker: tuple[str, ...] = WORKER) -> Setup:
    """What these settings ask for. STEADFAST_LOOK_AT (for tests) replaces localhost:7233."""
    environment: Mapping[str, str] = settings.environment
    return Setup(
        home=str(settings.home),
        address=settings.temporal_address,
        namespace=environment.get("TEMPORAL_NAMESPACE", "default"),
        cli_path=settings.temporal_cli_path,
        worker=worker if settings.embedded_worker else (),
        look_at=environment.get("STEADFAST_LOOK_AT", LOOK_AT),
    )
