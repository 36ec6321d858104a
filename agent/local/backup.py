"""A copy of the chats' database while the server runs, and the way back: `python -m agent.local backup|restore FILE`."""

import contextlib
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

from agent.errors import StartFailed
from agent.local.client import status
from agent.local.commands import is_running, take_database_away
from agent.local.database import DATABASE, RESTORED
from agent.local.locks import opened
from agent.local.status import LocalConfig
from agent.settings import Settings

_TABLES = {"executions", "history_node", "executions_visibility"}
"""Some that each database of a Temporal server has."""


def backup(settings: Settings, file: Path, say: Callable[[str], None]) -> None:
    """Copy the database as it is at one moment, in one file. Raises StartFailed with the reason."""
    home = _own_home(settings)
    if not (home / DATABASE).exists():
        raise StartFailed(f"There is no database in {home}, so nothing was copied.")
    if file.exists():
        raise StartFailed(f"{file} exists already. Give the name of a new file.")
    part = file.with_name(f"{file.name}.part")
    try:
        part.touch(mode=0o600)
        with (
            contextlib.closing(sqlite3.connect(home / DATABASE)) as ours,
            contextlib.closing(sqlite3.connect(part)) as copy,
        ):
            ours.execute("PRAGMA busy_timeout = 10000")
            ours.backup(copy)  # in one step: what the server writes meanwhile is not in it, and is not held up
            copy.execute("PRAGMA journal_mode = DELETE")
        chats = check(part)
        part.rename(file)
    except (OSError, sqlite3.Error) as error:
        raise StartFailed(f"{file} could not be written: {error}.") from None
    finally:
        part.unlink(missing_ok=True)
    size = file.stat().st_size / 1e6
    say(f"{file} holds {_count(chats)}, {size:.1f} MB. Keep PAYLOAD_KEYS with it, if you have set that.")


def restore(settings: Settings, file: Path, say: Callable[[str], None]) -> None:
    """Put a copy in the place of the database, which gets another name. Raises StartFailed with the reason."""
    home = _own_home(settings)
    part = home / f"{RESTORED}.part"
    try:
        chats = check(file)
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        part.touch(mode=0o600)
        shutil.copyfile(file, part)
        part.rename(home / RESTORED)
    except (OSError, sqlite3.Error) as error:
        part.unlink(missing_ok=True)
        raise StartFailed(f"{file} is no copy of a database of chats, so nothing was changed: {error}.") from None
    try:
        aside = take_database_away(settings, say)
        if not is_running(settings):
            with opened(home / "server.lock") as lock:
                if not lock.take():
                    raise StartFailed("A Temporal server still uses this home. Wait a moment, then try again.")
                (home / RESTORED).rename(home / DATABASE)
    except StartFailed:
        (home / RESTORED).unlink(missing_ok=True)
        raise
    say(f"Restored {_count(chats)} from {file}.")
    if aside:
        say(f"Those of before are in {', '.join(path.name for path in aside)} in {home}.")


def check(file: Path) -> int:
    """How many chats a copy holds; raises sqlite3.Error where it is none, or is damaged."""
    if not file.is_file():
        raise sqlite3.DatabaseError("there is no such file")
    with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro&immutable=1", uri=True)) as copy:
        tables = {name for (name,) in copy.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if not tables >= _TABLES:
            raise sqlite3.DatabaseError("it has no tables of Temporal")
        [(verdict,)] = copy.execute("PRAGMA quick_check(1)").fetchall()
        if verdict != "ok":
            raise sqlite3.DatabaseError("it is damaged")
        ours = "SELECT COUNT(DISTINCT workflow_id) FROM executions_visibility WHERE workflow_type_name = 'AgentGoalWorkflow'"
        [(chats,)] = copy.execute(ours).fetchall()
    return int(chats)


def _count(chats: int) -> str:
    return "1 chat" if chats == 1 else f"{chats} chats"


def _own_home(settings: Settings) -> Path:
    config, now = LocalConfig.of(settings), status(settings)
    if config.address or (now.phase == "ready" and not now.server_pid):
        raise StartFailed(
            f"The chats are on the server at {now.address}, which is not ours. Use the means of its own database."
        )
    return Path(config.home)
