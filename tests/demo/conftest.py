"""The tools and goals that come with the project."""

import pytest

from tools import Toolset, load


@pytest.fixture(scope="session")
def toolset() -> Toolset:
    return load()
