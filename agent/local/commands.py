"""What a person can ask of the supervisor in a terminal: restart the worker, and set the database aside."""

import time
from collections.abc import Callable
from pathlib import Path

from agent.errors import StartFailed
from agent.local.client import restart_worker, status
from agent.local.database import DATABASE, set_aside
from agent.local.locks import is_free, opened
from agent.local.status import LocalConfig, LocalStatus
from agent.settings import Settings

TIMEOUT = 3900.0
"""Seconds; the longest WORKER_GRACE is an hour."""


def restart(settings: Settings, say: Callable[[str], None]) -> None:
    """Restart the worker with the .env of now; returns when the new one runs. Raises StartFailed with the reason."""
    starts = status(settings).worker_starts
    if not restart_worker(settings):
        raise StartFailed("No embedded worker is running.")

    def restarted(now: LocalStatus) -> bool:
        if now.phase == "failed" or (now.worker_starts > starts and now.worker == "failed"):
            raise StartFailed(now.problem)
        return now.worker_starts > starts and now.worker == "running"

    say("Restarting the worker.")
    _wait(settings, say, restarted)
    say("The worker was restarted.")


def reset(settings: Settings, say: Callable[[str], None]) -> None:
    """Give the database another name, so that the server starts with an empty one. Raises StartFailed with the reason."""
    config = LocalConfig.of(settings)
    home, now = Path(config.home), status(settings)
    if config.address or (now.phase == "ready" and not now.server_pid):
        raise StartFailed(f"The chats are on the server at {now.address}, which is not ours, so nothing was reset.")
    files = take_database_away(settings, say)
    if not files:
        raise StartFailed(f"There is no database in {home}, so nothing was reset.")
    say(f"The chats are now in {', '.join(file.name for file in files)} in {home}.")
    say("To go back to them, stop Steadfast and give these files their names of before: temporal.db, temporal.db-wal …")


def is_running(settings: Settings) -> bool:
    """Whether a supervisor is."""
    config = LocalConfig.of(settings)
    return config.directory.exists() and not is_free(config.supervisor_lock)


def take_database_away(settings: Settings, say: Callable[[str], None]) -> list[Path]:
    """Give our database's files other names, which are returned; a server that runs goes on with another one."""
    config = LocalConfig.of(settings)
    home = Path(config.home)
    if not any(home.glob(f"{DATABASE}*")):
        return []
    before = set(home.glob("temporal-*.db*"))
    if is_running(settings):
        config.request("reset").touch()
        _wait(settings, say, lambda now: now.phase != "starting" and set(home.glob("temporal-*.db*")) > before)
    elif home.exists():
        with opened(home / "server.lock") as lock:
            if not lock.take():
                raise StartFailed("A Temporal server still uses the database. Wait a moment, then try again.")
            set_aside(home)
    return sorted(set(home.glob("temporal-*.db*")) - before)


def _wait(settings: Settings, say: Callable[[str], None], done: Callable[[LocalStatus], bool]) -> None:
    """Say each step until it is done. Raises StartFailed when nobody is there any more to do it."""
    reported, deadline = "", time.monotonic() + TIMEOUT
    while not done(now := status(settings)):
        if not now.supervisor_pid:
            raise StartFailed("The last page was closed meanwhile. Start again.")
        if time.monotonic() > deadline:
            raise StartFailed(f"It takes longer than {TIMEOUT:.0f} s; the last step was: {now.step}.")
        if now.step not in (reported, "Ready"):
            say(now.step)
            reported = now.step
        time.sleep(0.1)
