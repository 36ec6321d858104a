"""A stub for each test, an environment of its own, and a guard: no test reaches a paid service."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.llm.stub import Stub

LOOPBACK = ("127.0.0.1", "::1", "localhost", "0.0.0.0", "", None)


def _refuse_strangers(event: str, args: tuple[object, ...]) -> None:
    if event == "socket.connect" and isinstance(args[1], tuple) and args[1][0] not in LOOPBACK:
        raise PermissionError(f"A test tried to reach {args[1][0]}; tests reach nothing but this machine.")
    if event == "socket.getaddrinfo" and args[0] not in (*LOOPBACK, b"127.0.0.1", b"localhost"):
        raise PermissionError(f"A test looked up {args[0]!r}; tests reach nothing but this machine.")


sys.addaudithook(_refuse_strangers)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What pydantic says of LiteLLM's types is not ours to mend."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.filterwarnings("ignore:.*`ReadOnly` qualifier"))
            item.add_marker(pytest.mark.filterwarnings("ignore::pydantic.warnings.PydanticDeprecationWarning"))


@pytest.fixture(autouse=True)
def own_environment() -> Iterator[None]:
    """build_model hands .env to the process; here that ends with the test, and no real key takes part."""
    before = dict(os.environ)
    for name in before:
        if name.endswith(("_API_KEY", "_API_BASE", "_BASE_URL")):
            del os.environ[name]
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def stub() -> Iterator[Stub]:
    with Stub() as running:
        yield running
