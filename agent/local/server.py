"""The official Temporal dev server as a child process, and what can be seen of one that others started."""

import asyncio
import contextlib
import json
import logging
import re
import secrets
import socket
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from agent.errors import StartFailed
from agent.local.process import Child

# With these flags a hop takes a few milliseconds instead of 50.
DYNAMIC_CONFIG = (
    "history.transferProcessorMaxPollRPS=2000",  # the default of 20 polls a second adds 50 ms to every hop
    "history.timerProcessorMaxPollRPS=2000",
    "system.enableActivityEagerExecution=true",
    "matching.numTaskqueueReadPartitions=1",
    "matching.numTaskqueueWritePartitions=1",
    "frontend.WorkerHeartbeatsEnabled=true",  # list_workers tells in a second that a worker is gone
    "frontend.ListWorkersEnabled=true",
    "system.enableNexus=false",  # it would answer any website on the HTTP port
)
# Nothing is lost when a process dies; a power cut may lose the last moments.
PRAGMAS = ("journal_mode=WAL", "synchronous=1")
HEALTHY_WITHIN = 30.0
_LONGEST = 300

_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Ports(NamedTuple):
    grpc: int
    ui: int
    http: int


@dataclass
class DevServer:
    """A dev server that answers at `address`; its Web UI is at `ui_url`.

    Its HTTP port cannot be turned off, takes what any website posts to it, and answers any Host. So it is configured
    to answer http_host alone, a name that no website can guess.
    """

    ports: Ports
    child: Child
    http_host: str

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.ports.grpc}"

    @property
    def ui_url(self) -> str:
        return f"http://127.0.0.1:{self.ports.ui}"

    async def stop(self, grace: float = 0.0) -> None:
        """End it; without grace by SIGKILL, which is as safe and quicker (SIGTERM takes 1-2 s)."""
        await self.child.stop(grace)

    async def keep_closed_chats(self, days: int, namespace: str = "default") -> None:
        """Set for how long the server keeps closed workflows; in force within some seconds, kept in its file."""
        config = {"config": {"workflowExecutionRetentionTtl": f"{days * 86_400}s"}}
        await self.call(f"namespaces/{namespace}/update", config)

    async def call(self, path: str, body: dict[str, Any] | None = None, timeout: float = 2.0) -> Any:
        """GET or POST its HTTP API. OSError or ValueError when that fails."""
        url = f"http://127.0.0.1:{self.ports.http}/api/v1/{path}"
        return await asyncio.to_thread(fetch, url, body, timeout, self.http_host)


async def start_dev_server(
    binary: Path | str,
    *,
    ports: Ports | None = None,
    database: Path | None = None,
    namespace: str = "default",
    log: logging.Logger | None = None,
    environment: Mapping[str, str] | None = None,
    keep: Sequence[int] = (),
    extra: Sequence[str] = (),
    on_spawn: Callable[[DevServer], None] = lambda server: None,
) -> DevServer:
    """Start a server on 127.0.0.1 and wait until it is healthy; in memory when no database file is given.

    It dies with the calling thread on Linux: call it from the main thread. `keep` are descriptors that it inherits.
    Raises StartFailed with the server's own message.
    """
    ports, http_host = ports or free_ports(), secrets.token_hex(16)
    command = [*_command(binary, ports, http_host, database, namespace), *extra]
    log = log or logging.getLogger("steadfast.server")
    cwd = database.parent if database else None
    child = Child(command, log=log, environment=environment, cwd=cwd, keep=keep)
    server = DevServer(ports, child, http_host)
    try:
        on_spawn(server)
        await _healthy(server, namespace)
    except BaseException:
        await server.stop()
        raise
    return server


def _command(binary: Path | str, ports: Ports, http_host: str, database: Path | None, namespace: str) -> list[str]:
    command = [str(Path(binary).absolute()), "server", "start-dev", "--ip", "127.0.0.1", "--log-level", "error"]
    command += ["--port", str(ports.grpc), "--ui-port", str(ports.ui), "--http-port", str(ports.http)]
    if database:
        command += ["--db-filename", database.name]  # relative: SQLite would read a % or ? in a path
        command += [part for pragma in PRAGMAS for part in ("--sqlite-pragma", pragma)]
    if namespace != "default":
        command += ["--namespace", namespace]
    dynamic = [*DYNAMIC_CONFIG, f'frontend.httpAllowedHosts=["{http_host}"]']
    return [*command, *(part for value in dynamic for part in ("--dynamic-config-value", value))]


