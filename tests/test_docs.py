"""README and docs are true: their examples run, and what they name exists."""

import importlib.util
import re
from pathlib import Path

import pytest

from agent.settings import Settings
from tests import reference
from tests.demo.harness import Chat
from tools import ToolContext, ToolError, Toolset, load

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")] + sorted((ROOT / "docs").glob("*.md"))
EXAMPLES = "docs/tools-and-goals.md"

pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


@pytest.fixture
def toolset(tmp_path: Path) -> Toolset:
    """The files of the page on tools and goals, each written where the page says."""
    text = (ROOT / EXAMPLES).read_text(encoding="utf-8")
    files = re.findall(r"<!-- file: (tools/\S+\.py) -->\n```python\n(.*?)```", text, re.DOTALL)
    assert [name for name, _ in files] == ["tools/convert_money.py", "tools/goals/travel_money.py"]
    for name, source in files:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source, encoding="utf-8")
    return load(tmp_path / "tools")


async def test_the_files_of_the_page_are_all_it_takes_for_a_tool_and_a_goal(toolset: Toolset) -> None:
    assert toolset.problems == []
    assert list(toolset.tools) == ["ConvertMoney"]
    assert list(toolset.goals) == ["travel_money"]
    tool = toolset.tools["ConvertMoney"]
    assert tool.parameters["properties"]["source"]["enum"] == ["USD", "EUR", "CAD", "MXN"]
    arguments = {"amount": "20", "source": "eur", "target": "USD"}
    assert (await tool.run(arguments, ToolContext("chat/1"))).result == {"USD": "21.80"}
    with pytest.raises(ToolError, match="20 EUR are EUR already"):
        await tool.run(arguments | {"target": "EUR"}, ToolContext("chat/1"))


async def test_the_goal_of_the_page_is_reached_with_the_demo_model(toolset: Toolset, tmp_path: Path) -> None:
    chat = Chat(toolset, "travel_money", home=tmp_path)
    await chat.play("20 please", "EUR", "into USD")
    assert chat.finished
    assert chat.ran == [("ConvertMoney", {"amount": "20", "source": "EUR", "target": "USD"})]


@pages
def test_every_python_block_compiles(page: Path) -> None:
    for block in re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
        compile(re.sub(r"^   ", "", block, flags=re.MULTILINE), page.name, "exec")


@pages
def test_every_link_and_every_path_leads_to_a_file(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    links = [target for target in re.findall(r"\]\(([^)#]+)[^)]*\)", text) if "://" not in target]
    assert [target for target in links if not (page.parent / target).exists()] == []
    paths = re.findall(r"`((?:agent|tools|tests|docs)/[\w./-]+|app\.py|worker\.py)`", text)
    assert [path for path in paths if not (ROOT / path).exists()] == []


@pages
def test_every_module_that_is_to_be_run_exists(page: Path) -> None:
    for module in re.findall(r"python3? -m ([\w.]+)", page.read_text(encoding="utf-8")):
        found = importlib.util.find_spec(module)
        assert found, module
        assert not found.submodule_search_locations or importlib.util.find_spec(f"{module}.__main__"), module


@pages
def test_every_variable_is_one_that_is_read(page: Path) -> None:
    ours = {name.upper() for name in Settings.model_fields} | set(reference.tool_variables())
    theirs = re.compile(
        r"TEMPORAL_(NAMESPACE|API_KEY|TLS_\w+|PROFILE|CONFIG_FILE)|(OPENAI|ANTHROPIC)_API_KEY|STREAMLIT_\w+|OTEL_\w+"
    )
    named = set(re.findall(r"`([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)(?:=[^`]*)?`", page.read_text(encoding="utf-8")))
    assert {name for name in named - ours if not theirs.fullmatch(name)} == set()


def test_the_first_two_commands_of_readme_start_it_and_test_it() -> None:
    blocks = re.findall(r"```(\w*)\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert blocks[:2] == [("sh", "python3 -m agent\n"), ("sh", "python3 -m tests\n")]


@pages
def test_every_test_that_is_named_exists(page: Path) -> None:
    for file, name in re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", page.read_text(encoding="utf-8")):
        assert f"def {name}(" in (ROOT / file).read_text(encoding="utf-8"), name
