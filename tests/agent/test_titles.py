"""What a chat is called in a list."""

import pytest

from agent.titles import LENGTH, title


@pytest.mark.parametrize(
    ("said", "called"),
    [
        ("An event in San Francisco", "An event in San Francisco"),
        ("  two\n lines ", "two"),
        ("\n\n many   spaces  ", "many spaces"),
        ("", ""),
        (" \n ", ""),
    ],
)
def test_it_is_the_first_line(said: str, called: str) -> None:
    assert title(said) == called


@pytest.mark.parametrize("said", ["word " * 30, "x" * 200, "word, " * 30])
def test_a_long_one_is_cut_after_a_word(said: str) -> None:
    found = title(said)
    assert len(found) <= LENGTH + 1
    assert found.endswith(("word…", "x…"))
