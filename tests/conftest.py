"""What every test shares: one real Temporal dev server for the session, and no key of a paid service."""

import os
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from temporalio.client import Client

from agent.local.binary import temporal_binary
from agent.local.server import start_dev_server
from agent.settings import Settings, load_settings
from agent.temporal import connect

_KEYS = ("KEY", "TOKEN", "SECRET", "PASSWORD")


@pytest.fixture(scope="session", autouse=True)
def no_paid_services() -> None:
    """No test can spend money by mistake: it would have no key."""
    for name in list(os.environ):
        if any(word in name.upper() for word in _KEYS) and name not in ("STEADFAST_KEEPER_PIPE",):
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
