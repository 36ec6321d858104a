"""The tools outside any chat.

python -m tools                                  list tools and goals
python -m tools FindEvents city=Austin month=May run a tool and print what it returns
python -m tools reset                            reset the mock data (balances, bookings, orders)
"""

import asyncio
import os
import sys
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

from dotenv import dotenv_values
from platformdirs import user_data_path

from tools import Tool, ToolContext, ToolError, Toolset, TryAgain, load
from tools.services.mock_data import reset

_WIDEST = 44
"""The widest column of a table, in characters."""


def main(words: Sequence[str], toolset: Toolset | None = None) -> int:
    """Run the command; 0 when it worked, 1 when a file is broken or the tool failed, 2 when the command is unknown."""
    toolset = toolset or load()
    for problem in toolset.problems:
        _say(problem, sys.stderr)
    if not words:
        _say(listing(toolset))
        return 1 if toolset.problems else 0
    name, *rest = words
    tool = next((tool for tool in toolset.tools.values() if tool.name.lower() == name.lower()), None)
    if name in ("-h", "--help"):
        _say(__doc__ or "")
        return 0
    if name == "reset" and not rest:
        reset(_home())
        _say("Mock data was reset.")
        return 0
    if tool is None:
        _say(f"There is no tool {name}. Run `python -m tools` to list the tools.", sys.stderr)
        return 2
    return _run(tool, rest)


def listing(toolset: Toolset) -> str:
    """Every tool with its arguments, every goal with its tools."""
    tools = [
        {"tool": tool.name, "effect": tool.effect, "arguments": _signature(tool), "what it does": tool.description}
        for tool in toolset.tools.values()
    ]
    goals = [
        {
            "goal": goal.name,
            "title": goal.title,
            "tools": ", ".join([*goal.tools, *(f"MCP: {server.name}" for server in goal.servers)]),
        }
        for goal in toolset.goals.values()
    ]
    return f"{table(tools)}\n\n{table(goals)}"


def as_text(result: Any) -> str:
    """A tool's result, drawn by its shape."""
    if isinstance(result, dict):
        return "\n".join(_field(name, value) for name, value in result.items())
    if isinstance(result, list):
        return (
            table(result) if result and all(isinstance(row, dict) for row in result) else "\n".join(map(_cell, result))
        )
    return _cell(result)


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Aligned columns, one for each name that any row has."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = [names, *([_cell(row.get(name)) for name in names] for row in rows)]
    widths = [min(_WIDEST, max(len(line[at]) for line in lines)) for at in range(len(names))]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join(
        "  ".join(_cut(cell, width).ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _field(name: str, value: Any) -> str:
    if isinstance(value, list) and value and all(isinstance(row, dict) for row in value):
        return f"{name}:\n{table(value)}"
    return f"{name}: {_cell(value)}"


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(_cell, value))
    if isinstance(value, dict):
        return ", ".join(f"{name} {_cell(part)}" for name, part in value.items())
    return " ".join(str(value).split())


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def _run(tool: Tool, words: Sequence[str]) -> int:
    arguments = dict(word.split("=", 1) for word in words if "=" in word)
    wrong = [word for word in words if "=" not in word]
    wrong += [name for name in arguments if name not in tool.parameters.get("properties", {})]
    if wrong:
        _say(f"{tool.name} takes {_signature(tool)}, written as name=value; {wrong[0]} is not one of them.", sys.stderr)
        return 2
    context = ToolContext(
        idempotency_key=f"command/{uuid.uuid4()}", environment=_environment(), home=_home(), report=_progress
    )
    try:
        returned = asyncio.run(tool.run(arguments, context))
    except (ToolError, TryAgain) as error:
        _say(str(error), sys.stderr)
        return 1
    _say(as_text(returned.result))
    if returned.source:
        _say(f"source: {returned.source}")
    return 0


def _signature(tool: Tool) -> str:
    required = tool.parameters.get("required", ())
    names = [name if name in required else f"[{name}]" for name in tool.parameters.get("properties", {})]
    return ", ".join(names) or "no arguments"


def _environment() -> dict[str, str]:
    """The process's environment over the lines of .env, as the worker reads them."""
    path = Path(os.environ.get("STEADFAST_ENV_FILE") or Path(__file__).resolve().parents[1] / ".env")
    kept = dotenv_values(path, encoding="utf-8-sig") if path.is_file() else {}
    return {name: value for name, value in {**kept, **os.environ}.items() if value}


def _home() -> Path:
    """Where the worker keeps the same things."""
    named = _environment().get("STEADFAST_HOME")
    return Path(named).expanduser() if named else user_data_path("steadfast")


def _progress(text: str, fraction: float | None) -> None:
    _say(text if fraction is None else f"{text} ({fraction:.0%})", sys.stderr)


def _say(text: str, stream: TextIO | None = None) -> None:
    print(text, file=stream or sys.stdout)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
