"""The codec server, a part of the page at /codec: through it, Temporal's Web UI and CLI read encrypted chats.

Who may read is who holds a token, made from the owner's and good for nothing else: in the address, for the Web UI, which
can send none of ours, or in `Authorization`. No cookie counts, so no web page can use a browser's.
"""

import asyncio
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from agent.page.requests import read_body

if TYPE_CHECKING:  # the page listens before it imports Temporal's SDK
    from agent.page.app import PageApp
    from agent.remote_codec import RemoteCodec

LARGEST = 32_000_000
"""Bytes of a request at most: a page of a history may hold many payloads of up to 2 MB."""

_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


@dataclass(frozen=True)
class Access:
    """codec: None where no keys are set. origins: of the Web UIs whose scripts may read the answers."""

    codec: "RemoteCodec | None"
    token: str
    origins: frozenset[str]

    @classmethod
    def of(cls, app: "PageApp") -> "Access":
        from agent.remote_codec import remote_codec

        app.ensure_started()
        keys = app.settings.payload_keys
        web_uis = origins(app.settings.temporal_ui_url, app.local_status().ui_url)
        return cls(remote_codec(keys) if keys else None, codec_token(app.owner.token), web_uis)


def codec_token(owner_token: str) -> str:
    """What opens the codec server, and not the page."""
    return hmac.new(owner_token.encode(), b"the codec server", hashlib.sha256).hexdigest()


def origins(*web_uis: str) -> frozenset[str]:
    """The origins of Web UIs at these addresses; on this machine under each of its names."""
    found = set()
    for url in filter(None, web_uis):
        parts = urlsplit(url.lower())
        port = f":{parts.port}" if parts.port else ""
        host = parts.netloc.removesuffix(port)
        found |= {f"{parts.scheme}://{name}{port}" for name in (_LOOPBACK if host in _LOOPBACK else (host,))}
    return frozenset(found)


def codec_routes(app: Callable[[], "PageApp"]) -> list[Route]:
    """/codec/decode and /codec/encode, also with the token before the last part. app: called at each request."""

    async def answer(request: Request) -> Response:
        allowed = await asyncio.to_thread(lambda: Access.of(app()))
        origin = request.headers.get("origin", "").lower()
        if allowed.codec is None:
            return _refusal(404, "PAYLOAD_KEYS is not set for this page, so there is nothing to decrypt.")
        if origin and origin not in allowed.origins:
            return _refusal(403, "This is not the origin of the Web UI. Set TEMPORAL_UI_URL to its address.")
        if request.method == "OPTIONS":
            response = Response(status_code=204)
        else:
            response = await _answer(request, allowed.codec, allowed.token)
        if origin:
            response.headers.update(_cors(origin))
        return response

    paths = [f"/codec{token}/{verb}" for token in ("", "/{token}") for verb in ("decode", "encode")]
    return [Route(path, answer, methods=["POST", "OPTIONS"]) for path in paths]


async def _answer(request: Request, codec: "RemoteCodec", token: str) -> Response:
    bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
    given = (request.path_params.get("token", ""), bearer)
    if not any(hmac.compare_digest(each.encode(), token.encode()) for each in given):
        return _refusal(401, "The token is not the one that this page prints at its start.")
    body = await read_body(request, LARGEST)
    if body is None:
        return _refusal(413, f"At most {LARGEST // 1_000_000} MB can be converted at once.")
    convert = codec.encode if request.url.path.endswith("/encode") else codec.decode
    try:
        return Response(await asyncio.to_thread(convert, body), media_type="application/json")
    except ValueError as error:
        return _refusal(400, str(error))


def _cors(origin: str) -> dict[str, str]:
    """What lets scripts of the Web UI read the answer; one on the internet has to ask for an address on this machine."""
    return {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Methods": "POST",
        "Access-Control-Allow-Headers": "Authorization, Authorization-Extras, Content-Type, X-Namespace",
        "Access-Control-Allow-Credentials": "true",  # none counts, but the Web UI may be set to send them
        "Access-Control-Allow-Private-Network": "true",
        "Access-Control-Max-Age": "600",
        "Vary": "Origin",
    }


def _refusal(status: int, sentence: str) -> Response:
    return JSONResponse({"message": sentence}, status_code=status)
