"""The environment and .env: what is read, and the one sentence for what cannot be used."""

import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import ValidationError

from agent.errors import SettingsError
from agent.settings import Settings, load_settings, read_environment, settings_source

ROOT = Path(__file__).resolve().parents[2]


def test_nothing_set_is_the_scripted_model_and_our_own_server() -> None:
    settings = load_settings({})
    assert (settings.llm_model, settings.temporal_address, settings.embedded_worker) == ("scripted", "", True)
    assert settings == Settings(environment={})


@pytest.mark.parametrize(
    ("name", "raw", "value"),
    [
        ("LLM_FALLBACK_MODELS", "a/b, c/d,", ("a/b", "c/d")),
        ("LLM_BASE_URL", "https://models.example/v1/", "https://models.example/v1"),
        ("LLM_TIMEOUT", "30", 30.0),
        ("LLM_MAX_TOKENS", " 512 ", 512),
        ("CHAT_BUDGET_USD", "0.50", Decimal("0.50")),
        ("SHOW_CONFIRM", "Effects", "effects"),
        ("EMBEDDED_WORKER", "off", False),
        ("TEMPORAL_ADDRESS", "temporal.example:7233", "temporal.example:7233"),
        ("STREAM_INTERVAL", "0", 0.0),
    ],
)
def test_values_are_typed(name: str, raw: str, value: object) -> None:
    assert getattr(load_settings({name: raw}), name.lower()) == value


@pytest.mark.parametrize(
    ("name", "raw", "remedy"),
    [
        ("LLM_BASE_URL", "models.example", "must begin with http:// or https://"),
        ("LLM_TIMEOUT", "soon", "must be a number from 1 to 3600"),
        ("LLM_TIMEOUT", "nan", "must be a number from 1"),
        ("LLM_MAX_TOKENS", "-1", "must be a whole number from 16"),
        ("CHAT_BUDGET_USD", "0", "must be a number above 0"),
        ("CHAT_BUDGET_USD", "Infinity", "must be a number above 0"),
        ("SHOW_CONFIRM", "maybe", "must be one of: true, effects, false"),
        ("EMBEDDED_WORKER", "maybe", "must be true or false"),
        ("TEMPORAL_ADDRESS", "http://temporal", "must be host:port"),
        ("STREAM_INTERVAL", "5", "must be a number from 0 to 4"),
    ],
)
def test_what_cannot_be_used_is_named_with_its_remedy_and_without_its_value(name: str, raw: str, remedy: str) -> None:
    with pytest.raises(SettingsError, match=remedy) as raised:
        load_settings({name: raw})
    assert str(raised.value).startswith(f"{name} ")
    assert raw not in str(raised.value).removeprefix(name).split(remedy[:10])[0]


def test_the_environment_goes_over_dotenv_and_empty_means_not_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("\ufeffLLM_MODEL=openai/a\nLLM_TIMEOUT=5\nLLM_MAX_TOKENS=\n", encoding="utf-8")
    monkeypatch.setenv("LLM_MODEL", "openai/b")
    monkeypatch.setenv("LLM_TIMEOUT", "")
    read = read_environment(dotenv)
    assert (read["LLM_MODEL"], read["LLM_TIMEOUT"]) == ("openai/b", "5")
    assert "LLM_MAX_TOKENS" not in read


def test_dotenv_is_read_beside_the_project_whatever_the_working_directory(tmp_path: Path) -> None:
    code = "from agent.settings import dotenv_path; print(dotenv_path())"
    environment = {name: value for name, value in os.environ.items() if name != "STEADFAST_ENV_FILE"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment | {"PYTHONPATH": str(ROOT)}, capture_output=True
    )
    assert done.stdout.decode().strip() == str(ROOT / ".env")


def test_another_dotenv_can_be_named_and_the_one_that_was_read_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dotenv = tmp_path / "other.env"
    monkeypatch.setenv("STEADFAST_ENV_FILE", str(dotenv))
    assert settings_source() == f"Settings: the environment; no {dotenv}"
    dotenv.write_text("LLM_MAX_TOKENS=512\n", encoding="utf-8")
    assert settings_source() == f"Settings: the environment and {dotenv}"
    assert load_settings().llm_max_tokens == 512


def test_settings_cannot_be_changed() -> None:
    settings = load_settings({"LLM_MODEL": "openai/a"})
    with pytest.raises(ValidationError, match="frozen"):
        settings.llm_model = "openai/b"  # type: ignore[misc]
    with pytest.raises(TypeError):
        settings.environment["LLM_MODEL"] = "openai/b"  # type: ignore[index]


def test_settings_by_name_read_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLM_MODEL", "openai/b")
    assert Settings(temporal_task_queue="mine").llm_model == "scripted"


def test_a_variable_named_environment_is_nothing_special() -> None:
    assert load_settings({"ENVIRONMENT": "production"}).environment == {"ENVIRONMENT": "production"}


def test_a_dotenv_that_is_no_text_is_named(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_bytes(b"LLM_MODEL=\xff\xfe\x00")
    with pytest.raises(SettingsError, match="cannot be read as UTF-8"):
        read_environment(dotenv)


def test_no_key_is_in_the_representation() -> None:
    settings = load_settings({"LLM_KEY": "sk-very-secret", "STRIPE_API_KEY": "sk_test_secret"})
    assert "secret" not in repr(settings)
