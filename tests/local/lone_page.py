"""A page without Streamlit: lives until SIGTERM, Ctrl-C or SIGKILL. `python -m tests.local.lone_page <setup>`."""

import signal
import sys
import time

from agent.local.page import join, release
from agent.local.setup import Setup

if __name__ == "__main__":
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.default_int_handler)
    try:
        join(Setup.from_json(sys.argv[1]))
        while True:
            time.sleep(600)
    except KeyboardInterrupt:
        release()
