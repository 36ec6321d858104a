"""Where the `temporal` program comes from, with real programs (shell scripts) and no network."""

import asyncio
import shutil
import socket
from pathlib import Path

import pytest

from agent.errors import StartFailed
from agent.local import binary
from agent.local.binary import temporal_binary
from agent.settings import Settings

CLI = '#!/bin/sh\necho "temporal version 1.0.0 (Server 1.29.1)"\n'
GO = """#!/bin/sh
if [ "$1" = env ]; then echo {version}; exit; fi
{work}
printf '#!/bin/sh\\necho temporal version 1.0.0' > "$GOBIN/temporal"
chmod +x "$GOBIN/temporal"
"""


def ignore(sentence: str) -> None:
    pass


def program(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def go(directory: Path, version: str = "go1.26.1", work: str = "") -> Path:
    return program(directory / "go", GO.format(version=version, work=work))


def use_proxy(monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{port}")


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """No download: requests go to a proxy that is not there."""
    use_proxy(monkeypatch, 1)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH with nothing of interest on it."""
    directory = tmp_path / "path"
    directory.mkdir()
    for name in ("sh", "chmod", "sleep"):
        (directory / name).symlink_to(str(shutil.which(name)))
    monkeypatch.setenv("PATH", str(directory))
    return directory


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    return Settings(steadfast_home=str(tmp_path / "home"))


def cache(settings: Settings) -> Path:
    return settings.home / "bin" / "temporal"


async def test_temporal_cli_path_wins(path: Path, tmp_path: Path) -> None:
    named = program(tmp_path / "named", CLI)
    program(path / "temporal", CLI)
    assert await temporal_binary(Settings(temporal_cli_path=str(named)), ignore) == named


@pytest.mark.parametrize("text", [None, "not a program", "#!/bin/sh\nexit 1", "#!/bin/sh\necho something else"])
async def test_a_temporal_cli_path_that_is_no_cli_is_refused(path: Path, tmp_path: Path, text: str | None) -> None:
    named = tmp_path / "named"
    if text is not None:
        program(named, text)
    program(path / "temporal", CLI)
    with pytest.raises(StartFailed, match=r"TEMPORAL_CLI_PATH names .*/named, which is not a Temporal CLI that runs"):
        await temporal_binary(Settings(temporal_cli_path=str(named)), ignore)


async def test_the_cli_on_path_wins_over_the_cache(path: Path, home: Settings) -> None:
    program(cache(home), CLI)
    assert await temporal_binary(home, ignore) == cache(home)
    found = program(path / "temporal", CLI)
    assert await temporal_binary(home, ignore) == found


async def test_go_builds_one_into_the_cache_once(path: Path, home: Settings) -> None:
    go(path)
    reported: list[str] = []
    assert await temporal_binary(home, reported.append) == cache(home)
    steps = [sentence.partition(" (")[0] for sentence in reported]  # each again every few seconds
    assert list(dict.fromkeys(steps)) == ["Downloading the Temporal server", "Building the Temporal server with Go"]
    go(path, work="exit 1")
    assert await temporal_binary(home, ignore) == cache(home)


async def test_a_long_build_is_reported_every_few_seconds(path: Path, home: Settings) -> None:
    go(path, work="sleep 5")
    reported: list[str] = []
    await temporal_binary(home, reported.append)
    assert "Building the Temporal server with Go (4 s so far; takes 3-5 minutes the first time)" in reported


async def test_a_cached_program_that_no_longer_runs_is_replaced(path: Path, home: Settings) -> None:
    program(cache(home), "half a download")
    go(path)
    assert await temporal_binary(home, ignore) == cache(home)
    assert "temporal version" in cache(home).read_text()


async def test_an_interrupted_build_leaves_nothing_and_the_next_one_works(path: Path, home: Settings) -> None:
    go(path, work='echo half > "$GOBIN/temporal"; sleep 600')
    building = asyncio.create_task(temporal_binary(home, ignore))
    async with asyncio.timeout(30):
        while not (home.home / "bin" / "new" / "temporal").exists():
            await asyncio.sleep(0.05)
    building.cancel()
    await asyncio.wait([building])
    assert not cache(home).exists()
    assert not cache(home).with_name("new").exists()
    go(path)
    assert await temporal_binary(home, ignore) == cache(home)


@pytest.mark.parametrize(
    ("version", "work"), [("go1.24.9", ""), ("nonsense", ""), ("go1.26.1", "exit 1"), ("go1.26.1", "GOBIN=/nowhere")]
)
async def test_when_every_way_fails_all_of_them_are_named(path: Path, home: Settings, version: str, work: str) -> None:
    go(path, version, work)
    with pytest.raises(StartFailed) as failed:
        await temporal_binary(home, ignore)
    for way in ("internet", "PATH", "TEMPORAL_CLI_PATH", "Go 1.25", "TEMPORAL_ADDRESS"):
        assert way in str(failed.value)
    assert not cache(home).exists()


async def test_without_go_all_ways_are_named_too(path: Path, home: Settings) -> None:
    with pytest.raises(StartFailed, match="No Temporal server could be found, downloaded or built"):
        await temporal_binary(home, ignore)


async def test_a_download_that_stalls_is_given_up(path: Path, home: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binary, "STALLED_AFTER", 8.0)
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        use_proxy(monkeypatch, proxy.getsockname()[1])
        with pytest.raises(StartFailed):
            await temporal_binary(home, ignore)
        proxy.settimeout(1)
        connection, _ = proxy.accept()
    with connection:
        assert connection.recv(100).startswith(b"CONNECT temporal.download:443 ")


async def test_a_download_from_a_dead_network_leaves_go_to_build(path: Path, home: Settings) -> None:
    go(path)
    assert await temporal_binary(home, ignore) == cache(home)
    assert not (home.home / "bin" / "new").exists()
