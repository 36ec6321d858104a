"""The home directory, where everything is kept: private to its owner, and when it cannot be used, a sentence says why."""

import errno
import os
import shutil
import stat
from pathlib import Path

from agent.errors import StartFailed

LEAST_FREE = 8_000_000
"""With fewer bytes than that the disk counts as full: the database needs some for every message."""

_OURS = ("temporal*.db*", "server.*", "bin", "local", "*-????????")


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
        _make_private(home)
        _try_to_write(directory / "probe")
        if shutil.disk_usage(home).free < LEAST_FREE:
            raise OSError(errno.ENOSPC, "")
    except OSError as error:
        raise StartFailed(_sentence(error, path)) from None
    for file in _our_files(home):
        if not os.access(file, os.W_OK):
            raise StartFailed(_sentence(PermissionError(errno.EACCES, "it belongs to another user"), file))


def disk_problem(home: Path) -> str:
    """A sentence while the disk of the home is full, else ""."""
    try:
        if shutil.disk_usage(home).free >= LEAST_FREE:
            _try_to_write(home / "local.probe")
            return ""
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            return ""
    return f"The disk that holds {home} is full. Free some space; Steadfast then goes on by itself."


def _sentence(error: OSError, path: Path) -> str:
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


def _our_files(home: Path) -> list[Path]:
    """The files and directories that we made: the home may be a directory that holds other things too."""
    found = [path for pattern in _OURS for path in home.glob(pattern)]
    return [*found, *(inner for path in found if path.is_dir() for inner in path.rglob("*"))]


def _make_private(home: Path) -> None:
    if os.name != "posix":
        return
    shared = home.stat().st_mode & stat.S_ISVTX or str(home) == os.environ.get("HOME") or home.parent == home
    for path in [*([] if shared else [home]), *_our_files(home)]:
        mode = path.lstat().st_mode
        if not stat.S_ISLNK(mode) and mode & 0o077 and path.lstat().st_uid == os.getuid():
            path.chmod(stat.S_IMODE(mode) & 0o700)
