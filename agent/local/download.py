"""Let the Temporal SDK download the CLI: `python -m agent.local.download <directory>`, a process that can be ended."""

import asyncio
import contextlib
import os
import sys
from datetime import timedelta

from temporalio.testing import WorkflowEnvironment


async def download(directory: str, version: str) -> None:
    """Leave the program in the directory. The SDK has no way to download only, so the start that follows is a --help."""
    with contextlib.suppress(RuntimeError):  # whether the file is there tells what became of it
        await WorkflowEnvironment.start_local(
            download_dest_dir=directory,
            dev_server_download_version=version,
            dev_server_extra_args=["--help"],
            dev_server_startup_timeout=timedelta(seconds=1),
        )


if __name__ == "__main__":
    asyncio.run(download(sys.argv[1], sys.argv[2]))
    os._exit(0)  # a clean exit of the interpreter aborts now and then in the SDK's threads
