"""From a fresh clone to a Python that has our packages. The standard library only: nothing else is installed yet."""

import hashlib
import os
import subprocess
import sys
import threading
import time
import venv
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def prepare(requirements: str) -> Path:
    """The Python of .venv with the packages of a requirements file, installed if they are not or have changed.

    Says every 4 s what is going on. Ends the process with one sentence where it cannot be done.
    """
    if sys.version_info < (3, 11):  # noqa: UP036 - the reader may have an older one
        sys.exit(
            f"Steadfast needs Python 3.11 or later, and this is {sys.version.split()[0]}. Run it with a newer one."
        )
    wanted = hashlib.sha256((ROOT / requirements).read_bytes()).hexdigest()
    installed = VENV / f"installed-{requirements}"
    if PYTHON.exists() and installed.exists() and installed.read_text() == wanted:
        return PYTHON
    if not _has_pip():
        _say("Creating a Python environment in .venv")
        try:
            venv.create(VENV, with_pip=True, clear=VENV.exists())
        except (OSError, subprocess.CalledProcessError):
            sys.exit("A Python environment could not be created. Debian and Ubuntu need: sudo apt install python3-venv")
    pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement", requirements]
    with _Progress(f"Installing the packages of {requirements} (a minute or two the first time)"):
        done = subprocess.run(pip, cwd=ROOT, check=False)  # noqa: S603 - our own arguments
    if done.returncode:
        sys.exit(f"pip could not install {requirements}; its output is above. Check the network, then start again.")
    installed.write_text(wanted)
    return PYTHON


def _has_pip() -> bool:
    """False also for an environment whose making was interrupted."""
    return PYTHON.exists() and subprocess.run([str(PYTHON), "-c", "import pip"], check=False).returncode == 0  # noqa: S603


def become(*arguments: str) -> NoReturn:
    """Run the Python of .venv in the place of this process, so that Ctrl-C and signals reach it."""
    os.chdir(ROOT)
    command = [str(PYTHON), *arguments]
    if os.name == "nt":
        sys.exit(subprocess.call(command))  # noqa: S603 - our own arguments
    os.execv(command[0], command)  # noqa: S606 - likewise


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201


class _Progress:
    """Says a step, and every 4 s how long it has taken."""

    def __init__(self, step: str) -> None:
        self._step = step
        self._done = threading.Event()

    def __enter__(self) -> None:
        _say(f"{self._step} …")
        threading.Thread(target=self._tick, daemon=True).start()

    def __exit__(self, *_: object) -> None:
        self._done.set()

    def _tick(self) -> None:
        begun = time.monotonic()
        while not self._done.wait(4):
            _say(f"{self._step}: {time.monotonic() - begun:.0f} s so far")
