"""README's own text adds a tool and a goal: what it shows is what works."""

import re
from pathlib import Path

import pytest

from tests.demo.harness import Chat
from tools import ToolContext, ToolError, Toolset, load

README = Path(__file__).resolve().parents[2] / "README.md"


@pytest.fixture
def built(tmp_path: Path) -> Toolset:
    """The files of README, each written where README says."""
    text = README.read_text(encoding="utf-8")
    files = re.findall(r"<!-- file: (tools/\S+\.py) -->\n```python\n(.*?)```", text, re.DOTALL)
    assert [name for name, _ in files] == ["tools/convert_money.py", "tools/goals/travel_money.py"]
    for name, source in files:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source, encoding="utf-8")
    return load(tmp_path / "tools")


async def test_readmes_files_are_all_it_takes_for_a_tool_and_a_goal(built: Toolset) -> None:
    assert built.problems == []
    assert list(built.tools) == ["ConvertMoney"]
    assert list(built.goals) == ["travel_money"]
    tool = built.tools["ConvertMoney"]
    assert tool.parameters["properties"]["source"]["enum"] == ["USD", "EUR", "CAD", "MXN"]
    asked = {"amount": "20", "source": "eur", "target": "USD"}
    assert (await tool.run(asked, ToolContext("chat/1"))).result == {"USD": "21.80"}
    with pytest.raises(ToolError, match="20 EUR are EUR already"):
        await tool.run(asked | {"target": "EUR"}, ToolContext("chat/1"))


async def test_readmes_goal_plays_to_its_end(built: Toolset, tmp_path: Path) -> None:
    chat = Chat(built, "travel_money", home=tmp_path)
    await chat.play("20 please", "EUR", "into USD")
    assert chat.finished
    assert chat.ran == [("ConvertMoney", {"amount": "20", "source": "EUR", "target": "USD"})]
