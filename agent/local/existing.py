"""A Temporal server that the person runs: does one answer, and where is its Web UI?"""

import asyncio
import contextlib

from agent.local.server import fetch


async def listens(address: str, timeout: float = 1.0) -> bool:
    """Whether anything accepts connections there."""
    host, _, port = address.rpartition(":")
    with contextlib.suppress(OSError, TimeoutError):
        _, writer = await asyncio.wait_for(asyncio.open_connection(host, int(port)), timeout)
        writer.close()
        return True
    return False


async def answers(address: str, timeout: float = 3.0) -> bool:
    """Whether it is a Temporal server in good health: an open port is not enough."""
    if not await listens(address):
        return False
    # Only now: the import takes half a second and 40 MB, which a keeper with a server of its own never needs.
    client = await asyncio.to_thread(__import__, "temporalio.client", fromlist=["Client"])
    with contextlib.suppress(RuntimeError, TimeoutError):
        await asyncio.wait_for(client.Client.connect(address), timeout)
        return True
    return False


async def web_ui(address: str) -> str:
    """The Web UI of a dev server on this machine, which by default listens 1000 ports higher; "" when there is none."""
    host, _, port = address.rpartition(":")
    if host not in ("localhost", "127.0.0.1", "[::1]"):
        return ""
    url = f"http://{host}:{int(port) + 1000}"
    with contextlib.suppress(OSError, ValueError):
        settings = await asyncio.to_thread(fetch, f"{url}/api/v1/settings", None, 1.0)
        return url if "DefaultNamespace" in settings else ""
    return ""
