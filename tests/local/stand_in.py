"""A worker that needs no model: `python stand_in.py <home> [manner]`. Its home is in its command line, to find it by."""

import os
import signal
import subprocess
import sys
import time

from agent.local import watch_parent

manner = sys.argv[2] if len(sys.argv) > 2 else "calm"
if manner == "unusable":
    sys.exit("LLM_TIMEOUT must be a number of seconds from 1 to 3600. Change it, then start again.")
if manner == "broken":
    raise RuntimeError("the key is sk-secret")
if manner == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if manner == "parent":
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", sys.argv[1]])
watch_parent()
print(f"working for {os.environ['TEMPORAL_ADDRESS']}")
while True:
    time.sleep(600)
