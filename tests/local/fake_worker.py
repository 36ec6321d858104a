"""A worker without Temporal: `python -m tests.local.fake_worker <home> [manner]`. Tests find it by the home in its command line."""

import asyncio
import re
import signal
import subprocess
import sys
import threading
import time

from agent.local import supervisor_pipe


def hold_the_gil() -> None:
    re.match(r"^(\w+\s?)*$", "a" * 60 + "!")


manner = sys.argv[2] if len(sys.argv) > 2 else "calm"
if manner == "unusable":
    sys.exit("LLM_TIMEOUT must be a number of seconds from 1 to 3600. Change it, then start again.")
if manner == "broken":
    raise RuntimeError("the key is sk-secret-123456")
if manner == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if manner == "parent":
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", sys.argv[1]])
pipe = supervisor_pipe()
if manner == "blocked":
    time.sleep(600)
assert pipe
print(f"working for {asyncio.run(pipe.address())}")
if manner == "gil":
    threading.Timer(1.0, hold_the_gil).start()
asyncio.run(pipe.send_heartbeats())
