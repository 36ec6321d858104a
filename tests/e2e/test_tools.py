"""Tools that misbehave, in a worker process of their own: each ends as one sentence, and the chat goes on."""

import asyncio
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from temporalio.client import Client

from agent.goals import goal_for
from agent.messages import GoalSpec
from tests.e2e.workers import ROOT, Chat, Person, Workers, lines, results, running_workers
from tools import load

SECRET = "hunter2+hunter2/correct=horse"

TOOLS = '''
import asyncio
import os
import time

from tools import ToolContext, ToolError, tool


@tool(effect="read", timeout=1)
async def hang() -> str:
    """Never answer."""
    await asyncio.sleep(3600)
    return "never"


@tool(effect="once", timeout=1)
async def block(context: ToolContext) -> str:
    """Block the worker."""
    time.sleep(3600)
    return "never"


@tool(effect="read", timeout=1)
def hang_in_a_thread() -> str:
    """Never answer."""
    time.sleep(3600)
    return "never"


@tool(effect="once", timeout=1)
def hang_once() -> str:
    """Never answer."""
    time.sleep(3600)
    return "never"


@tool(effect="read")
def die(context: ToolContext) -> str:
    """End the worker, the first time."""
    if not (context.home / "died").exists():
        (context.home / "died").touch()
        os._exit(3)
    return "lived"


@tool(effect="once")
def die_once(context: ToolContext) -> str:
    """End the worker."""
    with (context.home / "tries").open("a") as tries:
        tries.write("x")
    os._exit(3)


@tool(effect="read")
def leave() -> str:
    """End the worker politely."""
    raise SystemExit(3)


@tool(effect="read")
def return_much() -> list[str]:
    """Return 3 MB."""
    return ["x" * 1000] * 3000


@tool(effect="read")
def return_strange_things() -> object:
    """Return what is not JSON."""
    return {"at": object(), "not a number": float("nan")}


@tool(effect="read")
def return_half_a_letter() -> str:
    """Return what is not UTF-8."""
    return "\\ud83d"


@tool(effect="read")
def stop_at_once() -> str:
    """Run out of things."""
    return next(iter(()))


@tool(effect="once")
def refuse_with_a_secret(context: ToolContext) -> str:
    """Tell the secret."""
    raise ToolError(f"The key {context.environment['SHOP_TOKEN']} was refused.")


@tool(effect="once")
def crash_with_a_secret(context: ToolContext) -> str:
    """Tell the secret, and where it came from."""
    try:
        raise KeyError(context.environment["SHOP_TOKEN"])
    except KeyError as error:
        from urllib.parse import quote
        raise ValueError(f"401 for https://shop.example?key={quote(context.environment['SHOP_TOKEN'], safe='')}") from error


@tool(effect="read")
def crash_at_length() -> str:
    """Fail with 3 MB of words."""
    raise ValueError("x" * 3_000_000)


@tool(effect="read")
async def count(context: ToolContext) -> int:
    """Say how far it is, until a file `counted` appears."""
    context.progress("Counting the sheep", 0.25)
    while not (context.home / "counted").exists():
        await asyncio.sleep(0.05)
    return 12


@tool(effect="read")
def babble(context: ToolContext) -> str:
    """Say too much of how far it is, until a file `babbled` appears."""
    context.progress(context.environment["SHOP_TOKEN"] + "x" * 3_000_000, float("nan"))
    time.sleep(1)
    context.progress("\\ud83d", 7)
    time.sleep(1)
    context.progress(object(), "half")
    while not (context.home / "babbled").exists():
        time.sleep(0.05)
    return "enough"
'''

GOALS = """
from tools import Goal

goal = Goal(
    name="try",
    title="Try tools",
    description="Run what the person names.",
    starter_prompt="Greet.",
    tools=[
        "Hang", "HangInAThread", "HangOnce", "Die", "DieOnce", "Block", "Leave", "ReturnMuch", "ReturnStrangeThings",
        "ReturnHalfALetter", "StopAtOnce", "RefuseWithASecret", "CrashWithASecret", "CrashAtLength", "Count", "Babble",
    ],
)
"""

NOTES = """
from tools import Goal, Server

goal = Goal(
    name="notes",
    title="Keep notes",
    description="Do as the person says.",
    starter_prompt="Greet.",
    servers=[Server(name="notes", command=[{program!r}], env={{"NOTES": {notes!r}}}, timeout=60)],
)
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def directory(home: Path) -> Path:
    """Somebody's tools/: the tools above, a goal with all of them, and one with the tools of an MCP server."""
    made = home / "tools"
    (made / "goals").mkdir(parents=True)
    (made / "all.py").write_text(TOOLS)
    (made / "goals" / "try.py").write_text(GOALS)
    (made / "goals" / "notes.py").write_text(NOTES.format(program=str(_program(home)), notes=str(home / "notes.txt")))
    return made


@pytest.fixture(scope="module")
def workers(server: str, home: Path, directory: Path) -> Iterator[Workers]:
    """Two workers, because some of the tools end theirs."""
    program = ["-m", "tests.e2e.worker_with_tools", str(directory)]
    with running_workers(server, home, {"SHOP_TOKEN": SECRET}, program) as found:
        found.start()
        yield found


