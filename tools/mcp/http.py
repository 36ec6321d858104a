"""HTTP below an MCP session. Imported only when a goal has a server with an address."""

import json
from typing import Any

import httpx2

STATUS = -40_000
"""Minus this, the code of an error is the HTTP status that the server, or a gateway before it, answered with."""

NOT_SENT = STATUS
"""The request did not leave: nothing was done."""

LOST = STATUS - 1
"""The connection broke after the request had left."""

_CALLS = ("tools/call", "tools/list")


class StatusClient(httpx2.AsyncClient):
    """The MCP package tells every failure of HTTP as one internal error, or as the end of the session. What a call has
    come to depends on which failure it was, so here it becomes an error of the one request, with the status as its code."""

    async def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        """The response; for a call that failed, one with a JSON-RPC error in its body."""
        call = _call(request)
        if call is None:
            return await super().send(request, **options)
        try:
            response = await super().send(request, **options)
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout):
            return _error(request, call, NOT_SENT, "cannot be reached")
        except httpx2.TransportError:
            return _error(request, call, LOST, "closed the connection")
        status = response.status_code
        if status < 400:
            return response
        message = _message(await response.aread())
        if "mcp-session-id" in request.headers and (status == 404 or (status == 400 and "session" in message.lower())):
            status = 404  # a server that was restarted knows nothing of the session; some say so with 400
        elif message and status < 500:
            return response  # the server's own error, which has a code of its own
        await response.aclose()
        return _error(request, call, STATUS - status, message or f"status {status}")


def _call(request: httpx2.Request) -> dict[str, Any] | None:
    """The JSON-RPC request, when it is one whose failure matters."""
    if request.method != "POST":
        return None
    message = json.loads(request.content)
    return message if isinstance(message, dict) and message.get("method") in _CALLS else None


def _message(body: bytes) -> str:
    """What a JSON-RPC error says; a gateway's page says nothing."""
    try:
        message = json.loads(body)["error"]["message"]
    except (ValueError, LookupError, TypeError):
        return ""
    return message if isinstance(message, str) else ""


def _error(request: httpx2.Request, call: dict[str, Any], code: int, message: str) -> httpx2.Response:
    body = {"jsonrpc": "2.0", "id": call.get("id"), "error": {"code": code, "message": message}}
    return httpx2.Response(500, json=body, request=request)
