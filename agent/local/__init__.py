"""What runs beside the page: a keeper process that owns the embedded Temporal server and the worker.

A page calls ensure() on every run, draws status(), and calls release() when it stops; keeper.py is the other side.
One keeper for each home directory and TEMPORAL_ADDRESS: what the first page asked for holds until the last has gone.
"""

from agent.local.page import ensure, release, restart_worker, status
from agent.local.parent import watch_parent
from agent.local.status import LocalStatus
from agent.local.waiting import wait_ready

__all__ = ["LocalStatus", "ensure", "release", "restart_worker", "status", "wait_ready", "watch_parent"]
