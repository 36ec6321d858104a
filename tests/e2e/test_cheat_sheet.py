"""The commands of docs/operate.md do what they say, on a chat with a real worker."""

import os
import re
import subprocess
from pathlib import Path

from temporalio.client import Client

from agent.goals import goal_for
from tests.e2e.workers import running_workers
from tools import load

ROOT = Path(__file__).resolve().parents[2]


def commands() -> list[str]:
    """Each command of the cheat sheet; a loop is one."""
    section = (ROOT / "docs/operate.md").read_text(encoding="utf-8").split("## Cheat sheet\n")[1]
    block = section.split("```sh\n")[1].split("```")[0]
    lines = "\n".join(line for line in block.splitlines() if not line.startswith("#"))
    return re.findall(r"^(?:for .+?^done|temporal .+?)$", lines, re.MULTILINE | re.DOTALL)


async def test_every_command_of_the_cheat_sheet_works_on_a_chat(
    server: str, temporal: Client, temporal_cli: Path, tmp_path: Path
) -> None:
    with running_workers(server, tmp_path) as workers:
        chat = await workers.person(temporal).start(goal_for(load(), "event_flight_invoice"))
        assert (await chat.say("an event in San Francisco in March")).waiting
        other = await workers.person(temporal).start(goal_for(load(), "event_flight_invoice"))
        environment = {
            "PATH": f"{temporal_cli.parent}:{os.environ['PATH']}",
            "HOME": str(tmp_path),
            "TEMPORAL_ADDRESS": server,
        }
        printed = {}
        for command in commands():
            environment["CHAT"] = other.id if "terminate" in command else chat.id
            ours = command
            if command.startswith("for "):  # the server also has chats of other tests, whose workers are gone
                ours = command.replace("WorkflowType = 'AgentGoalWorkflow'", f"WorkflowId = '{chat.id}'")
            done = subprocess.run(
                ["sh", "-euc", ours], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60
            )
            assert (done.returncode, done.stderr) == (0, ""), command
            printed[command] = done.stdout
    assert len(printed) == 14
    waiting = next(text for command, text in printed.items() if "'deciding'" in command)
    assert chat.id in waiting
    said = next(text for command, text in printed.items() if "get_conversation_history" in command)
    assert "an event in San Francisco in March" in said
    assert '"events"' in (tmp_path / "history.json").read_text(encoding="utf-8")
    assert "an event in San Francisco" in (tmp_path / f"{chat.id}.json").read_text(encoding="utf-8")
    deleted = next(text for command, text in printed.items() if command.startswith("temporal workflow delete"))
    assert "Started batch for job ID" in deleted  # which takes half a minute here
