"""The home is private, and when it cannot be used, a sentence names the remedy. Real file systems and users, no stand-ins."""

import contextlib
import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
import pytest

from agent.errors import StartFailed
from agent.local.database import PersistentServer
from agent.local.home import disk_problem, prepare_home
from agent.local.status import ROOT, LocalStatus, StatusReport, read_status
from tests.local.conftest import BuildStack
from tests.local.stack import Stack, eventually

NOBODY = 54_321
"""The number of a user of whom /etc/passwd knows nothing."""

as_root = pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="needs root")


def modes(home: Path) -> dict[str, str]:
    return {str(path.relative_to(home)): oct(stat.S_IMODE(path.lstat().st_mode)) for path in home.rglob("*")}


async def test_what_is_written_is_nobody_elses_to_read(build_stack: BuildStack, tmp_path: Path) -> None:
    stack = build_stack(tmp_path / "home")
    stack.open_page()
    await stack.ready()
    assert stat.S_IMODE(stack.home.stat().st_mode) == 0o700
    assert {path: mode for path, mode in modes(stack.home).items() if mode not in ("0o600", "0o700")} == {}


def test_a_home_that_existed_is_made_private_but_what_others_keep_there_is_left_alone(tmp_path: Path) -> None:
    for name in ("temporal.db", "temporal.db-wal", "local/worker.log", "bin/temporal", "bin/other", "somebody's notes"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
        (tmp_path / name).chmod(0o755 if name.startswith("bin/") else 0o644)
    tmp_path.chmod(0o755)
    prepare_home(tmp_path, tmp_path / "local")
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700
    assert modes(tmp_path) == {
        "temporal.db": "0o600",
        "temporal.db-wal": "0o600",
        "local": "0o700",
        "local/worker.log": "0o600",
        "bin": "0o755",
        "bin/temporal": "0o700",
        "bin/other": "0o755",
        "somebody's notes": "0o644",
    }


async def test_a_quota_that_only_the_server_meets_is_reported_as_a_full_disk(tmp_path: Path) -> None:
    cli = tmp_path / "temporal"
    cli.write_text("#!/bin/sh\necho 'level=ERROR msg=\"database or disk is full (13)\"' >&2\nexit 1\n")
    cli.chmod(0o755)
    with pytest.raises(StartFailed, match=r"The disk that holds .* is full. Free some space"):
        await PersistentServer(tmp_path, "default").start(cli, os.environ)


def test_a_directory_that_all_users_share_stays_shared(tmp_path: Path) -> None:
    tmp_path.chmod(0o1777)
    prepare_home(tmp_path, tmp_path / "local")
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o1777
    assert stat.S_IMODE((tmp_path / "local").stat().st_mode) == 0o700


def test_a_home_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StartFailed, match=r"file is not a directory. Set STEADFAST_HOME to a directory"):
        prepare_home(tmp_path / "file", tmp_path / "file" / "local")


def by_hand(home: Path | None, **environment: str) -> str:
    """What `python -m agent.local` says to a user without a passwd entry: where Temporal is, or why not."""
    variables = {
        "PATH": os.environ["PATH"],
        "EMBEDDED_WORKER": "off",
        "STEADFAST_LOOK_AT": "127.0.0.1:1",
        **environment,
    }
    if home:
        variables["STEADFAST_HOME"] = str(home)
    started = subprocess.Popen(
        [sys.executable, "-m", "agent.local"],
        cwd=ROOT,
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        user=NOBODY,
        group=NOBODY,
        extra_groups=[],
    )
    with started:
        assert started.stdout
        assert started.stderr
        for line in started.stdout:
            if line.startswith("Temporal:"):
                started.send_signal(signal.SIGINT)
                return line
        return started.stderr.read()


@pytest.fixture
def open_tmp() -> Iterator[Path]:
    """A directory that other users can reach; pytest's own cannot be."""
    with TemporaryDirectory(prefix="home-") as directory:
        Path(directory).chmod(0o755)
        yield Path(directory)