@pytest.fixture
def person(workers: Workers, temporal: Client) -> Person:
    return workers.person(temporal)


@pytest.fixture
def trying(directory: Path) -> GoalSpec:
    return goal_for(load(directory), "try")


async def proposed(chat: Chat, tool: str) -> None:
    view = await chat.say(tool)
    assert view.waiting, lines(view)
    assert view.waiting.tool == tool.partition(" ")[0]


async def goes_on(chat: Chat) -> bool:
    view = await chat.say("Still there?")
    return lines(view)[-1] == "agent: You said: Still there?"


TOLD = {
    "Hang": ("failed", "Hang did not answer within 1 s."),
    "HangInAThread": ("failed", "HangInAThread did not answer within 1 s."),
    "HangOnce": ("unknown", "HangOnce did not answer within 1 s."),
    "Leave": ("failed", "Leave failed (RuntimeError: it tried to stop the worker with SystemExit)."),
    "ReturnMuch": ("ok", "ReturnMuch ran, but its result was not kept: it is larger than 200 kB; ask for less."),
    "ReturnStrangeThings": (
        "ok",
        "ReturnStrangeThings ran, but its result was not kept: "
        "it is not JSON-serializable (at is a value of type object).",
    ),
    "ReturnHalfALetter": (
        "ok",
        "ReturnHalfALetter ran, but its result was not kept: it is not JSON-serializable (text that is not Unicode).",
    ),
    "StopAtOnce": ("failed", "StopAtOnce failed (RuntimeError: StopIteration)."),
    "CrashAtLength": ("failed", "CrashAtLength failed (ValueError: ".ljust(499, "x") + "…"),
    "RefuseWithASecret": ("failed", "The key [hidden] was refused."),
    "CrashWithASecret": (
        "unknown",
        "CrashWithASecret failed (ValueError: 401 for https://shop.example?key=[hidden]).",
    ),
}


async def test_each_failure_and_each_result_that_cannot_be_kept_is_one_sentence_and_the_chat_goes_on(
    person: Person, workers: Workers, trying: GoalSpec
) -> None:
    """All at once: those that are tried again take their time."""

    async def fail(tool: str) -> tuple[str, str]:
        chat = await person.start(trying)
        await proposed(chat, tool)
        view = await chat.confirm(60)
        told = results(view)[-1]
        if told.outcome == "unknown":
            assert view.waiting
            assert view.waiting.kind == "lost_result"
            assert view.waiting.text.startswith(told.error)
        assert await goes_on(chat)
        history = await chat.history()
        assert len(history) < 100_000
        kept = history + (await chat.view()).model_dump_json()
        assert not [part for part in ("hunter2", "correct") if part in kept]
        return told.outcome, told.error or told.result

    told = await asyncio.gather(*(fail(tool) for tool in TOLD))
    assert dict(zip(TOLD, told, strict=True)) == TOLD
    printed = workers.log.read_text()
    assert "RefuseWithASecret" in printed, "the log is where failures are looked up"
    assert not [part for part in ("hunter2", "correct") if part in printed]
    assert workers.exit_codes() == [None, None], "no worker was harmed"


async def test_progress_is_seen_while_the_tool_runs(person: Person, trying: GoalSpec, home: Path) -> None:
    chat = await person.start(trying)
    await proposed(chat, "Count")
    await chat.accept()
    seen = await chat.until(lambda seen: bool(seen.attempt and seen.attempt.progress))
    assert seen.attempt
    assert (seen.attempt.name, seen.attempt.progress, seen.attempt.fraction) == ("Count", "Counting the sheep", 0.25)
    (home / "counted").touch()
    assert (await chat.settled()).status == "waiting"
    assert results(await chat.view())[-1].result == 12


async def test_progress_that_nobody_could_show_harms_nothing(person: Person, trying: GoalSpec, home: Path) -> None:
    chat = await person.start(trying)
    await proposed(chat, "Babble")
    await chat.accept()
    seen = await chat.until(lambda seen: bool(seen.attempt and seen.attempt.progress))
    await asyncio.sleep(8)  # a worker that can no longer say that it lives is taken for dead after 5 s
    (home / "babbled").touch()
    view = await chat.settled()
    assert seen.attempt
    assert len(seen.attempt.progress) <= 500
    assert "hunter2" not in seen.attempt.progress
    assert results(view)[-1].result == "enough"
    assert await chat.attempts("Babble") == 1


async def test_a_worker_that_a_tool_ended_is_replaced_and_a_read_tried_again(
    person: Person, workers: Workers, trying: GoalSpec
) -> None:
    chat = await person.start(trying)
    await proposed(chat, "Die")
    view = await chat.confirm(60)
    assert results(view)[-1].result == "lived", lines(view)
    assert await chat.attempts("Die") == 2
    assert sorted(workers.exit_codes(), key=str) == [3, None]
    assert await goes_on(chat)
    workers.start()


