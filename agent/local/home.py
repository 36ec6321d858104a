"""The home directory, where everything is kept: private to its owner, and when it cannot be used, a sentence says why."""

import contextlib
import errno
import os
import shutil
import stat
from pathlib import Path

from agent.errors import StartFailed

LEAST_FREE = 8_000_000
"""With fewer bytes than that the disk counts as full: the database needs some for every message."""

_IN_HOME = ("temporal*.db*", "restored.db", "server.*", "bin/temporal*", "bin/*.log*")
_IN_DIRECTORY = ("*.lock", "*.log*", "status.json")


def prepare_home(home: Path, directory: Path) -> None:
    """Make the home and a supervisor's directory in it, private also when they existed. Raises StartFailed with the remedy."""
    if not home.is_absolute():  # where even ~ is unknown, it is left as it is
        raise StartFailed(
            f"The user who runs Steadfast (number {os.getuid()}) has no home directory. "
            "Set STEADFAST_HOME to a directory that this user can write, then start again."
        )
    path = home
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = directory
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = home
        _make_private(home, directory)
        _try_to_write(directory / "probe")
        if shutil.disk_usage(home).free < LEAST_FREE:
            raise OSError(errno.ENOSPC, "")
    except OSError as error:
        raise StartFailed(write_problem(error, path)) from None
    for file in _our_files(home, directory):
        if not os.access(file, os.W_OK):
            raise StartFailed(write_problem(PermissionError(errno.EACCES, "it belongs to another user"), file))


def disk_problem(home: Path, error: Exception | None = None) -> str:
    """A sentence while the disk of the home is full, or when an error of the server says so (a quota does not show), else ""."""
    reported = any(words in str(error).lower() for words in ("disk is full", "no space left", "quota exceeded"))
    with contextlib.suppress(OSError):
        if reported or shutil.disk_usage(home).free < LEAST_FREE:
            return f"The disk that holds {home} is full. Free some space; Steadfast then goes on by itself."
    return ""


def write_problem(error: OSError, path: Path) -> str:
    """Why a file or directory cannot be written, and the remedy."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return (
            f"The disk that holds {path} is full. Free some space on it, "
            "or set STEADFAST_HOME to a directory on another disk, then start again."
        )
    if isinstance(error, FileExistsError | NotADirectoryError):
        return f"{path} is not a directory. Set STEADFAST_HOME to a directory, or to a new one, then start again."
    return (
        f"{path} cannot be written ({error.strerror}). Let the user who runs Steadfast own it, "
        "or set STEADFAST_HOME to a directory that this user can write, then start again."
    )


def _try_to_write(file: Path) -> None:
    try:
        file.write_bytes(bytes(65_536))
    finally:
        file.unlink(missing_ok=True)


def _our_files(home: Path, directory: Path) -> list[Path]:
    """What we made, and nothing else: the home may hold other things too."""
    found = [path for pattern in _IN_HOME for path in home.glob(pattern)]
    return [*found, *(path for pattern in _IN_DIRECTORY for path in directory.glob(pattern))]


def _make_private(home: Path, directory: Path) -> None:
    if os.name != "posix":
        return
    shared = home.stat().st_mode & stat.S_ISVTX or str(home) == os.environ.get("HOME") or home.parent == home
    for path in [*([] if shared else [home]), directory, *_our_files(home, directory)]:
        status = path.lstat()
        if not stat.S_ISLNK(status.st_mode) and status.st_mode & 0o077 and status.st_uid == os.getuid():
            path.chmod(stat.S_IMODE(status.st_mode) & 0o700)
