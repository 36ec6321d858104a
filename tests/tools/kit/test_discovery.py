import subprocess
import sys
from pathlib import Path

from tools import Toolset, load

GOOD = '''
from tools import tool

@tool(effect="read")
def good(a: str) -> str:
    """Do good."""
    return a
'''
GOAL = """
from tools import Goal

goal = Goal(name="good", title="Good", description="Do good.", tools=["Good"])
"""


def folder(tmp_path: Path, **files: str) -> Path:
    (tmp_path / "t" / "goals").mkdir(parents=True)
    for name, text in files.items():
        (tmp_path / "t" / f"{name.replace('__', '/')}.py").write_text(text)
    return tmp_path / "t"


def only_problem(found: Toolset) -> str:
    assert "Good" in found.tools
    assert len(found.problems) == 1, found.problems
    return found.problems[0]


def test_every_file_of_ours_loads(toolset: Toolset) -> None:
    assert toolset.problems == []
    assert {"FindEvents", "SearchFlights", "CreateInvoice"} <= set(toolset.tools)
    assert "event_flight_invoice" in toolset.goals


def test_one_file_adds_a_tool_and_one_a_goal(tmp_path: Path) -> None:
    found = load(folder(tmp_path, good=GOOD, goals__good=GOAL))
    assert found.problems == []
    assert list(found.tools) == ["Good"]
    assert found.goals["good"].tools == ["Good"]


def test_file_that_is_not_python_is_named_with_its_line(tmp_path: Path) -> None:
    said = only_problem(load(folder(tmp_path, good=GOOD, bad="a = 1\nif:\n")))
    assert said.startswith("t/bad.py, line 2: this is not Python")


def test_file_that_fails_is_named_with_its_line(tmp_path: Path) -> None:
    said = only_problem(load(folder(tmp_path, good=GOOD, bad="\n\nimport nothing_of_this_name\n")))
    assert said.startswith("t/bad.py, line 3: ModuleNotFoundError: No module named 'nothing_of_this_name'")


def test_file_that_exits_is_named(tmp_path: Path) -> None:
    assert "line 1: SystemExit" in only_problem(load(folder(tmp_path, good=GOOD, bad="raise SystemExit(1)")))


def test_tool_without_types_is_named_with_its_line(tmp_path: Path) -> None:
    bad = GOOD.replace("a: str", "a").replace("good", "bad")
    assert only_problem(load(folder(tmp_path, good=GOOD, bad=bad))).startswith(
        "t/bad.py, line 4: the argument a of Bad needs a type."
    )


def test_tool_with_a_name_of_the_agents_own_is_named(tmp_path: Path) -> None:
    said = only_problem(load(folder(tmp_path, good=GOOD, bad=GOOD.replace("good", "switch_goal"))))
    assert "line 4: the name SwitchGoal is reserved for the agent" in said


def test_second_tool_of_a_name_is_named_and_the_first_stays(tmp_path: Path) -> None:
    said = only_problem(load(folder(tmp_path, good=GOOD, other=GOOD)))
    assert said.startswith("t/other.py, line 4: there is already a tool called Good")


def test_tool_imported_by_another_file_is_no_second_one(tmp_path: Path) -> None:
    borrowing = "from tools.find_events import find_events\n" + GOOD
    found = load(folder(tmp_path, good=borrowing))
    assert (found.problems, list(found.tools)) == ([], ["Good"])


def test_underscored_file_is_no_tool(tmp_path: Path) -> None:
    assert load(folder(tmp_path, _good=GOOD)).tools == {}


def test_goal_with_an_unknown_tool_is_named_with_its_line(tmp_path: Path) -> None:
    said = only_problem(load(folder(tmp_path, good=GOOD, goals__bad=GOAL.replace('"Good"]', '"Godo"]'))))
    assert said.startswith("t/goals/bad.py, line 4: the goal good names a tool Godo")


def test_goal_with_a_server_that_says_no_way_to_it_is_named(tmp_path: Path) -> None:
    served = GOAL.replace("Goal(", 'Goal(servers=[{"name": "wiki"}], ')
    said = only_problem(load(folder(tmp_path, good=GOOD, goals__bad=served)))
    assert "the server wiki needs a command or a url, and not both" in said


def test_goal_with_an_unknown_field_is_named(tmp_path: Path) -> None:
    said = only_problem(load(folder(tmp_path, good=GOOD, goals__bad=GOAL.replace("title", "tittle"))))
    assert said.startswith("t/goals/bad.py, line 4: title: Field required; tittle: Extra inputs are not permitted.")


def test_loading_everything_imports_nothing_heavy() -> None:
    """What a tool needs to reach others is imported when it runs; and tools never import the agent."""
    heavy = ("stripe", "httpx", "mcp", "litellm", "streamlit", "temporalio", "requests", "agent")
    program = f"import sys, tools, tools.mcp; tools.load(); print([name for name in {heavy} if name in sys.modules])"
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert said.strip() == "[]"
