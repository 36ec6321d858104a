"""How soon another worker takes over a model call whose worker was killed: `python -m tests.bench.takeover [--kills 5]`.

Two workers, a slow model; the one at work gets SIGKILL. The baseline, in the same minute, is the heartbeat timeout,
after which Temporal knows of the death.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from pathlib import Path

from agent.local.binary import temporal_binary
from agent.local.server import start_dev_server
from agent.settings import Settings, load_settings
from agent.temporal import connect
from agent.workflow import HEARTBEAT_TIMEOUT
from tests.e2e.test_models import Talk, worker
from tests.llm.stub import Answer, Stub


async def main(kills: int) -> None:
    taken: list[float] = []
    with tempfile.TemporaryDirectory() as directory, Stub() as stub:
        home = Path(directory)
        server = await start_dev_server(await temporal_binary(load_settings(), print))
        client = await connect(Settings(), server.address)
        model = {"LLM_MODEL": "openai/stub", "LLM_KEY": "none", "LLM_BASE_URL": stub.openai}
        for number in range(kills):
            queue, talk = f"takeover-{number}", Talk(client, f"takeover-{number}")
            stub.default = Answer("Hello.")
            async with worker(server.address, queue, home, **model) as first:
                await talk.begin()
                stub.default = Answer(" ".join(map(str, range(400))), rate=4)  # LiteLLM ends one that repeats itself
                await talk.chats.send(talk.id, "Go on")
                await talk.attempt(lambda attempt: bool(attempt.partial))
                async with worker(server.address, queue, home, **model):
                    asked = len(stub.requests)
                    stub.default = Answer("Done.")
                    killed = time.perf_counter()
                    first.kill()
                    while len(stub.requests) == asked:
                        await asyncio.sleep(0.01)
                    taken.append(time.perf_counter() - killed)
                    await talk.until(lambda view: view.status == "waiting")
        await server.stop()
    print("| kills | median until asked again | slowest | heartbeat timeout |")
    print("|---|---|---|---|")
    timeout = HEARTBEAT_TIMEOUT.total_seconds()
    print(f"| {kills} | {statistics.median(taken):.1f} s | {max(taken):.1f} s | {timeout:.0f} s |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=5)
    asyncio.run(main(parser.parse_args().kills))
