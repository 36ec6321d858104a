"""Links that decide: a plain page that shows one proposal on GET, and decides it on POST, once. No cookie is looked at."""

import asyncio
import html
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from agent.errors import ChatError
from agent.page.requests import on_loop, read_body

if TYPE_CHECKING:  # the page listens before it imports more
    from agent.links import LinkClaim
    from agent.messages import ChatView, Proposal
    from agent.page.app import PageApp

PATIENCE = 5.0
"""Seconds for which a worker may take up the decision before the page says that it was sent."""

_BODY_BYTES = 10_000
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",  # with "no-referrer", browsers would not say where the form comes from
    "X-Content-Type-Options": "nosniff",
}
_STYLE = (
    ":root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:2.5rem auto;padding:0 1rem}"
    "dl{display:grid;grid-template-columns:auto 1fr;gap:.3rem 1rem}dt{opacity:.75}dd{margin:0;overflow-wrap:anywhere}"
    "input,button{font:inherit;padding:.45rem .9rem;border-radius:.6rem;border:1px solid #8888}"
    "label{display:block;margin:1rem 0 .3rem}input{width:100%;box-sizing:border-box}button{margin:1rem .5rem 0 0;cursor:pointer}"
    "button.yes{background:#0f6e6a;color:#fff;border-color:#0f6e6a}"
)
_INVALID = "This link is not valid any more: it was used, revoked, or has expired, or the proposal was decided already."
_ANONYMOUS = "somebody with a link"


def decide_routes(app: Callable[[], "PageApp"]) -> list[Route]:
    """app: called for the PageApp at each request, because it is imported only once the page listens."""

    async def decide(request: Request) -> HTMLResponse:
        page = await asyncio.to_thread(app)
        token = request.path_params["token"]
        try:
            if request.method != "POST":
                return await on_loop(page, _show(page, token))
            if not _is_of_this_page(request):
                return _sentence("Nothing was decided: the request came from another web page.", 403)
            fields = parse_qs((await read_body(request, _BODY_BYTES) or b"").decode("utf-8", "replace"))
            verdict, name = fields.get("verdict", [""])[0], fields.get("name", [""])[0].strip()[:60]
            if verdict not in ("confirm", "decline"):
                return _sentence("Nothing was decided. Go back, and choose one of the two buttons.", 400)
            return await on_loop(page, _decide(page, token, accepts=verdict == "confirm", name=name))
        except ChatError as error:
            return _sentence(str(error), 503)

    return [Route("/decide/{token}", decide, methods=["GET", "POST"])]


def _is_of_this_page(request: Request) -> bool:
    """A browser names the page that sends a form; a form of another one decides nothing."""
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc.lower() == request.headers.get("host", "").lower()


async def _find(page: "PageApp", token: str) -> "tuple[LinkClaim, Proposal, ChatView] | None":
    from agent import links
    from agent.visitor import OWNER

    claim = links.read_token(page.signing_key, token, datetime.now(UTC))
    if claim is None or claim.kind != "decide":
        return None
    view = (await (await page.client(OWNER)).view(claim.chat_id)).view
    link = links.find(view.links, claim.link_id, "decide", datetime.now(UTC)) if view else None
    found = [each for each in view.deciding if link and each.id == link.proposal_id] if view else []
    return (claim, found[0], view) if found and view else None


async def _show(page: "PageApp", token: str) -> HTMLResponse:
    from agent.page import card, results

    found = await _find(page, token)
    if found is None:
        return _sentence(_INVALID, 410)
    _, proposal, view = found
    pairs = results.named_values(proposal.arguments, proposal.parameters)
    values = "".join(f"<dt>{html.escape(name)}</dt><dd>{html.escape(value)}</dd>" for name, value in pairs)
    title = html.escape(view.title or view.goal.title or view.goal.name)
    return _page(
        f"<h1>{html.escape(card.title(proposal))}?</h1><p>You were asked to decide this, for the chat “{title}”.</p>"
        f'<dl>{values}</dl><form method="post"><label for="name">Your name, for the record</label>'
        '<input id="name" name="name" maxlength="60" autocomplete="name">'
        '<button class="yes" name="verdict" value="confirm">Confirm</button>'
        '<button name="verdict" value="decline">Decline</button></form>'
    )


async def _decide(page: "PageApp", token: str, *, accepts: bool, name: str) -> HTMLResponse:
    from agent.visitor import OWNER

    found = await _find(page, token)
    if found is None:
        return _sentence(_INVALID, 410)
    claim, proposal, _ = found
    client = await page.client(OWNER)
    who = f"{name} (by a link)" if name else _ANONYMOUS
    await client.decide_by_link(claim.chat_id, claim.link_id, accepts=accepts, who=who)
    deadline = asyncio.get_running_loop().time() + PATIENCE
    while asyncio.get_running_loop().time() < deadline:
        view = (await client.view(claim.chat_id)).view
        if view and all(each.id != proposal.id for each in view.deciding):
            return _sentence("Confirmed. You can close this page." if accepts else "Declined. You can close this page.")
        await asyncio.sleep(0.2)
    return _sentence("Your decision was sent. You can close this page.", 202)


def _sentence(text: str, status: int = 200) -> HTMLResponse:
    return _page(f"<p>{html.escape(text)}</p>", status)


def _page(body: str, status: int = 200) -> HTMLResponse:
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Steadfast</title><style>{_STYLE}</style>'
    return HTMLResponse(
        f'<!doctype html><html lang="en"><head>{head}</head><body>{body}</body></html>', status, _HEADERS
    )