async def _healthy(server: DevServer, namespace: str) -> None:
    # The HTTP port is served by the same frontend, and answers for a namespace only when workflows can be started.
    # Unlike a gRPC client it costs the supervisor neither memory nor half a second of imports.
    deadline = asyncio.get_running_loop().time() + HEALTHY_WITHIN
    while not server.child.ended.is_set():
        with contextlib.suppress(OSError, ValueError):
            await server.call(f"namespaces/{namespace}")
            await asyncio.sleep(0)
            if not server.child.ended.is_set():
                return
        if asyncio.get_running_loop().time() > deadline:
            raise StartFailed(f"The Temporal server started but was not healthy within {HEALTHY_WITHIN:.0f} s.")
        await asyncio.sleep(0.02)
    reason = _message(server.child.last_error) or f"exit code {server.child.code}"
    raise StartFailed(f"The Temporal server ended while starting: {reason.rstrip('.')}.")


def _message(line: str) -> str:
    """The message in a line of the server's log: `time=… level=ERROR msg="…"`."""
    found = re.search(r'msg="((?:[^"\\]|\\.)*)"', line)
    message = found[1].replace('\\"', '"') if found else line
    return message if len(message) <= _LONGEST else f"… {message[-_LONGEST:]}"  # the cause comes last


def fetch(url: str, body: dict[str, Any] | None = None, timeout: float = 2.0, host: str = "") -> Any:
    """GET the URL, or POST the body to it, as JSON and past any proxy. OSError or ValueError when that fails."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"} | ({"Host": host} if host else {})
    request = urllib.request.Request(url, data, headers)  # noqa: S310 - http, our own
    with _direct.open(request, timeout=timeout) as answer:
        return json.load(answer)


def free_ports(wanted: Ports | None = None) -> Ports:
    """Three ports that nobody listens on; those wanted, where they are still free."""
    with contextlib.ExitStack() as stack:

        def port(number: int) -> int:
            for candidate in (number, 0):
                listener = stack.enter_context(socket.socket())
                if hasattr(socket, "SO_REUSEPORT"):  # on Windows the option would let us take a port in use
                    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                with contextlib.suppress(OSError):
                    listener.bind(("127.0.0.1", candidate))
                    return int(listener.getsockname()[1])
            raise StartFailed("No free port was found on 127.0.0.1. Close some programs, then start again.")

        wanted = wanted or Ports(0, 0, 0)
        return Ports(port(wanted.grpc), port(wanted.ui), port(wanted.http))


async def accepts_connections(address: str, timeout: float = 1.0) -> bool:
    """Whether anything accepts connections there."""
    host, _, port = address.rpartition(":")
    with contextlib.suppress(OSError, TimeoutError):
        _, writer = await asyncio.wait_for(asyncio.open_connection(host, int(port)), timeout)
        writer.close()
        return True
    return False


async def is_temporal(address: str, timeout: float = 3.0) -> bool:
    """Whether it is a Temporal server in good health: an open port is not enough."""
    if not await accepts_connections(address):
        return False
    # Only now: the import takes half a second and 40 MB, which a supervisor with a server of its own never needs.
    client = await asyncio.to_thread(__import__, "temporalio.client", fromlist=["Client"])
    with contextlib.suppress(RuntimeError, TimeoutError):
        await asyncio.wait_for(client.Client.connect(address), timeout)
        return True
    return False


async def find_web_ui(address: str) -> str:
    """The Web UI of a dev server on this machine, which by default listens 1000 ports higher; "" when there is none."""
    host, _, port = address.rpartition(":")
    if host not in ("localhost", "127.0.0.1", "[::1]"):
        return ""
    url = f"http://{host}:{int(port) + 1000}"
    with contextlib.suppress(OSError, ValueError):
        settings = await asyncio.to_thread(fetch, f"{url}/api/v1/settings", None, 1.0)
        return url if "DefaultNamespace" in settings else ""
    return ""
