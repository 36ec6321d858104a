"""A lock on a file, which the kernel releases when its holders die: no pid files, nothing to clean up."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import portalocker
from portalocker import LockFlags


class FileLock:
    """One raw descriptor on a lock file. A child that inherits the descriptor holds the same lock."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)

    def share(self) -> None:
        """Hold it together with others; waits while someone holds it alone, which here is for microseconds."""
        portalocker.lock(self.fd, LockFlags.SHARED)

    def take(self) -> bool:
        """Hold it alone, or return False at once."""
        try:
            portalocker.lock(self.fd, LockFlags.EXCLUSIVE | LockFlags.NON_BLOCKING)
        except portalocker.LockException:
            return False
        return True

    def release(self) -> None:
        portalocker.unlock(self.fd)

    def is_of(self, path: Path) -> bool:
        """Whether that path still is the file we opened."""
        with contextlib.suppress(OSError):
            return os.path.samestat(path.stat(), os.fstat(self.fd))
        return False

    def close(self) -> None:
        """Close our descriptor; the lock is free when no other process holds a copy of it."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


@contextlib.contextmanager
def opened(path: Path) -> Iterator[FileLock]:
    lock = FileLock(path)
    try:
        yield lock
    finally:
        lock.close()


def is_free(path: Path) -> bool:
    """Whether nobody holds the lock alone. To see, it is shared for a moment: those who take it try more than once."""
    with opened(path) as lock:
        try:
            portalocker.lock(lock.fd, LockFlags.SHARED | LockFlags.NON_BLOCKING)
        except portalocker.LockException:
            return False
        return True
