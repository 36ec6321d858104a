"""What a turn leaves in the history: `python -m tests.bench.turn [--turns 100] [--long 1000]` prints a table.

A question turn is one message and its answer. A tool turn is what follows a Confirm: the receipt, the tool, its result,
and the answer to it. A whole tool turn begins with the message that the proposal answers. `window` is what the model is
sent: the newest messages and the summary. CPU is that of this process: worker, workflow and client together.
"""

import argparse
import asyncio
import json
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from temporalio.client import Client
from temporalio.worker import Worker

from agent.activities import Activities
from agent.client import ChatClient
from agent.goals import goal_for
from agent.local.binary import temporal_binary
from agent.local.server import start_dev_server
from agent.settings import Settings, load_settings
from agent.temporal import connect
from agent.workflow import AgentGoalWorkflow
from tests.workflow.harness import CannedModel, Chat, Harness, call, say
from tools import load

QUEUE = "bench"
GOAL = "event_flight_invoice"
WORDS = "I would like to see some more of what there is in that city in that month, please. "


@dataclass
class Left:
    """What a chat's current run had left behind at one moment."""

    run: str
    events: int
    bytes: int
    window: int
    cpu: float

    def since(self, before: "Left") -> "Left | None":
        if self.run != before.run:
            return None
        return Left(
            self.run,
            self.events - before.events,
            self.bytes - before.bytes,
            self.window - before.window,
            self.cpu - before.cpu,
        )


@asynccontextmanager
async def bench(address: str) -> AsyncIterator[Harness]:
    settings = Settings(temporal_task_queue=QUEUE, steadfast_home=str(Path.cwd()), stream_interval=0)
    client: Client = await connect(settings, address)
    model = CannedModel()
    activities = Activities(settings, model, load())
    worker = Worker(client, task_queue=QUEUE, workflows=[AgentGoalWorkflow], activities=activities.all())
    async with worker:
        yield Harness(ChatClient(client, settings), client, model, QUEUE, [], {})


async def left(chat: Chat) -> Left:
    history = await chat.handle.fetch_history()
    window = 0
    for event in history.events:
        scheduled = event.activity_task_scheduled_event_attributes
        if event.HasField("activity_task_scheduled_event_attributes") and scheduled.activity_type.name == "plan":
            request = json.loads(scheduled.input.payloads[0].data)
            window += len(json.dumps(request.get("messages", []), separators=(",", ":"), ensure_ascii=False).encode())
            window += len(request.get("summary", "").encode())
    used = psutil.Process().cpu_times()
    return Left(
        history.run_id,
        len(history.events),
        sum(event.ByteSize() for event in history.events),
        window,
        used.user + used.system,
    )


async def question(harness: Harness, chat: Chat, measured: bool) -> list[Left | None]:
    harness.model.answers = [say(WORDS * 2)]
    before = await left(chat) if measured else None
    await chat.say(WORDS)
    return [(await left(chat)).since(before)] if before else []


async def tool(harness: Harness, chat: Chat, measured: bool) -> list[Left | None]:
    """What follows the Confirm, and the whole of it."""
    harness.model.answers = [call("FindEvents", city="Austin", month="March"), say(WORDS * 2)]
    begin = await left(chat) if measured else None
    await chat.say(WORDS)
    middle = await left(chat) if measured else None
    await chat.confirm()
    end = await left(chat) if measured else None
    return [end.since(middle), end.since(begin)] if begin and middle and end else []


async def row(harness: Harness, names: list[str], step: object, turns: int) -> None:
    """Play `turns` turns; print the medians of the five that end at the tenth and at the last."""
    assert callable(step)
    chat = Chat(harness, await harness.chats.start(goal_for(load(), GOAL)))
    await chat.settled()
    for last in (10, turns):
        found: list[list[Left | None]] = []
        done = 1 if last == 10 else 11
        for turn in range(done, last + 1):
            measured = turn > last - 5
            result = await step(harness, chat, measured)
            if measured:
                found.append(result)
        for number, name in enumerate(names):
            steps = [each[number] for each in found if each[number]]
            told = [
                statistics.median(getattr(one, what) for one in steps) for what in ("events", "bytes", "window", "cpu")
            ]
            most = max(one.events for one in steps if one)
            print(
                f"| {name} | {last} | {told[0]:.0f} (at most {most}) | {told[1]:,.0f} | {told[2]:,.0f} "
                f"| {told[1] - told[2]:,.0f} | {told[3] * 1000:.0f} ms |"
            )


async def long(harness: Harness, turns: int) -> None:
    """How a chat of so many turns is read."""
    chat = Chat(harness, await harness.chats.start(goal_for(load(), GOAL)))
    await chat.settled()
    for _ in range(turns):
        harness.model.answers = [say(WORDS * 2)]
        await harness.chats.send(chat.id, WORDS)
        await chat.until(lambda view: view.status == "waiting" and not view.queued)
    begun = time.perf_counter()
    newest = await chat.view()
    first = time.perf_counter() - begun
    begun = time.perf_counter()
    messages = await chat.everything()
    print(
        f"\nA chat of {turns:,} turns: its newest page in {first * 1000:.0f} ms ({len(newest.messages)} messages), all "
        f"{len(messages):,} messages, run by run, in {time.perf_counter() - begun:.2f} s."
    )


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=100)
    parser.add_argument("--long", type=int, default=0)
    asked = parser.parse_args()
    server = await start_dev_server(await temporal_binary(load_settings(), print))
    try:
        async with bench(server.address) as harness:
            print("| turn | number | events | bytes | of it window | besides | CPU |\n|---|---|---|---|---|---|---|")
            await row(harness, ["question"], question, asked.turns)
            await row(harness, ["tool, from Confirm", "tool, whole"], tool, asked.turns)
            if asked.long:
                await long(harness, asked.long)
    finally:
        await server.stop()


if __name__ == "__main__":
    asyncio.run(main())
