"""Chats that can never be replayed again, of workers that stand still: `python -m tests.bench.stall [--stops 200]`.

Several workers side by side are stopped for 0.3 to 15 s each time, while people talk and all kinds of clients read. The
baseline is a worker that trusts its cache, as the SDK's own does: for the turns a second, alternately with ours in the
same minutes, and with `--baseline` for the runs as well.
"""

import argparse
import asyncio
import statistics
from pathlib import Path

from tests.bench.speed import QUEUE, Bench, bench, throughput
from tests.llm.stub import Answer
from tests.workflow.stalls import Outcome, slowly, spread, stall

OURS = ("worker.py",)
TRUSTING = (
    "-c",
    "import agent.eviction as e; e.EvictingRunner.evict = lambda self, run_id: None; import worker; worker.main()",
)


async def stopped(command: tuple[str, ...], chats: int, stops: list[float], keep: Path | None) -> Outcome:
    async with bench(command) as run:
        run.stub.default = slowly
        return await stall(run.client, QUEUE, run.worker.pid, chats, stops, keep)


async def outcomes(
    name: str, command: tuple[str, ...], workers: int, chats: int, stops: list[float], keep: Path | None
) -> None:
    parts = [stops[number::workers] for number in range(workers)]
    found = await asyncio.gather(*(stopped(command, chats, part, keep) for part in parts))
    row = Outcome(*(sum(getattr(one, field) for one in found) for field in ("stops", "turns", "runs", "unreplayable")))
    print(f"| {name} | {row.stops} | {row.turns} | {row.runs} | {row.unreplayable} |", flush=True)


async def rates(run: Bench, chats: int, seconds: float) -> float:
    run.stub.default = Answer("Hello from the stub.")
    return (await throughput(run, chats, seconds)).rate


async def main(
    stops: int, workers: int, chats: int, longest: float, rounds: int, baseline: bool, keep: Path | None
) -> None:
    print("| worker | stops | turns | runs | unreplayable |")
    print("|---|---|---|---|---|")
    lengths = list(spread(0.3, longest, stops))
    if baseline:
        await outcomes("trusts its cache", TRUSTING, workers, chats, lengths, None)
    if stops:
        await outcomes("ours", OURS, workers, chats, lengths, keep)
    async with bench(OURS) as ours, bench(TRUSTING) as trusting:
        pairs = [(await rates(ours, 10, 5), await rates(trusting, 10, 5)) for _ in range(rounds)]
    if pairs:
        ratio = statistics.median(one / other for one, other in pairs)
        fastest = [statistics.median(column) for column in zip(*pairs, strict=True)]
        print(f"\nTurns a second: {fastest[0]:.1f}, trusting its cache {fastest[1]:.1f}; median ratio {ratio:.2f}.")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stops", type=int, default=200)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--chats", type=int, default=8, help="of each worker")
    parser.add_argument("--longest", type=float, default=15.0, help="seconds")
    parser.add_argument("--rounds", type=int, default=5, help="of measuring turns a second")
    parser.add_argument("--baseline", action="store_true", help="stop workers that trust their cache, too")
    parser.add_argument("--keep", type=Path, help="a directory for the histories that cannot be replayed")
    given = parser.parse_args()
    asyncio.run(main(**vars(given)))
