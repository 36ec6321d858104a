"""A home directory of the test's own, and pages that can be opened on it."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tests.local.house import House

Build = Callable[..., House]


@pytest.fixture
async def build(tmp_path: Path, temporal_cli: Path) -> AsyncIterator[Build]:
    """Builds a house; at the end nothing in it may be left."""
    houses: list[House] = []

    def make(home: Path = tmp_path, **setup: object) -> House:
        houses.append(House(home, temporal_cli, **setup))
        return houses[-1]

    yield make
    for house in houses:
        house.kill_pages()
    for house in houses:
        await house.empty(10.0)


@pytest.fixture
def house(build: Build) -> House:
    return build()
