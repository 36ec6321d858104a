"""`python -m agent.llm`: the first thing to run with a new key."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from agent.llm.__main__ import main
from tests.llm.asking import KEY
from tests.llm.stub import Answer, Stub

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No .env but the test's own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STEADFAST_ENV_FILE", str(tmp_path / ".env"))


def env(stub: Stub, model: str = "openai/gpt-4o") -> None:
    Path(".env").write_text(f"LLM_MODEL={model}\nLLM_KEY={KEY}\nLLM_BASE_URL={stub.openai}\n")


def test_it_streams_and_tells_model_tokens_cost_and_time(stub: Stub) -> None:
    stub.answer(Answer("Hello to you, too."))
    env(stub)
    variables = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "STEADFAST_ENV_FILE": os.environ["STEADFAST_ENV_FILE"],
    }
    command = [sys.executable, "-m", "agent.llm", "hi there"]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Hello to you, too.\n\nopenai/gpt-4o: 10 + 5 tokens, $0.000075, ")
    assert "hi there" in str(stub.requests[0].body)


def test_it_says_in_one_line_what_is_wrong(stub: Stub, capsys: pytest.CaptureFixture[str]) -> None:
    stub.answer(Answer(status=401, body={"error": {"message": f"Incorrect API key: {KEY}"}}))
    env(stub)
    assert main([]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err == "openai/gpt-4o refused the key (401). Correct the key in .env and restart the worker.\n"


def test_unusable_settings_are_told(stub: Stub, capsys: pytest.CaptureFixture[str]) -> None:
    env(stub, model="nobody/model")
    assert main(["hello"]) == 1
    assert capsys.readouterr().err.startswith("LLM_MODEL names a model of no provider")


def test_an_unknown_price_is_called_unknown(stub: Stub, capsys: pytest.CaptureFixture[str]) -> None:
    env(stub, model="openai/of-my-own")
    assert main(["hello"]) == 0
    assert "openai/of-my-own: 10 + 5 tokens, price unknown, " in capsys.readouterr().out


def test_without_settings_the_demo_model_says_that_it_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["hello"]) == 0
    assert "I am the demo model" in capsys.readouterr().out
