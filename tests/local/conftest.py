"""A home directory of the test's own, and pages that can be opened on it."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tests.local.stack import Stack

BuildStack = Callable[..., Stack]


@pytest.fixture
async def build_stack(tmp_path: Path, temporal_cli: Path) -> AsyncIterator[BuildStack]:
    """Builds a stack; at the end none of its processes may be left."""
    stacks: list[Stack] = []

    def make(home: Path = tmp_path, **config: object) -> Stack:
        stacks.append(Stack(home, temporal_cli, **config))
        return stacks[-1]

    yield make
    for stack in stacks:
        stack.kill_pages()
    for stack in stacks:
        await stack.empty()


@pytest.fixture
def stack(build_stack: BuildStack) -> Stack:
    return build_stack()
