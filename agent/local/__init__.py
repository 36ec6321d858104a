"""What runs beside the page: a keeper process that owns the embedded Temporal server and the worker.

A page calls ensure() on every run, draws status(), and calls release() when it stops. See keeper.py for the rest.
"""

from agent.local.page import ensure, release, status
from agent.local.parent import watch_parent
from agent.local.status import LocalStatus
from agent.local.waiting import wait_ready

__all__ = ["LocalStatus", "ensure", "release", "status", "wait_ready", "watch_parent"]
