"""How a worker notices on any system that its keeper is gone: the pipe on its stdin closes."""

import os
import signal
import threading
import time

KEEPER_PIPE = "STEADFAST_KEEPER_PIPE"


def watch_parent(grace: float = 5.0) -> None:
    """In a worker started by a keeper: stop when the keeper dies, as if told by SIGTERM, at the latest after `grace` s.

    Started by hand, the variable is not set and nothing happens.
    """
    if os.environ.get(KEEPER_PIPE) == "1":
        threading.Thread(target=_wait_for_end, args=(grace,), daemon=True).start()


def _wait_for_end(grace: float) -> None:
    # os.read, not sys.stdin: a thread that holds sys.stdin's lock aborts the interpreter's exit.
    while os.read(0, 1024):
        pass
    signal.raise_signal(signal.SIGTERM)
    time.sleep(grace)
    os._exit(1)
