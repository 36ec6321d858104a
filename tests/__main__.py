"""`python3 -m tests`: from a fresh clone to all checks, then the tests. With arguments: only pytest, which they go to."""

import os
import subprocess
import sys

from agent.environment import PYTHON, ROOT, become, prepare

CHECKS = {
    "ruff check": ["ruff", "check", "--quiet"],
    "ruff format": ["ruff", "format", "--check", "--quiet"],
    "mypy": ["mypy", "--no-error-summary"],
    "deptry": ["deptry", "--no-ansi", "."],
}

PARALLEL = ["-n", str(min(6, (os.cpu_count() or 1) + 1)), "--dist", "loadgroup"]
"""One process more than there are cores, since tests often wait; each has a Temporal dev server of its own. `-n 0` turns it off."""


def main(arguments: list[str]) -> int:
    """Every check runs, whatever failed before; where all passed, pytest's summary is the last that is said."""
    prepare("requirements-dev.txt")
    failed = [] if arguments else [name for name in CHECKS if not _passes(name)]
    command = ["-m", "pytest", *PARALLEL, *arguments]
    if not failed:
        become(*command)
    subprocess.run([str(PYTHON), *command], cwd=ROOT, check=False)
    _say(f"Failed checks, see above: {', '.join(failed)}")
    return 1


def _passes(name: str) -> bool:
    done = subprocess.run([str(PYTHON), "-m", *CHECKS[name]], cwd=ROOT, capture_output=True, text=True, check=False)
    _say(f"{name}: {'FAILED' if done.returncode else 'passed'}")
    if done.returncode:
        _say((done.stdout + done.stderr).rstrip())
    return done.returncode == 0


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
