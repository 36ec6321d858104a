"""A copy of the chats, and the way back to it."""

import asyncio
import sqlite3
import stat
from pathlib import Path

from temporalio.client import Client

from tests.local.stack import Stack, run_command
from tests.workflow.harness import wait_until


async def start(address: str, chat: str) -> None:
    await (await Client.connect(address)).start_workflow("AgentGoalWorkflow", id=chat, task_queue="nobody")


async def chats(address: str) -> set[str]:
    client = await Client.connect(address)
    return {chat.id async for chat in client.list_workflows()}


async def test_restore_brings_back_the_chats_of_the_moment_of_the_backup(
    stack: Stack, tmp_path: Path, temporal_cli: Path
) -> None:
    file = tmp_path / "chats.backup"
    stack.open_page()
    now = await stack.ready()
    await start(now.address, "before")
    made = await asyncio.to_thread(run_command, stack, "backup", str(file))
    assert (made.returncode, made.stderr) == (0, "")
    assert made.stdout.startswith(f"{file} holds 1 chat, ")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    await start(now.address, "after")
    done = await asyncio.to_thread(run_command, stack, "restore", str(file))
    assert (done.returncode, done.stderr) == (0, "")
    assert f"Restored 1 chat from {file}.\nThose of before are in temporal-" in done.stdout
    now = await stack.ready()
    assert await chats(now.address) == {"before"}
    await (await Client.connect(now.address)).get_workflow_handle("before").signal("anything")
    assert not (stack.home / "restored.db").exists()
    fresh = Stack(tmp_path / "another machine", temporal_cli)
    done = await asyncio.to_thread(run_command, fresh, "restore", str(file))
    assert done.stdout == f"Restored 1 chat from {file}.\n"
    assert (fresh.home / "temporal.db").read_bytes() == file.read_bytes()


async def test_backup_while_the_server_writes_is_one_moment_of_all_chats(stack: Stack, tmp_path: Path) -> None:
    stack.open_page()
    now = await stack.ready()
    made = asyncio.create_task(asyncio.to_thread(run_command, stack, "backup", str(tmp_path / "copy")))
    number = 0
    while not made.done():
        await start(now.address, f"chat-{number}")
        number += 1
    assert (await made).returncode == 0

    async def all_are_listed() -> bool:
        return len(await chats(now.address)) == number

    await wait_until(all_are_listed)
    with sqlite3.connect(tmp_path / "copy") as copy:
        assert copy.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    copy.close()


def test_what_is_no_backup_changes_nothing(tmp_path: Path, temporal_cli: Path) -> None:
    stack = Stack(tmp_path / "home", temporal_cli)
    stack.home.mkdir()
    (stack.home / "temporal.db").write_text("chats")
    (tmp_path / "letter").write_text("Dear reader, " * 99)
    sqlite3.connect(tmp_path / "other").close()
    for name, reason in (
        ("letter", "file is not a database"),
        ("other", "it has no tables of Temporal"),
        ("nothing", "there is no such file"),
    ):
        done = run_command(stack, "restore", str(tmp_path / name))
        assert done.returncode == 1
        start = f"{tmp_path / name} is no copy of a database of chats, so nothing was changed: {reason}"
        assert done.stderr.startswith(start)
    assert (stack.home / "temporal.db").read_text() == "chats"
    assert [file.name for file in stack.home.glob("*.db*")] == ["temporal.db"]


def test_backup_overwrites_nothing_and_says_where_there_is_none(tmp_path: Path, temporal_cli: Path) -> None:
    stack = Stack(tmp_path / "home", temporal_cli)
    assert "There is no database in" in run_command(stack, "backup", str(tmp_path / "new")).stderr
    stack.home.mkdir()
    (stack.home / "temporal.db").write_text("chats")
    (tmp_path / "mine").write_text("a letter")
    assert "exists already. Give the name of a new file." in run_command(stack, "backup", str(tmp_path / "mine")).stderr
    assert (tmp_path / "mine").read_text() == "a letter"
    assert not (tmp_path / "new").exists()
