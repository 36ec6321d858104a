"""The rules of the architecture: which module may import which, what is pinned, what is generated."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import reference

ROOT = Path(__file__).resolve().parent.parent
CODE = [
    ROOT / "app.py",
    ROOT / "worker.py",
    *sorted((ROOT / "agent").rglob("*.py")),
    *sorted((ROOT / "tools").rglob("*.py")),
]
REMEDY = "Run `python -m tests.reference`, and commit what it writes."
LEAVES = {
    "agent.conversation",
    "agent.fork",
    "agent.messages",
    "agent.wire",
    "agent.window",
    "agent.text",
    "agent.links",
    "agent.visitor",
    "agent.rules",
    "agent.sentences",
    "agent.errors",
    "agent.payload_keys",
    "agent.profile",
    "agent.settings",
    "agent.model",
}


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, at its top or anywhere else, `from package import name` as package.name too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def under(module: str, *packages: str) -> bool:
    return any(module == package or module.startswith(package + ".") for package in packages)


@pytest.mark.parametrize("path", CODE, ids=name_of)
def test_imports_point_one_way(path: Path) -> None:
    me, found = name_of(path), set(imports(path))
    if under(me, *LEAVES):
        other = {m for m in found if under(m, "agent", "tools") and m != "agent" and not under(m, *LEAVES)}
        assert not {m for m in other if not under(m, "tools.kit.tool")}, f"{me} is a leaf"
    if under(me, "tools"):
        assert not {m for m in found if under(m, "agent", "app", "worker")}, "tools/ never imports agent/"
    if not (me == "app" or under(me, "agent.page")):
        assert not {m for m in found if under(m, "streamlit")}, "only app.py and agent/page import streamlit"
    if not under(me, "agent.llm"):
        assert not {m for m in found if under(m, "litellm")}, "only agent/llm imports litellm"
        if me != "worker":
            assert not {m for m in found if under(m, "agent.llm")}, "only worker.py imports agent/llm"
    if under(me, "agent.page") or me == "app":
        assert not {m for m in found if under(m, "temporalio")}, "the page meets Temporal in agent/client.py only"
    if me == "agent.workflow":
        assert not {m for m in found if under(m, "tools", "litellm", "stripe", "httpx")}, (
            "replay depends on none of them"
        )


def test_the_page_listens_before_it_imports_what_chats_need() -> None:
    """app.py imports these at once; everything else is imported while the browser loads."""
    needed = re.findall(r"^from (agent\.\S+) import", (ROOT / "app.py").read_text(encoding="utf-8"), re.MULTILINE)
    code = f"import sys, {', '.join(needed)}; print([m for m in ('agent.messages', 'temporalio') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("module", ["agent.workflow", "agent.client", "agent.local", "tools", "app"])
def test_heavy_libraries_stay_out_of_light_processes(module: str) -> None:
    heavy = "litellm", "stripe", "pandas", "openai"
    code = f"import sys, {module}; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.strip().endswith("[]"), done.stdout + done.stderr


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_pins_cover_pyproject_and_name_no_address(name: str) -> None:
    pins = (ROOT / name).read_text(encoding="utf-8")
    assert "://" not in pins
    entries = re.findall(r"^([a-z0-9][\w.-]*)(?:\[[^]]*\])?==", pins, re.MULTILINE)
    blocks = re.split(r"^(?=[a-z0-9])", pins, flags=re.MULTILINE)[1:]
    assert len(blocks) == len(entries)
    assert all("--hash=sha256:" in block for block in blocks)
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    wanted = re.findall(
        r'^    "([A-Za-z0-9-]+)(?:\[[^]]*\])?[><=!]', project.split("[tool.setuptools]")[0], re.MULTILINE
    )
    runtime = wanted[: wanted.index("pytest")]
    assert set(runtime if name == "requirements.txt" else wanted) <= set(entries)


def test_settings_page_and_env_example_are_what_the_settings_say() -> None:
    assert (ROOT / "docs" / "settings.md").read_text(encoding="utf-8") == reference.settings_page(), REMEDY
    assert (ROOT / ".env.example").read_text(encoding="utf-8") == reference.example_file(), REMEDY


def test_every_variable_that_a_tool_reads_is_documented() -> None:
    read = set()
    for path in (ROOT / "tools").rglob("*.py"):
        read |= set(re.findall(r'environment(?:\.get\(|\[)"([A-Z_]+)"', path.read_text(encoding="utf-8")))
    assert read - {"PATH"} == set(reference.tool_variables())


def test_libraries_imported_by_name_are_declared() -> None:
    """deptry sees import statements only."""
    imported = set()
    for path in CODE:
        imported |= set(re.findall(r'import_module\("(\w+)', path.read_text(encoding="utf-8")))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    declared = {re.match(r"[\w.-]+", entry)[0] for entry in project["project"]["dependencies"]}  # type: ignore[index]
    assert imported <= declared
    assert imported >= set(project["tool"]["deptry"]["per_rule_ignores"]["DEP002"]) - {"starlette"}
