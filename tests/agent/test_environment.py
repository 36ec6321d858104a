"""From nothing to an environment, in a copy of the project that needs no packages."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone whose environment has been made once."""
    project = tmp_path_factory.mktemp("clone")
    (project / "agent").mkdir()
    for name in ("__init__.py", "environment.py"):
        shutil.copy(ROOT / "agent" / name, project / "agent" / name)
    (project / "requirements.txt").write_text("# nothing\n")
    done = prepare(project)
    assert done.returncode == 0, done.stderr
    assert "Creating a Python environment in .venv" in done.stdout
    return project


def prepare(project: Path, requirements: str = "requirements.txt") -> subprocess.CompletedProcess[str]:
    code = f"from agent.environment import become, prepare; prepare({requirements!r}); become('-c', 'print(6 * 7)')"
    return subprocess.run([sys.executable, "-c", code], cwd=project, capture_output=True, text=True, check=False)


def test_what_is_installed_already_is_used_at_once(clone: Path) -> None:
    done = prepare(clone)
    assert (done.returncode, done.stdout) == (0, "42\n")


def test_changed_requirements_are_installed_again(clone: Path) -> None:
    (clone / "requirements.txt").write_text("# still nothing\n")
    done = prepare(clone)
    assert done.stdout.startswith("Installing the packages of requirements.txt")
    assert done.stdout.endswith("42\n")


def test_an_environment_whose_creation_was_interrupted_is_created_again(clone: Path) -> None:
    shutil.rmtree(next((clone / ".venv").glob("[Ll]ib*/**/site-packages/pip")))
    (clone / ".venv" / "installed-requirements.txt").unlink()
    done = prepare(clone)
    assert "Creating a Python environment" in done.stdout
    assert done.stdout.endswith("42\n")


def test_packages_that_cannot_be_installed_are_one_sentence_and_tried_again(clone: Path) -> None:
    (clone / "broken.txt").write_text("./no-such-package\n")
    for _ in range(2):
        done = prepare(clone, "broken.txt")
        assert done.returncode == 1
        assert "pip could not install broken.txt; its output is above." in done.stderr
