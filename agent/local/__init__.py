"""What runs beside the page: a supervisor process that owns the embedded Temporal server and the worker.

A page calls ensure() on every run, draws status(), and calls release() when it stops; supervisor.py is the other side.
One supervisor for each home directory and TEMPORAL_ADDRESS: what the first page asked for holds until the last has gone.
"""

from agent.local.client import ensure, kill, release, restart_worker, status, wait_ready
from agent.local.pipe import SupervisorPipe, supervisor_pipe
from agent.local.status import LocalStatus

__all__ = [
    "LocalStatus",
    "SupervisorPipe",
    "ensure",
    "kill",
    "release",
    "restart_worker",
    "status",
    "supervisor_pipe",
    "wait_ready",
]
