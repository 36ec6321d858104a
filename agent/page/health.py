"""The page's /healthz and /readyz. A page is ready when what is said in it would be durable: no worker is needed for that."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from agent.errors import SettingsError
from agent.health import LIVES
from agent.page.requests import on_loop

if TYPE_CHECKING:
    from agent.page.app import PageApp


def health_routes(app: Callable[[], "PageApp"]) -> list[Route]:
    """app: called for the PageApp at each request to /readyz, because it is imported only once the page listens."""

    async def healthz(_: Request) -> PlainTextResponse:
        return PlainTextResponse(LIVES[1], LIVES[0])

    async def readyz(_: Request) -> PlainTextResponse:
        page = await asyncio.to_thread(app)
        status, text = await on_loop(page, page.readiness.answer())
        return PlainTextResponse(text, status, {"Cache-Control": "no-store"})

    return [Route("/healthz", healthz), Route("/readyz", readyz)]


async def check(page: "PageApp") -> None:
    """Raises SettingsError or ChatError while nothing can be said."""
    if page.problem:
        raise SettingsError(page.problem)
    from agent.visitor import NOBODY  # the page listens before it imports more

    await (await page.client(NOBODY)).ping()
