"""`python -m tests.reference`: write docs/settings.md and .env.example from the settings and the tools."""

import ast
import textwrap
from collections.abc import Iterator
from pathlib import Path

from pydantic.fields import FieldInfo

from agent.settings import ENV_FILE, Settings, accepts

ROOT = Path(__file__).resolve().parents[1]

_SETTINGS = """\
# Settings

<!-- Written by `python -m tests.reference`; a test compares. -->

Settings come from the environment, else from `.env` beside pyproject.toml, whatever the working directory; the terminal
and the worker's log name the file that was read. An empty variable counts as not set. A change takes effect when the
worker and the page restart: `python -m agent.local restart` restarts the embedded worker.

| variable | default | meaning |
|---|---|---|
{settings}

Keys of other providers are LiteLLM's own variables (`ANTHROPIC_API_KEY`, …). Temporal's own variables
(`TEMPORAL_NAMESPACE`, `TEMPORAL_API_KEY`, `TEMPORAL_TLS_CLIENT_CERT_PATH`, …) are read as Temporal documents them.

## Variables of the tools

| variable | meaning |
|---|---|
{tools}
"""

_EXAMPLE = """\
# Copy this file to .env and change what you need. A variable of the environment overrides the line here.
# A change takes effect when the worker and the page restart.
# Written by `python -m tests.reference`; a test compares.

{settings}
# Variables of the tools

{tools}"""


def settings_page() -> str:
    """docs/settings.md."""
    settings = [f"| `{name}` | {_default(field, '`{}`')} | {_meaning(field)} |" for name, field in _fields()]
    tools = [f"| `{name}` | {meaning} |" for name, meaning in tool_variables().items()]
    return _SETTINGS.format(settings="\n".join(settings), tools="\n".join(tools))


def example_file() -> str:
    """.env.example: each variable behind its sentence, commented out."""
    settings = [
        _lines(_meaning(field), f"{name}={_default(field, '{}')}") for name, field in _fields() if name != ENV_FILE
    ]
    tools = [_lines(meaning, f"{name}=") for name, meaning in tool_variables().items()]
    return _EXAMPLE.format(settings="\n".join(settings), tools="\n".join(tools))


def tool_variables() -> dict[str, str]:
    """Each VARIABLES = {name: sentence} of a module under tools/; read, not imported, so that no library is needed."""
    found: dict[str, str] = {}
    for path in sorted((ROOT / "tools").rglob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == ["VARIABLES"]:
                found |= ast.literal_eval(node.value)
    return found


def _fields() -> Iterator[tuple[str, FieldInfo]]:
    return ((name.upper(), field) for name, field in Settings.model_fields.items() if name != "environment")


def _meaning(field: FieldInfo) -> str:
    values = accepts(field)
    return f"{field.description}; {values}" if "number" in values else str(field.description)


def _default(field: FieldInfo, shape: str) -> str:
    value = field.default
    if value in (None, "", ()):
        return ""
    return shape.format(str(value).lower() if isinstance(value, bool) else value)


def _lines(meaning: str, line: str) -> str:
    words = textwrap.wrap(meaning[0].upper() + meaning[1:], 110)
    return "".join(f"# {part}\n" for part in words) + f"# {line}\n"


if __name__ == "__main__":
    (ROOT / "docs" / "settings.md").write_text(settings_page(), encoding="utf-8")
    (ROOT / ".env.example").write_text(example_file(), encoding="utf-8")
