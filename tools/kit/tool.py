"""A tool, wherever it comes from, what it is given, and what it raises: one of our functions, or one of an MCP server."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal

from tools.kit.results import NotKept, plain, redact
from tools.kit.threads import in_thread, stopped

Effect = Literal["read", "idempotent", "once"]
"""read: safe to repeat. idempotent: honours the idempotency key, so retried. once: never run again by itself."""

BUILT_IN = ("finish", "off_goal", "switch_goal")
"""The agent's own tools."""

RESERVED = ("plan", "summarize", *BUILT_IN)
"""Names that no tool can have: those of the agent's activities and of its own tools."""

READING = 5.0
"""How long reading a result may take at least, in seconds, when the tool has used up its own time."""

Report = Callable[[str, float | None], None]
"""Takes what a tool is doing, in words, and how far it is (0 to 1, or None)."""


class ToolError(Exception):
    """It failed, and the same call will fail again: tell the person and the model, do not retry."""


class TryAgain(Exception):
    """It failed for now: the same call may work later.

    retry_after: seconds to wait first, or None for the caller's own rhythm.
    """

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class InvalidArguments(ToolError):
    """The arguments do not fit the tool. missing: their names; wrong: name -> one sentence that says what it must be."""

    def __init__(self, tool: str, missing: Sequence[str] = (), wrong: Mapping[str, str] | None = None) -> None:
        self.missing = list(missing)
        self.wrong = dict(wrong or {})
        problems = [f"{name} is missing" for name in self.missing]
        problems += [sentence.rstrip(".") for sentence in self.wrong.values()]
        super().__init__(f"{tool} cannot run: {'; '.join(problems)}.")


class CheckFailed(ToolError):
    """The check of the arguments failed with an error of its own, so nothing is known about them, and nothing was run."""


def _ignore(text: str, fraction: float | None) -> None:
    """The report where nobody reads it."""


@dataclass(frozen=True)
class ToolContext:
    """A parameter annotated with this type is filled in by us, and the model never sees it.

    idempotency_key: the same for every attempt of one receipt, never used by another.
    environment: the variables and keys, by name. home: the directory for state that outlives a call.
    """

    idempotency_key: str
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    home: Path = Path()
    report: Report = field(default=_ignore, repr=False)

    @property
    def chat(self) -> str:
        """What all calls of one chat have in common, for state that belongs to the chat. It does not say which chat."""
        return self.idempotency_key.rpartition("/")[0]

    def progress(self, text: str, fraction: float | None = None) -> None:
        """Say what is going on; the page shows it while the tool runs. Works from any thread.

        What could not be shown is corrected or left out: progress never makes a tool fail.
        """
        shown = redact(str(text).encode("utf-8", "replace").decode(), self.environment)
        part = fraction if isinstance(fraction, float | int) and math.isfinite(fraction) else None
        self.report(shown, None if part is None else min(max(float(part), 0.0), 1.0))


@dataclass(frozen=True)
class Returned:
    """A result and where it came from (`mock`, `test`, `live` or nothing); a tool may return one instead of its bare result."""

    result: Any
    source: str = ""


@dataclass(frozen=True)
class Tool:
    """What the agent may call. parameters is the JSON schema of the arguments; timeout is in seconds.

    vouched: whether the effect is what we, or the goal's author, say, and not only what somebody's server says.
    """

    name: str
    description: str
    parameters: dict[str, Any]
    effect: Effect
    timeout: float
    check: Callable[[object], dict[str, Any]]
    call: Callable[[dict[str, Any], ToolContext], Awaitable[object]]
    vouched: bool = True

    def validate(self, arguments: object) -> dict[str, Any]:
        """The arguments coerced to plain JSON; raises InvalidArguments, which knows what is missing and what is wrong.

        Raises CheckFailed where the check itself fails; its cause may hold anything, a key for example.
        It may take its time: a loop that serves others calls it in a thread.
        """
        try:
            return self.check(arguments)
        except InvalidArguments:
            raise
        except Exception as error:
            raise CheckFailed(
                f"The arguments of {self.name} could not be checked because of an error in this tool; "
                "the worker's log has the details."
            ) from error

    async def run(self, arguments: object, context: ToolContext) -> Returned:
        """Run it once, within its timeout. The result is plain JSON; one that cannot be kept is a sentence that says so.

        Raises ToolError or TryAgain and nothing else, and neither holds the value of a key.
        """
        checked = await in_thread(partial(self.validate, arguments))
        ends = time.monotonic() + self.timeout
        try:
            async with asyncio.timeout(self.timeout) as limit:
                answer = await self._answer(checked, context)
            returned = answer if isinstance(answer, Returned) else Returned(answer)
            return Returned(await self._kept(returned.result, context, ends), returned.source)
        except InvalidArguments:
            raise
        except ToolError as error:
            raise ToolError(redact(str(error), context.environment)) from None
        except TryAgain as error:
            raise TryAgain(redact(str(error), context.environment), error.retry_after) from None
        except Exception as error:
            if limit.expired():
                raise TryAgain(f"{self.name} did not answer within {seconds(self.timeout)}.") from None
            reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
            raise TryAgain(redact(f"{self.name} failed ({reason}).", context.environment)) from None

    async def _answer(self, checked: dict[str, Any], context: ToolContext) -> object:
        try:
            return await self.call(checked, context)
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            raise stopped(error) from None  # the tool raised it; nobody cancelled the call
        except (SystemExit, KeyboardInterrupt) as error:
            raise stopped(error) from None

    async def _kept(self, result: object, context: ToolContext, ends: float) -> Any:
        """The result as plain JSON. It is read aside, because reading may run code of the tool, and the tool has run:
        whatever is wrong with its result is no reason to run it again."""
        deadline = max(ends, time.monotonic() + READING)
        try:
            async with asyncio.timeout(deadline - time.monotonic()) as limit:
                return await in_thread(partial(plain, result, context.environment, deadline))
        except NotKept as error:
            reason = str(error)
        except TimeoutError:
            if not limit.expired():
                raise
            reason = "reading it took too long"
        return redact(f"{self.name} ran, but its result was not kept: {reason}.", context.environment)


def seconds(duration: float) -> str:
    """60.0 -> "60 s"."""
    return f"{duration:g} s"
