"""`python -m tests.histories` plays every shape, and records those whose history has changed beside the old ones."""

import asyncio
import sys

from agent.local.binary import temporal_binary
from agent.local.server import start_dev_server
from agent.settings import Settings, load_settings
from agent.temporal import connect
from tests.histories.record import RECORDED, outline, play, recordings
from tests.histories.shapes import SHAPES


async def main(names: list[str]) -> None:
    server = await start_dev_server(await temporal_binary(load_settings(), print))
    try:
        client = await connect(Settings(), server.address)
        for name in names or SHAPES:
            history = await play(client, name)
            known = recordings(name)
            if known and any(outline(old.read_text()) == outline(history) for old in known):
                print(f"{name}: unchanged")
                continue
            path = RECORDED / (f"{name}.{len(known) + 1}.json" if known else f"{name}.json")
            path.write_text(history)
            print(f"{name}: {_difference(known[-1].read_text(), history) if known else 'new'}, recorded as {path.name}")
    finally:
        await server.stop()


def _difference(old: str, new: str) -> str:
    before, after = outline(old), outline(new)
    for number, (one, other) in enumerate(zip(before, after, strict=False), 1):
        if one != other:
            return f"CHANGED at event {number}:\n  was {one}\n  is  {other}\n "
    return f"CHANGED from {len(before)} events to {len(after)}"


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
