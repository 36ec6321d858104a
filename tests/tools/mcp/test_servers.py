"""Tools of real MCP servers, in processes of their own."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tools import Goal, InvalidArguments, Server, Tool, ToolContext, ToolError, Toolset, TryAgain
from tools.mcp import Servers, connection, listing

PROGRAM = str(Path(__file__).with_name("server.py"))
ENVIRONMENT = {"PATH": os.environ["PATH"], "WIKI_TOKEN": "token-0123456789", "OTHER_SECRET": "never-to-be-told"}


def stdio(notes: Path, **changed: Any) -> Server:
    env = {"NOTES": str(notes), "TOKEN": "${WIKI_TOKEN}"}
    return Server.model_validate({"name": "notes", "command": [sys.executable, PROGRAM], "env": env} | changed)


@asynccontextmanager
async def connected(toolset: Toolset, *named: Server, environment: Any = ENVIRONMENT) -> AsyncIterator[Servers]:
    """A goal with these servers and one tool of ours."""
    goal = Goal(name="g", title="G", description="Do.", tools=["FindEvents"], servers=list(named))
    found = Servers(Toolset(tools=toolset.tools, goals={"g": goal}), environment)
    try:
        yield found
    finally:
        await found.close()


async def run(tool: Tool, context: ToolContext | None = None, /, **arguments: object) -> Any:
    return (await tool.run(arguments, context or ToolContext("chat/1", ENVIRONMENT))).result


@pytest.fixture(scope="module")
async def tools(toolset: Toolset, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[dict[str, Tool]]:
    """The tools of one server, for those who leave it as it is."""
    async with connected(toolset, stdio(tmp_path_factory.mktemp("notes") / "notes.txt")) as found:
        yield (await found.tools_of("g")).tools


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    return tmp_path / "notes.txt"


def lines(notes: Path) -> list[str]:
    return notes.read_text().split() if notes.exists() else []


async def test_tools_are_listed_beside_ours_with_their_effects(tools: dict[str, Tool]) -> None:
    assert "FindEvents" in tools
    effects = {name: tools[name].effect for name in ("notes_count", "notes_put", "notes_add")}
    assert effects == {"notes_count": "read", "notes_put": "idempotent", "notes_add": "once"}
    assert tools["notes_count"].description == "Count the letters of a word."
    assert tools["notes_count"].parameters["required"] == ["word"]


async def test_only_the_named_tools_are_used_and_the_goal_knows_their_effects_better(
    toolset: Toolset, notes: Path
) -> None:
    named = stdio(notes, tools=["add", "count"], effects={"add": "idempotent"})
    async with connected(toolset, named) as found:
        tools = (await found.tools_of("g")).tools
    assert {name: tool.effect for name, tool in tools.items()} == {
        "FindEvents": "read",
        "notes_count": "read",
        "notes_add": "idempotent",
    }


async def test_tool_runs_like_ours(toolset: Toolset, notes: Path) -> None:
    async with connected(toolset, stdio(notes)) as found:
        tools = (await found.tools_of("g")).tools
        assert await run(tools["notes_count"], word="four", times="2") == {"letters": 8}
        assert await run(tools["notes_add"], line="one") == "added"
        tool = await found.tool("notes_put")
        assert tool is not None
        assert await run(tool, line="two") == "wrote two"
        assert await found.tool("notes_nothing") is None
    assert lines(notes) == ["one", "two"]


async def test_session_is_kept_and_close_ends_the_server_that_we_started(toolset: Toolset, notes: Path) -> None:
    async with connected(toolset, stdio(notes)) as found:
        pid, *others = [await run((await found.tools_of("g")).tools["notes_pid"]) for _ in range(3)]
        assert others == [pid, pid]
    async with asyncio.timeout(30):
        while running(pid):
            await asyncio.sleep(0.05)


def running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_arguments_are_checked_before_they_are_confirmed(tools: dict[str, Tool]) -> None:
    with pytest.raises(InvalidArguments) as caught:
        tools["notes_count"].validate({"times": "often"})
    assert caught.value.missing == ["word"]
    assert caught.value.wrong == {"times": "times: 'often' is not of type 'integer'"}


async def test_failure_is_told_in_the_servers_words_but_without_keys(tools: dict[str, Tool]) -> None:
    with pytest.raises(ToolError, match=r"^The MCP server notes reported an error: .*no luck with \[hidden\]\.$"):
        await run(tools["notes_fail"], text="no luck")


async def test_server_is_given_what_the_goal_names_and_nothing_else(tools: dict[str, Tool]) -> None:
    assert await run(tools["notes_whoami"]) == {"token": True, "path": True, "secret": False}


async def test_result_of_3_mb_has_happened(toolset: Toolset, notes: Path) -> None:
    port = free_port()
    with serving(notes, port):
        for server in (stdio(notes), Server(name="notes", url=f"http://127.0.0.1:{port}/mcp")):
            async with connected(toolset, server) as found:
                tools = (await found.tools_of("g")).tools
                assert await run(tools["notes_write_much"], line="x") == (
                    "notes_write_much ran, but its result was not kept: it is larger than 200 kB; ask for less."
                )
    assert lines(notes) == ["x", "x"]


async def test_results_keep_their_text_and_addresses(tools: dict[str, Tool]) -> None:
    assert await run(tools["notes_price"]) == "19.90"
    assert await run(tools["notes_look_up"]) == [
        {"text": "Found."},
        {"url": "notes://1", "type": "text/plain", "text": "The page."},
        {"name": "more", "url": "https://example.com/more"},
    ]


async def test_key_in_a_result_is_hidden(tools: dict[str, Tool]) -> None:
    context = ToolContext("chat/1", {"WIKI_TOKEN": "wrote"})
    assert await run(tools["notes_count"], context, word="four") == {"letters": 4}
    assert await run(
        tools["notes_put"], replace(context, environment={"A_KEY": "hidden-word"}), line="hidden-word"
    ) == ("wrote [hidden]")


async def test_what_a_server_calls_read_only_is_its_word_alone(toolset: Toolset, notes: Path) -> None:
    for changed, vouched in (({}, False), ({"trusted": True}, True), ({"effects": {"count": "read"}}, True)):
        async with connected(toolset, stdio(notes, **changed)) as found:
            assert (await found.tools_of("g")).tools["notes_count"].vouched is vouched


async def test_progress_is_reported(tools: dict[str, Tool]) -> None:
    heard: list[tuple[str, float | None]] = []
    context = ToolContext("chat/1", report=lambda text, fraction: heard.append((text, fraction)))
    assert await run(tools["notes_work"], context) == "done"
    assert heard == [("half way", 0.5)]


async def test_server_that_was_killed_is_started_again(toolset: Toolset, notes: Path) -> None:
    async with connected(toolset, stdio(notes)) as found:
        tools = (await found.tools_of("g")).tools
        os.kill(await run(tools["notes_pid"]), signal.SIGKILL)
        assert await run(tools["notes_add"], line="after") == "added"
    assert lines(notes) == ["after"]


async def test_server_killed_during_a_call_leaves_its_outcome_open(toolset: Toolset, notes: Path) -> None:
    async with connected(toolset, stdio(notes)) as found:
        tools = (await found.tools_of("g")).tools
        pid = await run(tools["notes_pid"])
        call = asyncio.create_task(run(tools["notes_add_slowly"], line="begun"))
        while lines(notes) != ["begun"]:
            await asyncio.sleep(0.02)
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(TryAgain, match="closed the connection before it answered"):
            await call
        assert await run(tools["notes_count"], word="a") == {"letters": 1}


async def test_tool_that_hangs_is_told_after_its_timeout_and_the_session_goes_on(toolset: Toolset, notes: Path) -> None:
    async with connected(toolset, stdio(notes)) as found:
        tools = (await found.tools_of("g")).tools
        with pytest.raises(TryAgain, match=r"^notes_add_slowly did not answer within 1 s\.$"):
            await run(replace(tools["notes_add_slowly"], timeout=1), line="x")
        assert await run(tools["notes_count"], word="a") == {"letters": 1}


@pytest.mark.parametrize(
    ("changed", "environment", "sentence"),
    [
        (
            {"command": ["no-such-program-here"]},
            ENVIRONMENT,
            "The MCP server notes cannot be started with the program no-such-program-here. Its tools are unavailable until it can.",
        ),
        (
            {"command": [sys.executable, "-c", "print('hello')"]},
            ENVIRONMENT,
            f"The MCP server notes cannot be started with the program {sys.executable}. Its tools are unavailable until it can.",
        ),
        (
            {"command": [sys.executable, "-c", "import time; time.sleep(60)"], "timeout": 0.5},
            ENVIRONMENT,
            "The MCP server notes did not answer within 0.5 s. Its tools are unavailable until it does.",
        ),
        (
            {"command": [], "url": "http://user:secret-word@127.0.0.1:1/mcp?key=secret-word"},
            ENVIRONMENT,
            "The MCP server notes cannot be reached at http://127.0.0.1:1. Its tools are unavailable until it can.",
        ),
        (
            {},
            {"PATH": ENVIRONMENT["PATH"]},
            "The MCP server notes needs the variable WIKI_TOKEN. Put it in .env and restart the worker.",
        ),
    ],
)
async def test_missing_server_is_told_in_a_sentence_and_takes_away_its_own_tools_only(
    toolset: Toolset, notes: Path, changed: dict[str, Any], environment: dict[str, str], sentence: str
) -> None:
    async with connected(toolset, stdio(notes, **changed), environment=environment) as found:
        assert await found.tools_of("g") == ({"FindEvents": toolset.tools["FindEvents"]}, [sentence])


async def test_broken_server_leaves_the_others_and_keeps_nobody_waiting(
    toolset: Toolset, notes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "PAUSE", 0.0)
    hanging = Server(name="slow", command=[sys.executable, "-c", "import time; time.sleep(600)"], timeout=3)
    async with connected(toolset, hanging, stdio(notes)) as found:
        tools, unavailable = await found.tools_of("g")
        assert {"FindEvents", "notes_add"} < set(tools)
        assert unavailable == [
            "The MCP server slow did not answer within 3 s. Its tools are unavailable until it does."
        ]
        hanging.timeout = 600
        async with asyncio.timeout(60):
            assert (await found.tools_of("g")).unavailable == unavailable


async def test_server_that_was_broken_is_used_as_soon_as_it_works(
    toolset: Toolset, notes: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(connection, "PAUSE", 0.0)
    program = tmp_path / "server.py"
    async with connected(toolset, stdio(notes, command=[sys.executable, str(program)])) as found:
        assert len((await found.tools_of("g")).unavailable) == 1
        program.write_text(Path(PROGRAM).read_text())
        async with asyncio.timeout(60):
            while "notes_add" not in (await found.tools_of("g")).tools:
                await asyncio.sleep(0.05)


async def test_servers_of_one_name_in_two_goals_never_reach_each_other(toolset: Toolset, tmp_path: Path) -> None:
    mine, yours = tmp_path / "mine.txt", tmp_path / "yours.txt"
    goals = {
        name: Goal(name=name, title=name, description="Do.", servers=[stdio(notes, tools=["add", "count"])])
        for name, notes in {"mine": mine, "yours": yours}.items()
    }
    found = Servers(Toolset(tools=toolset.tools, goals=goals), ENVIRONMENT)
    try:
        for goal, line in (("mine", "1"), ("yours", "2")):
            name = next(name for name in (await found.tools_of(goal)).tools if name.endswith("_add"))
            tool = await found.tool(name)
            assert tool is not None
            assert await run(tool, line=line) == "added"
        with pytest.raises(
            ToolError, match=r"^More than one MCP server has a tool called notes_add, so none was run\."
        ):
            await found.tool("notes_add")
    finally:
        await found.close()
    assert (lines(mine), lines(yours)) == (["1"], ["2"])


async def test_names_that_join_to_one_string_reach_their_own_server_and_old_names_the_only_one_there_is(
    toolset: Toolset, notes: Path
) -> None:
    first, second = stdio(notes, name="notes"), stdio(notes, name="notes_add")
    async with connected(toolset, first, second) as found:
        tools = (await found.tools_of("g")).tools
        slowly = [name for name in tools if name.endswith("_add_slowly")]
        assert len(slowly) == 2
        for name in slowly:
            routed = await found.tool(name)
            assert routed is not None
            assert routed.call.args[:2] == tools[name].call.args[:2]  # type: ignore[attr-defined]
        formerly = await found.tool("notes_count")
        assert formerly is not None
        assert await run(formerly, word="four") == {"letters": 4}


async def test_tool_added_later_is_offered_when_the_server_says_so(toolset: Toolset, notes: Path) -> None:
    for arguments in ([], ["sessions"]):
        port = free_port()
        server = Server(name="notes", url=f"http://127.0.0.1:{port}/mcp")
        with serving(notes, port, *arguments):
            async with connected(toolset, server) as found, connected(toolset, server) as other:
                await other.tools_of("g")
                tools = (await found.tools_of("g")).tools
                assert "notes_late" not in tools
                assert await run(tools["notes_grow"]) == "grown"
                async with asyncio.timeout(30):
                    while "notes_late" not in (await found.tools_of("g")).tools:
                        await asyncio.sleep(0.05)
                late = await other.tool("notes_late")
                assert late is not None, "a worker whose list does not have it asks again"
                assert await run(late) == "late"


async def test_server_that_is_gone_for_good_did_nothing(
    toolset: Toolset, notes: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(connection, "PAUSE", 0.0)
    program = tmp_path / "server.py"
    program.write_text(Path(PROGRAM).read_text())
    async with connected(toolset, stdio(notes, command=[sys.executable, str(program)])) as found:
        tools = (await found.tools_of("g")).tools
        program.unlink()
        os.kill(await run(tools["notes_pid"]), signal.SIGKILL)
        with pytest.raises(ToolError, match=r"cannot be started .* Nothing was done\.$"):
            await run(tools["notes_add"], line="x")
        with pytest.raises(TryAgain, match="cannot be started"):
            await run(tools["notes_count"], word="x")
        program.write_text(Path(PROGRAM).read_text())
        assert await run(tools["notes_count"], word="x") == {"letters": 1}
    assert lines(notes) == []


async def test_list_is_asked_for_again_after_a_while(
    toolset: Toolset, notes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with connected(toolset, stdio(notes)) as found:
        before = (await found.tools_of("g")).tools
        os.kill(await run(before["notes_pid"]), signal.SIGKILL)
        monkeypatch.setattr(listing, "FRESH", 0.0)
        assert set((await found.tools_of("g")).tools) == set(before)


@contextmanager
def serving(notes: Path, port: int, *arguments: str) -> Iterator[None]:
    process = subprocess.Popen(
        [sys.executable, PROGRAM, str(port), *arguments],
        env=os.environ | {"NOTES": str(notes)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        ends = time.monotonic() + 60
        while not answers(port):
            assert process.poll() is None
            assert time.monotonic() < ends
            time.sleep(0.05)
        yield
    finally:
        process.kill()
        process.wait()


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def test_server_over_http_is_listed_and_run_and_may_come_back(
    toolset: Toolset, notes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "PAUSE", 0.0)
    port = free_port()
    named = Server(name="notes", url=f"http://127.0.0.1:{port}/mcp", headers={"Authorization": "Bearer ${WIKI_TOKEN}"})
    async with connected(toolset, named) as found:
        with serving(notes, port):
            tools = (await found.tools_of("g")).tools
            assert await run(tools["notes_count"], word="four") == {"letters": 4}
            assert await run(tools["notes_add"], line="one") == "added"
        with pytest.raises(TryAgain):
            await run(tools["notes_count"], word="four")
        with pytest.raises(ToolError, match=r"Nothing was done\.$"):
            await run(tools["notes_add"], line="lost")
        with serving(notes, port):
            assert await run(tools["notes_add"], line="two") == "added"
    assert lines(notes) == ["one", "two"]
