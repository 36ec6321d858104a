"""The worker's side of the pipes from and to the supervisor that started it."""

import asyncio
import concurrent.futures
import faulthandler
import os
import signal
import threading
import time

from agent.local.process import HEARTBEAT

SUPERVISED = "STEADFAST_SUPERVISED"
"""The variable by which a worker knows that a supervisor started it."""

HEARTBEAT_INTERVAL = 1.0


class SupervisorPipe:
    """Stdin brings the address of the server, and closes when the supervisor dies. Heartbeats go to stdout."""

    def __init__(self, grace: float) -> None:
        """From now on, stop when the supervisor dies: as after SIGTERM, and at the latest after `grace` seconds."""
        self._address: concurrent.futures.Future[str] = concurrent.futures.Future()
        self._grace = grace
        threading.Thread(target=self._watch, daemon=True, name="supervisor-pipe").start()
        if hasattr(faulthandler, "register"):  # not on Windows
            faulthandler.register(signal.SIGUSR1)  # by which the supervisor asks what blocks us; needs no GIL

    async def address(self) -> str:
        """The address of the server, as soon as there is one."""
        return await asyncio.wrap_future(self._address)

    async def send_heartbeats(self) -> None:
        """Tell the supervisor every second that this event loop runs, until cancelled. The first says that we work."""
        while True:
            os.write(1, HEARTBEAT % round(self._grace))
            await asyncio.sleep(HEARTBEAT_INTERVAL)

    def _watch(self) -> None:
        received = b""
        # os.read, not sys.stdin: a thread that holds sys.stdin's lock aborts the interpreter's exit.
        while chunk := os.read(0, 1024):
            received += chunk
            if b"\n" in received and not self._address.done():
                self._address.set_result(received.partition(b"\n")[0].decode())
        signal.raise_signal(signal.SIGTERM)
        time.sleep(self._grace)
        os._exit(1)


def supervisor_pipe(grace: float = 5.0) -> SupervisorPipe | None:
    """The pipe from the supervisor that started this worker; None when it was started by hand."""
    return SupervisorPipe(grace) if os.environ.get(SUPERVISED) == "1" else None
