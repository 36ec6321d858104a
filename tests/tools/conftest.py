from pathlib import Path

import pytest

from tools import ToolContext, Toolset, load


@pytest.fixture
def context(tmp_path: Path) -> ToolContext:
    """One receipt, no keys, and mock data of its own."""
    return ToolContext("chat/1", home=tmp_path)


@pytest.fixture(scope="session")
def toolset() -> Toolset:
    return load()
