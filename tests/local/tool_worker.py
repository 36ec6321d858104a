"""worker.py with the tools of a directory, and a model that calls the tool that the person names.

`python -m tests.local.tool_worker <directory>`
"""

import sys
from pathlib import Path
from unittest import mock

import worker
from tests.e2e.worker_with_tools import Caller
from tools import load

if __name__ == "__main__":
    found = load(Path(sys.argv[1]))
    load_tools = mock.patch.object(worker, "load", return_value=found)
    build_model = mock.patch.object(worker, "build_model", return_value=Caller())
    with load_tools, build_model:
        worker.main()
