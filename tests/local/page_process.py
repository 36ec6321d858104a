"""A page without Streamlit, until SIGTERM, Ctrl-C or SIGKILL: `python -m tests.local.page_process <config>`."""

import signal
import sys
import time

from agent.local.client import ensure_config, release
from agent.local.status import LocalConfig

if __name__ == "__main__":
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.default_int_handler)
    try:
        ensure_config(LocalConfig.from_json(sys.argv[1]))
        while True:
            time.sleep(600)
    except KeyboardInterrupt:
        release()
