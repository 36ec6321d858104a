"""Faults on purpose: the instructions that the page leaves, and what the worker makes of them."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.errors import ModelUnavailable
from agent.faults import CUT, Faults, FaultyModel
from agent.messages import ModelUse
from agent.model import ModelRequest, Reply

REQUEST = ModelRequest([])


class Speaker:
    """A model that says three words, and lets something happen after the first."""

    def __init__(self, meanwhile: Callable[[], None] = lambda: None) -> None:
        self.meanwhile = meanwhile

    async def reply(self, request: ModelRequest, on_text: Callable[[str], None]) -> Reply:
        for text in ("one", "one two", "one two three"):
            on_text(text)
            self.meanwhile()
        return Reply("one two three", [], ModelUse(model="speaker"))

    async def summarize(self, request: ModelRequest) -> Reply:
        return Reply("sum", [], ModelUse(model="speaker"))


async def test_without_an_instruction_nothing_happens(tmp_path: Path) -> None:
    faults = Faults(tmp_path)
    faults.tool_returned()
    model = FaultyModel(Speaker(), faults)
    assert (await model.reply(REQUEST, lambda _: None)).text == "one two three"
    assert (await model.summarize(REQUEST)).text == "sum"


async def test_a_model_that_is_cut_off_says_so_and_comes_back(tmp_path: Path) -> None:
    faults = Faults(tmp_path)
    faults.cut_model()
    with pytest.raises(ModelUnavailable, match="cut off on purpose"):
        await FaultyModel(Speaker(), faults).reply(REQUEST, lambda _: None)
    os.utime(tmp_path / "cut-model.fault", (0, time.time() - CUT - 1))
    assert (await FaultyModel(Speaker(), faults).reply(REQUEST, lambda _: None)).text == "one two three"
    assert list(tmp_path.iterdir()) == []


async def test_a_slow_model_says_word_by_word_what_it_would_have_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.faults.PAUSE", 0.001)
    faults, heard = Faults(tmp_path), list[str]()
    faults.slow_model()
    assert (await FaultyModel(Speaker(), faults).reply(REQUEST, heard.append)).text == "one two three"
    assert heard == ["one", "one two", "one two three"]
    with pytest.raises(ModelUnavailable):
        await FaultyModel(Speaker(), faults).reply(REQUEST, lambda _: faults.cut_model())
    faults.slow_model(ended=True)
    assert not faults.is_slow


async def test_a_reply_is_cut_in_the_middle(tmp_path: Path) -> None:
    faults, heard = Faults(tmp_path), list[str]()
    with pytest.raises(ModelUnavailable):
        await FaultyModel(Speaker(faults.cut_model), faults).reply(REQUEST, heard.append)
    assert heard == ["one"]


def test_the_worker_dies_once_when_a_tool_has_returned(tmp_path: Path) -> None:
    program = "import sys, pathlib; from agent.faults import Faults; Faults(pathlib.Path(sys.argv[1])).tool_returned()"
    Faults(tmp_path).lose_answer()
    codes = [subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False).returncode for _ in range(2)]
    assert codes == [-9, 0]
