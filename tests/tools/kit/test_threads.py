import asyncio
import subprocess
import sys
import time

from tools.kit.threads import EXIT, blocked_loop_watchdog

BLOCKING = """
import asyncio
import time

from tools.kit.threads import blocked_loop_watchdog


async def act() -> None:
    with blocked_loop_watchdog("Act", longest=1):
        time.sleep(60)


asyncio.run(act())
"""


def test_a_tool_that_blocks_the_loop_ends_the_process_and_is_named() -> None:
    done = subprocess.run([sys.executable, "-c", BLOCKING], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == EXIT
    assert done.stderr == (
        "Act or another async tool has blocked the worker for 1 s at <string>, line 10, so the worker ends. "
        "Make it a plain `def`, or await what it waits for.\n"
    )


async def test_a_tool_that_waits_or_blocks_for_a_moment_is_let_be() -> None:
    with blocked_loop_watchdog("Act", longest=2):
        await asyncio.sleep(3.5)
        time.sleep(1.5)
        await asyncio.sleep(0.1)
