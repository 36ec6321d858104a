"""Faults that the owner of a page causes on purpose, with the page's Break it: real ones, inside the worker.

The page leaves an instruction in the home directory, and the embedded worker obeys it once. This is the one door through
which anything is broken; BREAK_IT=off closes it on both sides.
"""

import asyncio
import contextlib
import os
import re
import time
from collections.abc import Callable
from pathlib import Path

from agent.errors import ModelUnavailable
from agent.local.process import kill
from agent.model import Model, ModelRequest, Reply

CUT = 20.0
"""Seconds for which the model is cut off."""

SLOW, PAUSE = 60.0, 0.8
"""Seconds for which the model writes slowly, and between two of its words, so that a person can break in."""


class Faults:
    """The instructions in one home directory; each is an empty file, and its time is when it was given."""

    def __init__(self, home: Path) -> None:
        self._cut, self._lose = home / "cut-model.fault", home / "lose-answer.fault"
        self._slow = home / "slow-model.fault"

    def cut_model(self) -> None:
        """From now on no model can be reached, for CUT seconds."""
        self._cut.touch(mode=0o600)

    def lose_answer(self) -> None:
        """The worker dies when the next tool has taken effect, before it can say so."""
        self._lose.touch(mode=0o600)

    def slow_model(self, *, ended: bool = False) -> None:
        """From now on the model writes word by word, for SLOW seconds, or no longer."""
        if ended:
            self._slow.unlink(missing_ok=True)
        else:
            self._slow.touch(mode=0o600)

    def seconds_cut(self) -> float:
        """For how long the model is still cut off; 0 = it is not."""
        return _left(self._cut, CUT)

    @property
    def is_slow(self) -> bool:
        """Whether the model writes slowly."""
        return _left(self._slow, SLOW) > 0

    @property
    def will_lose(self) -> bool:
        """Whether the next tool's answer is to be lost."""
        return self._lose.exists()

    def tool_returned(self) -> None:
        """Die, if that was asked for."""
        with contextlib.suppress(OSError):
            self._lose.unlink()
            kill(os.getpid())


class FaultyModel:
    """A model that cannot be reached while it is cut off, also in the middle of a reply, and that may write slowly."""

    def __init__(self, model: Model, faults: Faults) -> None:
        self._model, self._faults = model, faults

    async def reply(self, request: ModelRequest, on_text: Callable[[str], None]) -> Reply:
        def written(text: str) -> None:
            self._check()
            on_text(text)

        self._check()
        if not self._faults.is_slow:
            return await self._model.reply(request, written)
        reply = await self._model.reply(request, lambda _: self._check())
        for word in re.finditer(r"\S+", reply.text):
            written(reply.text[: word.end()])
            await asyncio.sleep(PAUSE if self._faults.is_slow else 0)
        return reply

    async def summarize(self, request: ModelRequest) -> Reply:
        self._check()
        return await self._model.summarize(request)

    def _check(self) -> None:
        if left := self._faults.seconds_cut():
            raise ModelUnavailable(f"The model is cut off on purpose, for {left:.0f} s more.", retry_after=2.0)


def _left(instruction: Path, seconds: float) -> float:
    """For how long an instruction of so many seconds still holds."""
    try:
        left = instruction.stat().st_mtime + seconds - time.time()
    except OSError:
        return 0.0
    if left > 0:
        return min(left, seconds)
    instruction.unlink(missing_ok=True)
    return 0.0