@as_root
def test_without_a_home_directory_the_variable_to_set_is_named() -> None:
    assert by_hand(None) == (
        f"The user who runs Steadfast (number {NOBODY}) has no home directory. "
        "Set STEADFAST_HOME to a directory that this user can write, then start again.\n"
    )


@as_root
def test_a_home_that_belongs_to_another_user_is_named(open_tmp: Path) -> None:
    assert by_hand(open_tmp / "home") == (
        f"{open_tmp / 'home'} cannot be written (Permission denied). Let the user who runs Steadfast own it, "
        "or set STEADFAST_HOME to a directory that this user can write, then start again.\n"
    )


@as_root
def test_a_database_that_belongs_to_another_user_is_named(open_tmp: Path) -> None:
    os.chown(open_tmp, NOBODY, NOBODY)
    (open_tmp / "temporal.db").write_text("")
    assert by_hand(open_tmp) == (
        f"{open_tmp / 'temporal.db'} cannot be written (it belongs to another user). "
        "Let the user who runs Steadfast own it, "
        "or set STEADFAST_HOME to a directory that this user can write, then start again.\n"
    )


@as_root
def test_for_a_user_without_a_passwd_entry_it_runs_or_says_which_cli_does(open_tmp: Path, temporal_cli: Path) -> None:
    home, cli = open_tmp / "home", open_tmp / "temporal"
    home.mkdir()
    os.chown(home, NOBODY, NOBODY)
    shutil.copy(temporal_cli, cli)
    built_with_cgo = (
        f"This Temporal CLI does not run for a user without an entry in /etc/passwd (number {NOBODY}). "
        "Add one, or install the CLI of https://docs.temporal.io/cli, then start again.\n"
    )
    assert by_hand(home, TEMPORAL_CLI_PATH=str(cli)).startswith(("Temporal: 127.0.0.1:", built_with_cgo))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 24 MB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(disk)], capture_output=True)
    if mounted.returncode:
        pytest.skip("cannot mount a file system here")
    yield disk
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if Path(process.cwd()).is_relative_to(disk):
                process.kill()
    subprocess.run(["umount", "-l", str(disk)], check=True)


def fill(disk: Path) -> Path:
    filler = disk / "filler"
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    return filler


@as_root
def test_a_full_disk_is_named(small_disk: Path) -> None:
    filler = fill(small_disk)
    home = small_disk / "home"
    with pytest.raises(
        StartFailed, match=r"The disk that holds .* is full. Free some space on it, or set STEADFAST_HOME"
    ):
        prepare_home(home, home / "local")
    filler.unlink()
    prepare_home(home, home / "local")
    assert disk_problem(home) == ""


@as_root
async def test_a_disk_that_becomes_full_is_reported_until_there_is_space_again(
    small_disk: Path, build_stack: BuildStack
) -> None:
    stack: Stack = build_stack(small_disk / "home")
    stack.open_page()
    before = await stack.ready()
    filler = fill(small_disk)
    full = await stack.until(lambda status: bool(status.problem))
    assert (
        full.problem == f"The disk that holds {stack.home} is full. Free some space; Steadfast then goes on by itself."
    )
    filler.unlink()
    after = await stack.until(lambda status: not status.problem)
    assert after.server_pid == before.server_pid


@as_root
async def test_a_status_that_could_not_be_written_is_written_later(small_disk: Path) -> None:
    filler = fill(small_disk)
    report = StatusReport(small_disk / "status.json", worker=True)
    report.worker(worker="running")
    assert read_status(small_disk / "status.json") == LocalStatus()
    filler.unlink()
    report.flush()
    assert read_status(small_disk / "status.json") == report.status
    fill(small_disk)
    report.worker(worker="stuck")  # written over the old one, which needs no space
    await eventually(lambda: read_status(small_disk / "status.json") == report.status)
