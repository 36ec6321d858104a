"""One server at a time on one database, whatever is killed when."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from temporalio.client import Client

from agent.errors import StartFailed
from agent.local.database import PersistentServer
from agent.local.locks import FileLock, is_free
from tests.local.stack import eventually


async def started_once(home: Path, cli: Path) -> None:
    own = PersistentServer(home, "default")
    server = await own.start(cli, os.environ)
    await Client.connect(server.address)
    await server.stop()
    own.close()


def outlive(descriptors: list[int]) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], pass_fds=descriptors)


async def test_a_database_that_was_never_complete_is_made_again(tmp_path: Path, temporal_cli: Path) -> None:
    (tmp_path / "temporal.db").write_bytes(b"SQLite format 3\0 and no more")
    (tmp_path / "temporal.db-wal").write_bytes(b"half")
    await started_once(tmp_path, temporal_cli)


async def test_a_database_that_once_worked_is_never_deleted(tmp_path: Path, temporal_cli: Path) -> None:
    await started_once(tmp_path, temporal_cli)
    for suffix in ("-wal", "-shm"):
        (tmp_path / f"temporal.db{suffix}").unlink()
    (tmp_path / "temporal.db").write_bytes(b"not a database, but the person's own file to look into " * 99)
    with pytest.raises(StartFailed, match="ended while starting"):
        await started_once(tmp_path, temporal_cli)
    assert (tmp_path / "temporal.db").read_bytes().startswith(b"not a database")


async def test_a_deleted_database_leaves_no_mark_for_the_next_one(tmp_path: Path, temporal_cli: Path) -> None:
    await started_once(tmp_path, temporal_cli)
    (tmp_path / "temporal.db").unlink()
    own = PersistentServer(tmp_path, "default")
    starting = asyncio.create_task(own.start(temporal_cli, os.environ))
    await eventually((tmp_path / "temporal.db").exists)
    starting.cancel()  # ends the server in the middle of making the file
    await asyncio.wait([starting])
    own.close()
    await started_once(tmp_path, temporal_cli)


@pytest.mark.parametrize("milliseconds", range(10, 130, 15))
async def test_a_server_killed_while_it_makes_its_database_starts_next_time(
    tmp_path: Path, temporal_cli: Path, milliseconds: int
) -> None:
    own = PersistentServer(tmp_path, "default")
    starting = asyncio.create_task(own.start(temporal_cli, os.environ))
    await eventually((tmp_path / "server.json").exists)
    await asyncio.sleep(milliseconds / 1000)
    os.kill(json.loads((tmp_path / "server.json").read_text())["pid"], signal.SIGKILL)
    await asyncio.wait([starting])
    if not starting.exception():  # it was killed soon enough for a second try
        await starting.result().stop()
    own.close()
    await started_once(tmp_path, temporal_cli)


async def test_a_server_that_survived_its_supervisor_is_stopped_before_another_starts(
    tmp_path: Path, temporal_cli: Path
) -> None:
    lock = FileLock(tmp_path / "server.lock")
    assert lock.take()
    orphan = outlive([lock.fd])
    lock.close()
    (tmp_path / "server.json").write_text(json.dumps({"pid": orphan.pid}))
    assert not is_free(tmp_path / "server.lock")
    await started_once(tmp_path, temporal_cli)
    assert orphan.wait(30) == -signal.SIGTERM


async def test_two_servers_never_run_on_one_database(tmp_path: Path, temporal_cli: Path) -> None:
    lock = FileLock(tmp_path / "server.lock")
    assert lock.take()  # held by a process that no file names
    with pytest.raises(StartFailed, match="Another Temporal server is using"):
        await started_once(tmp_path, temporal_cli)
    lock.close()
    assert not (tmp_path / "temporal.db").exists()


async def test_the_lock_is_held_as_long_as_the_server_lives(tmp_path: Path, temporal_cli: Path) -> None:
    own = PersistentServer(tmp_path, "default")
    server = await own.start(temporal_cli, os.environ)
    own.close()
    assert not is_free(tmp_path / "server.lock")
    await server.stop()
    assert is_free(tmp_path / "server.lock")
