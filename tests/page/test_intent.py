"""A plain yes or no, and what is more than that."""

import pytest

from agent.page.intent import verdict


@pytest.mark.parametrize("text", ["yes", "Yes.", " YES! ", "ok", "Go ahead", "yes, please", "Sure…"])
def test_plain_yes(text: str) -> None:
    assert verdict(text) == "confirm"


@pytest.mark.parametrize("text", ["no", "No.", "nope", "no, thanks", "don’t"])
def test_plain_no(text: str) -> None:
    assert verdict(text) == "decline"


@pytest.mark.parametrize(
    "text", ["", "yes, but on Friday", "no, to Austin", "Norway", "is that ok?", "book it for two"]
)
def test_anything_else_is_a_message(text: str) -> None:
    assert verdict(text) == ""
