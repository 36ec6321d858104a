"""The model as the rest sees it: the models of the settings in order, the first that works answers."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from agent.errors import ContextTooLong, ModelError, ModelGarbled, ModelRefused, ModelUnavailable
from agent.messages import ModelUse
from agent.model import Model, ModelRequest, Reply

Kind = Literal["transient", "garbled", "other_model", "refused", "too_long"]
"""transient: the same model may answer soon. garbled: likewise, but it has cost something. other_model: this one will not until a person does something.
refused: the request itself is wrong, for any model. too_long: it is longer than the model reads."""


@dataclass(frozen=True)
class Failure:
    """reason goes on after the model's name: `openai/gpt-4o is overloaded (503)`. remedy: what a person can do."""

    kind: Kind
    reason: str
    remedy: str = ""
    retry_after: float | None = None


class CallFailed(Exception):
    """One call of one model failed. use: what it used all the same, None where nobody knows."""

    def __init__(self, failure: Failure, use: ModelUse | None = None) -> None:
        super().__init__(failure.reason)
        self.failure = failure
        self.use = use


@dataclass(frozen=True)
class Candidate:
    """One model, which raises CallFailed. name: as the settings write it."""

    name: str
    model: Model


@dataclass(frozen=True)
class UnusableModel:
    """One that was configured wrong: it fails each time as another model is needed."""

    reason: str
    remedy: str

    async def reply(self, request: ModelRequest, on_text: Callable[[str], None]) -> Reply:
        raise CallFailed(Failure("other_model", self.reason, self.remedy))

    async def summarize(self, request: ModelRequest) -> Reply:
        raise CallFailed(Failure("other_model", self.reason, self.remedy))


_logger = logging.getLogger(__name__)

PATIENCE = 3
"""Transient failures in a row after which a model is left for the next."""
PATIENCE_SECONDS = 30.0
"""The same in seconds, for failures that take long."""
REST = 60.0
"""Seconds for which it is left; then it is first again."""


@dataclass
class _Health:
    failures: int = 0
    since: float = 0.0
    rests_until: float = 0.0


class _Call:
    """One call within `left` seconds, whose answer begins within `first`: a model that hangs leaves the next its time."""

    def __init__(self, on_wait: Callable[[str], None], left: float, first: float) -> None:
        self.answering = False
        self._on_wait, self._left, self._first = on_wait, left, first

    async def run(
        self, candidate: Candidate, request: ModelRequest, ask: Callable[[Model, ModelRequest], Awaitable[Reply]]
    ) -> Reply:
        end = asyncio.get_running_loop().time() + self._left
        async with asyncio.timeout(self._first) as limit:

            def heard(_: str) -> None:
                self.answering = True
                limit.reschedule(end)
                self._on_wait("")

            self._on_wait(candidate.name)
            return await ask(candidate.model, replace(request, on_wait=heard))


class Chain:
    """Tries `models` in order, each request beginning with the first, or with the person's pick.

    Transient failures are the caller's to repeat, until a model has had its patience and there is another to go to.
    """

    def __init__(
        self,
        models: Sequence[Candidate],
        picks: Sequence[Candidate] = (),
        *,
        timeout: float = 120.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._models = list(models)
        self._picks = {candidate.name: candidate for candidate in [*picks, *models]}
        self._timeout = timeout
        self._clock = clock
        self._health: dict[str, _Health] = {}

    async def reply(self, request: ModelRequest, on_text: Callable[[str], None]) -> Reply:
        """One answer within the timeout. Raises ModelUnavailable, ModelRefused or ContextTooLong."""
        return await self._first(request, lambda model, asked: model.reply(asked, on_text))

    async def summarize(self, request: ModelRequest) -> Reply:
        """Likewise; nobody watches it stream."""
        return await self._first(request, lambda model, asked: model.summarize(asked))

    async def _first(self, request: ModelRequest, ask: Callable[[Model, ModelRequest], Awaitable[Reply]]) -> Reply:
        """The answer of the first model that works. What the others used is counted with it, or with the error."""
        used: ModelUse | None = None
        failed: list[tuple[Candidate, Failure]] = []
        candidates, note = self._candidates(request.model)
        began = self._clock()
        for place, candidate in enumerate(candidates):
            left = self._timeout - (self._clock() - began)
            if left <= 0:
                break
            others = len(candidates) - place - 1
            call = _Call(request.on_wait, left, left / (others + 1))
            hangs = False
            try:
                reply = await call.run(candidate, request, ask)
            except CallFailed as error:
                failure = error.failure
                used = used.plus(error.use) if used and error.use else used or error.use
            except TimeoutError:
                hangs = others > 0 and not call.answering
                failure = Failure("transient", "did not begin to answer in time" if hangs else "did not answer in time")
                _logger.warning("%s %s.", candidate.name, failure.reason)
            else:
                self._health.pop(candidate.name, None)
                told = " ".join([note, *(_sentence(*item) for item in failed)]).strip()
                use = used.plus(reply.use) if used else reply.use
                return replace(reply, use=use.model_copy(update={"note": told}))
            if failure.kind == "too_long":
                raise _counted(ContextTooLong(_sentence(candidate, failure)), used) from None
            if failure.kind == "refused":
                raise _counted(ModelRefused(_sentence(candidate, failure)), used) from None
            failed.append((candidate, failure))
            if failure.kind in ("transient", "garbled") and not self._left(candidate, failure, began) and not hangs:
                break
        waits = [failure.retry_after for _, failure in failed if failure.retry_after is not None]
        told = " ".join(_sentence(*item) for item in failed)
        if failed and all(failure.kind == "garbled" for _, failure in failed):
            raise _counted(ModelGarbled(told), used)
        raise _counted(ModelUnavailable(told, retry_after=min(waits, default=None)), used)

    def _candidates(self, pick: str) -> tuple[list[Candidate], str]:
        """In which order to try, and a note when the pick is none of ours."""
        note = "" if not pick or pick in self._picks else "The model that was picked is not one of LLM_MODELS."
        order = [self._picks[pick]] if pick in self._picks else []
        order += [candidate for candidate in self._models if candidate not in order]
        now = self._clock()
        awake = [candidate for candidate in order if self._health.get(candidate.name, _Health()).rests_until <= now]
        if awake and awake[0] is not order[0]:
            note = f"{note} {order[0].name} kept failing and is left alone for a while.".strip()
        return awake or order, note

    def _left(self, candidate: Candidate, failure: Failure, began: float) -> bool:
        """Count a transient failure; True when the model is left for the next."""
        now = self._clock()
        health = self._health.setdefault(candidate.name, _Health(since=began))
        health.failures += 1
        wait = failure.retry_after or 0.0
        tired = health.failures >= PATIENCE or now - health.since >= PATIENCE_SECONDS or wait >= PATIENCE_SECONDS
        if tired:
            health.rests_until = now + max(REST, wait)
        return tired


def _counted(error: ModelError, use: ModelUse | None) -> ModelError:
    error.use = use
    return error


def _sentence(candidate: Candidate, failure: Failure) -> str:
    return f"{candidate.name} {failure.reason}. {failure.remedy}".strip()
