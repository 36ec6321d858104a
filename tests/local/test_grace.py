"""The real worker: what is under way may finish when it is stopped, and one that does not respond is replaced."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import psutil
import pytest
from temporalio.client import Client

from agent.client import ChatClient
from agent.goals import goal_for
from agent.local.status import LocalStatus
from agent.settings import Settings, load_settings
from agent.temporal import connect
from tests.e2e.workers import Chat, Person, results
from tests.local.conftest import BuildStack
from tests.local.stack import Stack, eventually, run_command
from tools import load

TOOLS = '''
import re
import time

from tools import ToolContext, tool


@tool(effect="once", timeout=60)
def post(context: ToolContext) -> str:
    """Post something, which takes 6 s."""
    with (context.home / "posts").open("a") as file:
        file.write("begun ")
        file.flush()
        time.sleep(6)
        file.write("done ")
    return "posted"


@tool(effect="read", timeout=60)
def match(context: ToolContext) -> str:
    """Hold the GIL for hours, the first time."""
    if not (context.home / "matched").exists():
        (context.home / "matched").touch()
        re.match(r"^(\\w+\\s?)*$", "a" * 60 + "!")
    return "matched"
'''

GOAL = """
from tools import Goal

goal = Goal(
    name="post",
    title="Post",
    description="Do as the person says.",
    starter_prompt="Greet.",
    tools=["Post", "Match"],
)
"""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    directory = tmp_path / "tools"
    (directory / "goals").mkdir(parents=True)
    (directory / "slow.py").write_text(TOOLS)
    (directory / "goals" / "post.py").write_text(GOAL)
    return directory


@pytest.fixture
def stack(build_stack: BuildStack, tmp_path: Path, directory: Path) -> Stack:
    home = tmp_path / "home"
    home.mkdir()
    return build_stack(home, worker=(sys.executable, "-m", "tests.local.tool_worker", str(directory)))


async def start_chat(status: LocalStatus, directory: Path) -> Chat:
    return await (await person(status)).start(goal_for(load(directory), "post"))


async def person(status: LocalStatus) -> Person:
    temporal: Client = await connect(Settings(), status.address)
    return Person(ChatClient(temporal, Settings()), temporal)


async def terminate(stack: Stack, before: LocalStatus) -> None:
    os.kill(before.worker_pid, signal.SIGTERM)


async def restart(stack: Stack, before: LocalStatus) -> None:
    done = await asyncio.to_thread(run_command, stack, "restart")
    assert done.stdout == (
        "Restarting the worker.\n"
        "Restarting the worker: it finishes what is under way first\n"
        "Starting the worker\n"
        "The worker was restarted.\n"
    )


async def close_the_page(stack: Stack, before: LocalStatus) -> None:
    stack.pages[-1].terminate()
    await stack.empty(within=60)
    stack.open_page()


@pytest.mark.parametrize("stop", [terminate, restart, close_the_page])
async def test_a_tool_under_way_finishes_when_its_worker_is_stopped(
    stack: Stack, directory: Path, stop: Callable[[Stack, LocalStatus], Awaitable[None]]
) -> None:
    stack.open_page()
    before = await stack.ready()
    chat = await start_chat(before, directory)
    await chat.say("Post")
    await chat.accept()
    posts = stack.home / "posts"
    await eventually(posts.exists)
    await stop(stack, before)
    await eventually(lambda: not psutil.pid_exists(before.worker_pid))
    assert posts.read_text() == "begun done "
    after = await stack.ready()
    view = await Chat(await person(after), chat.id).settled(60)
    assert [(result.outcome, result.result) for result in results(view)] == [("ok", "posted")]
    assert posts.read_text() == "begun done "


async def test_an_idle_worker_ends_at_once_with_the_last_page(stack: Stack) -> None:
    stack.open_page()
    await stack.ready()
    stack.pages[-1].terminate()
    await stack.empty(within=20)  # its WORKER_GRACE is 30 s


async def test_an_embedded_server_is_met_without_the_tls_and_the_key_of_another(stack: Stack, tmp_path: Path) -> None:
    profile = tmp_path / "temporal.toml"
    profile.write_text('[profile.default]\napi_key = "a-key"\n[profile.default.tls]\nserver_name = "elsewhere"\n')
    theirs = {"TEMPORAL_API_KEY": "a-key", "TEMPORAL_TLS": "true", "TEMPORAL_CONFIG_FILE": str(profile)}
    stack.open_page(theirs)
    status = await stack.ready()
    assert status.problem == ""
    client = await connect(load_settings(theirs), status.address)
    assert (await client.count_workflows()).count == 0


async def test_a_tool_that_holds_the_gil_is_named_and_its_worker_replaced_and_the_chat_goes_on(
    stack: Stack, directory: Path
) -> None:
    stack.open_page()
    before = await stack.ready()
    chat = await start_chat(before, directory)
    await chat.say("Match")
    await chat.accept()
    await eventually((stack.home / "matched").exists)
    await stack.until(lambda status: status.worker == "stuck")
    replaced = await stack.until(lambda status: status.worker == "starting")
    assert re.search(r"\(in .*/tools/slow.py, line 24 \(match\)\)", replaced.problem)
    view = await chat.settled(90)
    assert [(result.outcome, result.result) for result in results(view)] == [("ok", "matched")]
