"""What the page's own routes share: a request's body up to a limit, and answers that come from the page's loop."""

import asyncio
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from starlette.requests import Request

if TYPE_CHECKING:
    from agent.page.app import PageApp

_T = TypeVar("_T")


async def read_body(request: Request, most: int) -> bytes | None:
    """The whole body; None, and no more of it is read, where it has more bytes than `most`."""
    found = bytearray()
    async for piece in request.stream():
        found += piece
        if len(found) > most:
            return None
    return bytes(found)


async def on_loop(page: "PageApp", answer: Coroutine[Any, Any, _T]) -> _T:
    """The result of what runs on the page's loop, to which its Temporal client belongs."""
    return await asyncio.wrap_future(page.loop.spawn(answer))