async def test_a_tool_that_ended_its_worker_and_may_have_done_something_is_asked_about(
    person: Person, workers: Workers, trying: GoalSpec, home: Path
) -> None:
    chat = await person.start(trying)
    await proposed(chat, "DieOnce")
    view = await chat.confirm(60)
    assert results(view)[-1].outcome == "unknown", lines(view)
    assert results(view)[-1].error == "The process that ran it died, or lost its connection."
    assert view.waiting
    assert view.waiting.kind == "lost_result"
    await person.chats.decline(chat.id, view.waiting.id)
    await chat.until(lambda seen: bool(seen.view and not seen.view.waiting))
    assert await goes_on(chat)
    assert (home / "tries").read_text() == "x"
    workers.start()


async def test_a_tool_that_blocks_its_worker_ends_it_and_is_asked_about(
    person: Person, workers: Workers, trying: GoalSpec
) -> None:
    chat = await person.start(trying)
    await proposed(chat, "Block")
    view = await chat.confirm(60)
    assert results(view)[-1].outcome == "unknown", lines(view)
    assert await goes_on(chat)
    await asyncio.to_thread(_wait_for_exit, workers, 70)
    assert "Block or another async tool has blocked the worker for 10 s" in workers.log.read_text()
    workers.start()


def _wait_for_exit(workers: Workers, code: int) -> None:
    for _ in range(400):
        if code in workers.exit_codes():
            return
        time.sleep(0.05)
    raise AssertionError(f"no worker ended with {code}")


def _program(home: Path) -> Path:
    return home / "notes-server"


def install(home: Path) -> None:
    """The MCP server, as a program."""
    program = _program(home)
    program.write_text(f"#!/bin/sh\nexec {sys.executable} {ROOT / 'tests/tools/mcp/server.py'}\n")
    program.chmod(0o755)


async def test_a_missing_mcp_server_keeps_no_chat_waiting_and_its_tools_are_there_when_it_is(
    person: Person, directory: Path, home: Path
) -> None:
    chat = await person.start(goal_for(load(directory), "notes"))
    assert lines(await chat.view())[-1] == "agent: You said: ### Greet."
    view = await chat.say('notes_count {"word": "sheep"}')
    assert not view.waiting
    install(home)
    async with asyncio.timeout(200):
        while not view.waiting:
            view = await chat.say('notes_count {"word": "sheep"}')
    assert view.waiting.tool == "notes_count"


async def test_tools_of_an_mcp_server_are_proposed_confirmed_and_run(
    person: Person, directory: Path, home: Path
) -> None:
    install(home)
    chat = await person.start(goal_for(load(directory), "notes"))
    view = await chat.say('notes_count {"word": "sheep", "times": "2"}')
    assert view.waiting
    assert view.waiting.effect == "read"
    assert view.waiting.parameters["required"] == ["word"]
    view = await chat.confirm()
    assert results(view)[-1].result == {"letters": 10}, lines(view)
    view = await chat.say('notes_add {"line": "milk"}')
    assert view.waiting
    assert view.waiting.effect == "once"
    await chat.confirm()
    assert (home / "notes.txt").read_text().split() == ["milk"]
    view = await chat.say('notes_fail {"text": "No"}')
    view = await chat.confirm()
    assert (results(view)[-1].outcome, results(view)[-1].error) == (
        "failed",
        "The MCP server notes reported an error: Error executing tool fail: No with.",
    )


async def test_an_mcp_server_that_dies_is_started_again_and_a_call_that_was_lost_is_asked_about(
    person: Person, workers: Workers, directory: Path, home: Path
) -> None:
    install(home)
    chat = await person.start(goal_for(load(directory), "notes"))
    await proposed(chat, "notes_pid")
    dead = [results(await chat.confirm())[-1].result, *_kill_servers(workers)]
    await proposed(chat, "notes_pid")
    view = await chat.confirm()
    assert results(view)[-1].outcome == "ok", lines(view)
    assert results(view)[-1].result not in dead
    await proposed(chat, 'notes_add_slowly {"line": "bread"}')
    await chat.accept()
    await asyncio.to_thread(_wait_for_line, home / "notes.txt", "bread")
    _kill_servers(workers)
    view = await chat.settled()
    assert (results(view)[-1].outcome, results(view)[-1].error) == (
        "unknown",
        "The MCP server notes closed the connection before it answered.",
    )
    assert view.waiting
    assert await goes_on(chat)
    assert (home / "notes.txt").read_text().split().count("bread") == 1


def _kill_servers(workers: Workers) -> list[int]:
    """Each worker has one of its own."""
    living = [psutil.Process(worker.pid) for worker in workers.workers if worker.poll() is None]
    servers = [child for worker in living for child in worker.children(recursive=True)]
    for server in servers:
        server.kill()
    return [server.pid for server in servers]


def _wait_for_line(path: Path, line: str) -> None:
    for _ in range(200):
        if path.exists() and line in path.read_text().split():
            return
        time.sleep(0.05)
    raise AssertionError(f"{line} was never written")
