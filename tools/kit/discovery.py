"""Finding the tools and goals: every file is tried, and a broken one is named while the others load."""

import importlib
import importlib.util
import inspect
import sys
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

from pydantic import ValidationError

from tools.kit.define import tool_of
from tools.kit.goal import Goal
from tools.kit.tool import Tool

_OURS = Path(__file__).resolve().parent.parent


@dataclass
class Toolset:
    """What was found, by name. problems: one sentence for each file that could not be used, with its line."""

    tools: dict[str, Tool] = field(default_factory=dict)
    goals: dict[str, Goal] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def load(directory: Path | None = None) -> Toolset:
    """Every tool of directory/*.py and every goal of directory/goals/*.py; without a directory, our own."""
    root = (directory or _OURS).resolve()
    found = Toolset()
    for path in _modules(root):
        module = _import(path, root, found.problems)
        for value in list(vars(module).values()) if module else []:
            tool = tool_of(value)
            if tool is None or value.__module__ != module.__name__:  # type: ignore[union-attr]
                continue
            if tool.name in found.tools:
                line = inspect.getsourcelines(value)[1]
                found.problems.append(_problem(path, root, line, f"there is already a tool called {tool.name}"))
            else:
                found.tools[tool.name] = tool
    for path in _modules(root / "goals"):
        module = _import(path, root, found.problems)
        for value in list(vars(module).values()) if module else []:
            if not isinstance(value, Goal):
                continue
            wrong, word = _defect(value, found)
            if wrong:
                found.problems.append(_problem(path, root, _line_of(path, word), wrong))
            else:
                found.goals[value.name] = value
    return found


def _modules(directory: Path) -> list[Path]:
    return sorted(path for path in directory.glob("*.py") if not path.name.startswith("_"))


def _import(path: Path, root: Path, problems: list[str]) -> ModuleType | None:
    try:
        if root == _OURS:
            return importlib.import_module(".".join(path.relative_to(root.parent).with_suffix("").parts))
        name = f"tools_of_{abs(hash(root))}_{'_'.join(path.relative_to(root).with_suffix('').parts)}"
        spec = importlib.util.spec_from_file_location(name, path)
        if spec is None or spec.loader is None:
            raise ImportError(f"{path.name} cannot be imported")
        sys.modules[name] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        problems.append(_problem(path, root, _line(path, error), _reason(error, path)))
        return None
    return module


def _defect(goal: Goal, found: Toolset) -> tuple[str, str]:
    """What makes a goal unusable, and the word of its file that does; ("", "") when nothing does."""
    if goal.name in found.goals:
        return f"there is already a goal called {goal.name}", goal.name
    for name in goal.tools:
        if name not in found.tools:
            return f"the goal {goal.name} names a tool {name} that does not exist or could not be loaded", name
    return "", ""


def _problem(path: Path, root: Path, line: int, reason: str) -> str:
    return f"{path.relative_to(root.parent).as_posix()}, line {line}: {reason.rstrip('.')}. The other tools and goals work."


def _line(path: Path, error: BaseException) -> int:
    if isinstance(error, SyntaxError) and error.lineno and error.filename == str(path):
        return error.lineno
    frames = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename) == path]
    return (frames[-1] if frames else None) or 1


def _line_of(path: Path, word: str) -> int:
    lines = path.read_text(encoding="utf-8").splitlines()
    return next((number for number, line in enumerate(lines, 1) if f'"{word}"' in line), 1)


def _reason(error: BaseException, path: Path) -> str:
    if isinstance(error, SyntaxError):
        where = "this" if error.filename == str(path) else f"{error.filename}, line {error.lineno},"
        return f"{where} is not Python ({error.msg})"
    if isinstance(error, ValidationError):
        wrong = error.errors(include_url=False, include_input=False)
        places = [".".join(str(part) for part in detail["loc"]) for detail in wrong]
        return "; ".join(f"{place or 'it'}: {detail['msg']}" for place, detail in zip(places, wrong, strict=True))
    if isinstance(error, TypeError):
        return str(error)
    return f"{type(error).__name__}: {' '.join(str(error).split())}"
