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
from agent.local.database import PersistentServer, set_aside
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


async def test_a_database_that_cannot_be_opened_is_left_as_it_is(tmp_path: Path, temporal_cli: Path) -> None:
    (tmp_path / "temporal.db").write_bytes(b"not a database, but somebody's own file " * 99)
    with pytest.raises(StartFailed, match=r"ended while starting.*`python -m agent.local reset`"):
        await started_once(tmp_path, temporal_cli)
    assert (tmp_path / "temporal.db").read_bytes().startswith(b"not a database")


async def test_a_database_without_the_other_files_of_its_home_is_used(tmp_path: Path, temporal_cli: Path) -> None:
    own = PersistentServer(tmp_path, "default")
    server = await own.start(temporal_cli, os.environ)
    client = await Client.connect(server.address)
    run = (await client.start_workflow("Anything", id="a-chat", task_queue="nobody")).first_execution_run_id
    await server.stop()
    own.close()
    for file in tmp_path.iterdir():
        if file.is_file() and not file.name.startswith("temporal.db"):
            file.unlink()
    own = PersistentServer(tmp_path, "default")
    server = await own.start(temporal_cli, os.environ)
    client = await Client.connect(server.address)
    assert (await client.get_workflow_handle("a-chat").describe()).run_id == run
    await server.stop()
    own.close()


async def test_the_rest_of_a_deleted_database_is_renamed_and_reported(tmp_path: Path, temporal_cli: Path) -> None:
    (tmp_path / "temporal.db-wal").write_bytes(b"the last messages")
    own = PersistentServer(tmp_path, "default")
    server = await own.start(temporal_cli, os.environ)
    await server.stop()
    own.close()
    (aside,) = tmp_path.glob("temporal-*.db-wal")
    assert aside.read_bytes() == b"the last messages"
    assert own.notice == (
        f"temporal.db is gone from {tmp_path}. The files that belong to it were renamed to "
        f"{aside.name.removesuffix('-wal')}-*, and an empty database was started."
    )


@pytest.mark.parametrize("milliseconds", range(10, 250, 40))
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


def test_a_database_is_set_aside_with_all_its_files(tmp_path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        (tmp_path / f"temporal.db{suffix}").write_text(f"database{suffix}")
    aside = set_aside(tmp_path)
    assert aside
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == {
        f"{aside.name}{suffix}": f"database{suffix}" for suffix in ("", "-wal", "-shm")
    }
    (tmp_path / "temporal.db").write_text("another")
    assert set_aside(tmp_path) not in (None, aside)
    assert set_aside(tmp_path) is None


@pytest.mark.parametrize("name", ["100%41", "what?mode=memory", "home#1", "it's a home"])
async def test_a_home_with_special_characters_works(tmp_path: Path, temporal_cli: Path, name: str) -> None:
    home = tmp_path / name
    home.mkdir()
    await started_once(home, temporal_cli)
    assert (home / "temporal.db").stat().st_size > 10_000
    assert [file.name for file in tmp_path.iterdir()] == [name]


async def test_a_server_that_survived_its_supervisor_is_killed_before_another_starts(
    tmp_path: Path, temporal_cli: Path
) -> None:
    lock = FileLock(tmp_path / "server.lock")
    assert lock.take()
    orphan = outlive([lock.fd])
    lock.close()
    (tmp_path / "server.json").write_text(json.dumps({"pid": orphan.pid}))
    assert not is_free(tmp_path / "server.lock")
    await started_once(tmp_path, temporal_cli)
    assert orphan.wait(30) == -signal.SIGKILL


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
