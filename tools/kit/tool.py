"""A tool, wherever it comes from: one of our functions, or a tool of an MCP server."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal

from tools.kit.context import ToolContext
from tools.kit.errors import InvalidArguments, ToolError, TryAgain
from tools.kit.results import plain, redact, seconds

Effect = Literal["read", "idempotent", "once"]
"""read: safe to repeat. idempotent: honours the idempotency key, so retried. once: never run again by itself."""


@dataclass(frozen=True)
class Returned:
    """A result and what to say of it; a tool may return one instead of its bare result.

    source: where it came from, `mock`, `test`, `live` or nothing. view: how to draw it: `table`, `link`, or by its shape.
    """

    result: Any
    source: str = ""
    view: str = ""


@dataclass(frozen=True)
class Tool:
    """What the agent may call. parameters is the JSON schema of the arguments; timeout is in seconds."""

    name: str
    description: str
    parameters: dict[str, Any]
    effect: Effect
    timeout: float
    check: Callable[[object], dict[str, Any]]
    call: Callable[[dict[str, Any], ToolContext], Awaitable[object]]
    view: str = ""

    def validate(self, arguments: object) -> dict[str, Any]:
        """The arguments coerced to plain JSON; raises InvalidArguments, which knows what is missing and what is wrong."""
        return self.check(arguments)

    async def run(self, arguments: object, context: ToolContext) -> Returned:
        """Run it once, within its timeout. The result is plain JSON.

        Raises ToolError or TryAgain and nothing else, and neither holds the value of a key.
        """
        checked = self.validate(arguments)
        try:
            async with asyncio.timeout(self.timeout) as limit:
                answer = await self.call(checked, context)
        except InvalidArguments:
            raise
        except ToolError as error:
            raise ToolError(redact(str(error), context.environment)) from None
        except TryAgain as error:
            raise TryAgain(redact(str(error), context.environment), error.retry_after) from None
        except Exception as error:
            if limit.expired():
                raise TryAgain(f"{self.name} did not answer within {seconds(self.timeout)}.") from None
            said = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
            raise TryAgain(redact(f"{self.name} failed ({said}).", context.environment)) from None
        returned = answer if isinstance(answer, Returned) else Returned(answer)
        return Returned(plain(returned.result, self.name), returned.source, returned.view or self.view)
