"""A stub for each test, and an environment of its own."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

import agent.llm.library  # noqa: F401 - before a test: it sets variables that LiteLLM reads later
from tests.llm.stub import Stub


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
