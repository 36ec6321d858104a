"""`python -m agent.llm`: the first thing to run with a new key."""

import os
import subprocess
import sys
from pathlib import Path

from tests.llm.asking import KEY
from tests.llm.stub import Answer, Stub

ROOT = Path(__file__).parents[2]


def run(tmp_path: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(tmp_path), **variables}
    command = [sys.executable, "-m", "agent.llm", *words]
    return subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=60)


def test_it_streams_and_tells_model_tokens_cost_and_time(stub: Stub, tmp_path: Path) -> None:
    stub.answer(Answer("Hello to you, too."))
    (tmp_path / ".env").write_text(f"LLM_MODEL=openai/gpt-4o\nLLM_KEY={KEY}\nLLM_BASE_URL={stub.openai}\n")
    done = run(tmp_path, "hi there")
    assert done.returncode == 0
    assert done.stdout.startswith("Hello to you, too.\n\nopenai/gpt-4o: 10 + 5 tokens, $0.000075, ")
    assert "hi there" in str(stub.requests[0].body)
    assert KEY not in done.stdout + done.stderr


def test_it_says_in_one_sentence_what_is_wrong(stub: Stub, tmp_path: Path) -> None:
    stub.answer(Answer(status=401, body={"error": {"message": f"Incorrect API key: {KEY}"}}))
    done = run(tmp_path, LLM_MODEL="openai/gpt-4o", LLM_KEY=KEY, LLM_BASE_URL=stub.openai)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "openai/gpt-4o refused the key (401). Correct the key in .env and restart the worker.\n"


def test_unusable_settings_are_told(tmp_path: Path) -> None:
    done = run(tmp_path, LLM_MODEL="anthropic/claude-sonnet-4-5")
    assert done.returncode == 1
    assert done.stderr.startswith("ANTHROPIC_API_KEY is not set")


def test_without_settings_the_scripted_model_says_that_it_is_one(tmp_path: Path) -> None:
    done = run(tmp_path)
    assert "scripted offline model" in done.stdout
