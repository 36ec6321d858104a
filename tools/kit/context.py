"""What a tool is given besides its arguments."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tools.kit.results import redact

Report = Callable[[str, float | None], None]
"""Takes what a tool is doing, in words, and how far it is (0 to 1, or None)."""


def _unheard(text: str, fraction: float | None) -> None:
    """Where nobody listens."""


@dataclass(frozen=True)
class ToolContext:
    """A parameter annotated with this type is filled in by us, and the model never sees it.

    idempotency_key: the same for every attempt of one receipt, never used by another.
    environment: the variables and keys, by name. home: the directory for state that outlives a call.
    """

    idempotency_key: str
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    home: Path = Path()
    report: Report = field(default=_unheard, repr=False)

    def progress(self, text: str, fraction: float | None = None) -> None:
        """Say what is going on; the page shows it while the tool runs. Works from any thread.

        What could not be shown is mended or left out: progress never makes a tool fail.
        """
        said = redact(str(text).encode("utf-8", "replace").decode(), self.environment)
        far = fraction if isinstance(fraction, float | int) and math.isfinite(fraction) else None
        self.report(said, None if far is None else min(max(float(far), 0.0), 1.0))
