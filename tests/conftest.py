"""What every test shares: one real Temporal dev server for the session, and no key of a paid service."""

import os
import secrets
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import hypothesis
import pytest
from temporalio.client import Client

from agent.local.binary import temporal_binary
from agent.local.server import start_dev_server
from agent.settings import ENV_FILE, Settings, load_settings
from agent.temporal import connect

hypothesis.settings.register_profile("suite", deadline=None)  # a loaded machine is slow now and then
hypothesis.settings.load_profile("suite")

TESTS = Path(__file__).parent
_KEYS = ("KEY", "TOKEN", "SECRET", "PASSWORD")


SLOW = (
    "e2e/",
    "local/",
    "workflow/",
    "histories/",
    "page/",
    "tools/mcp/",
    "tools/test_command.py",
    "llm/test_cli.py",
    "agent/test_actions.py",
    "agent/test_client.py",
    "agent/test_environment.py",
)
"""What starts processes, browsers, whole pages or long chats: by CPU time, nine tenths of the tests."""

LOOPBACK = ("127.0.0.1", "::1", "localhost", "0.0.0.0", "", None)
_guarded = False


def _refuse_strangers(event: str, args: tuple[object, ...]) -> None:
    if not _guarded:
        return
    if event == "socket.connect" and isinstance(args[1], tuple) and args[1][0] not in LOOPBACK:
        raise PermissionError(f"A test tried to reach {args[1][0]}; tests reach nothing but this machine.")
    if event == "socket.getaddrinfo" and args[0] not in (*LOOPBACK, b"127.0.0.1", b"localhost"):
        raise PermissionError(f"A test looked up {args[0]!r}; tests reach nothing but this machine.")


sys.addaudithook(_refuse_strangers)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is slow, and let tests with a browser run one after another: two browsers at once only wait.

    What starts processes and browsers is tried once more when it fails, and the summary counts it: a machine at load 10
    now and then misses what a person would wait for. What is wrong fails twice.
    """
    for item in items:
        if item.path.relative_to(TESTS).as_posix().startswith(SLOW):
            item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.flaky(reruns=1))
        if {"browser", "running_page"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.xdist_group("browser"))


@pytest.fixture(autouse=True)
def nothing_but_this_machine() -> Iterator[None]:
    """While a test runs; the fixtures of the session may fetch the Temporal server before."""
    global _guarded
    _guarded = True
    yield
    _guarded = False


@pytest.fixture(scope="session", autouse=True)
def no_paid_services() -> None:
    """No test can spend money by mistake: it has no key, neither from the environment nor from a developer's .env."""
    os.environ[ENV_FILE] = os.devnull
    for name in list(os.environ):
        if any(word in name.upper() for word in _KEYS):
            del os.environ[name]


@pytest.fixture(scope="session")
async def temporal_cli() -> Path:
    """The Temporal CLI, found or fetched as the page does; a test that needs it fails without, never skips."""
    return await temporal_binary(load_settings(), print)


@pytest.fixture(scope="session")
async def server(temporal_cli: Path) -> AsyncIterator[str]:
    """The address of the session's own dev server, in memory."""
    at_once = ["--dynamic-config-value", 'history.workflowIdReuseMinimalInterval="1ms"']  # else 1 s between two runs
    running = await start_dev_server(temporal_cli, extra=at_once)
    yield running.address
    await running.stop()


@pytest.fixture(scope="session")
async def temporal(server: str) -> Client:
    return await connect(Settings(), server)


@pytest.fixture
def queue() -> str:
    """A task queue of the test's own."""
    return f"queue-{secrets.token_hex(4)}"
