"""The model as the rest sees it: the models of the settings in order, the first that works answers."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from agent.errors import ContextTooLong, ModelGarbled, ModelRefused, ModelUnavailable
from agent.llm.call import call
from agent.llm.endpoints import Endpoint
from agent.llm.failures import Failure, classify
from agent.model import ModelRequest, Reply

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


class Chain:
    """Tries `models` in order, each request beginning with the first, or with the person's pick.

    Transient failures are the caller's to repeat, until a model has had its patience and there is another to go to.
    """

    def __init__(
        self,
        models: Sequence[Endpoint],
        picks: Sequence[Endpoint] = (),
        *,
        max_tokens: int = 2048,
        timeout: float = 120.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._models = list(models)
        self._picks = {endpoint.name: endpoint for endpoint in [*picks, *models]}
        self._max_tokens = max_tokens
        self._timeout = timeout
        self._clock = clock
        self._health: dict[str, _Health] = {}

    async def reply(self, request: ModelRequest, on_text: Callable[[str], None]) -> Reply:
        """One answer within the timeout. Raises ModelUnavailable, ModelRefused or ContextTooLong."""
        failed: list[tuple[Endpoint, Failure]] = []
        candidates, note = self._candidates(request.model)
        began = self._clock()
        for endpoint in candidates:
            left = self._timeout - (self._clock() - began)
            if left <= 0:
                break
            try:
                async with asyncio.timeout(left):
                    reply = await call(endpoint, request, self._max_tokens, left, on_text)
            except Exception as error:
                failure = classify(error)
            else:
                self._health.pop(endpoint.name, None)
                told = " ".join([note, *(_sentence(*item) for item in failed)]).strip()
                return replace(reply, use=reply.use.model_copy(update={"note": told}))
            if failure.kind == "too_long":
                raise ContextTooLong(_sentence(endpoint, failure)) from None
            if failure.kind == "refused":
                raise ModelRefused(_sentence(endpoint, failure)) from None
            failed.append((endpoint, failure))
            if failure.kind in ("transient", "garbled") and not self._left(endpoint, failure, began):
                break
        waits = [failure.retry_after for _, failure in failed if failure.retry_after is not None]
        told = " ".join(_sentence(*item) for item in failed)
        if failed and all(failure.kind == "garbled" for _, failure in failed):
            raise ModelGarbled(told)
        raise ModelUnavailable(told, retry_after=min(waits, default=None))

    async def summarize(self, request: ModelRequest) -> Reply:
        """The same call; nobody watches it stream."""
        return await self.reply(request, lambda _: None)

    def _candidates(self, pick: str) -> tuple[list[Endpoint], str]:
        """In which order to try, and a note when the pick is none of ours."""
        note = "" if not pick or pick in self._picks else "The model that was picked is not one of LLM_MODELS."
        order = [self._picks[pick]] if pick in self._picks else []
        order += [endpoint for endpoint in self._models if endpoint not in order]
        now = self._clock()
        awake = [endpoint for endpoint in order if self._health.get(endpoint.name, _Health()).rests_until <= now]
        if awake and awake[0] is not order[0]:
            note = f"{note} {order[0].name} kept failing and is left alone for a while.".strip()
        return awake or order, note

    def _left(self, endpoint: Endpoint, failure: Failure, began: float) -> bool:
        """Count a transient failure; True when the model is left for the next."""
        now = self._clock()
        health = self._health.setdefault(endpoint.name, _Health(since=began))
        health.failures += 1
        wait = failure.retry_after or 0.0
        tired = health.failures >= PATIENCE or now - health.since >= PATIENCE_SECONDS or wait >= PATIENCE_SECONDS
        if tired:
            health.rests_until = now + max(REST, wait)
        return tired


def _sentence(endpoint: Endpoint, failure: Failure) -> str:
    return f"{endpoint.name} {failure.reason}. {failure.remedy}".strip()
