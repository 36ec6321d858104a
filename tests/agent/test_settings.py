"""The environment and .env: what is read, and the one sentence for what cannot be used."""

from decimal import Decimal
from pathlib import Path

import pytest

from agent.errors import SettingsError
from agent.settings import VARIABLES, Settings, load_settings, read_environment
from agent.temporal import connection


def test_nothing_set_is_the_scripted_model_and_our_own_server() -> None:
    settings = load_settings({})
    assert (settings.llm_model, settings.temporal_address, settings.embedded_worker) == ("scripted", "", True)
    assert settings == Settings(environment={})


def test_every_field_is_a_documented_variable() -> None:
    assert {variable.name.lower() for variable in VARIABLES} == set(Settings.__dataclass_fields__) - {"environment"}


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
        ("LLM_TIMEOUT", "soon", "must be a number of seconds from 1 to 3600"),
        ("LLM_TIMEOUT", "nan", "must be a number of seconds"),
        ("LLM_MAX_TOKENS", "-1", "must be a whole number from 16"),
        ("CHAT_BUDGET_USD", "0", "must be an amount of US dollars above 0"),
        ("CHAT_BUDGET_USD", "Infinity", "must be an amount"),
        ("SHOW_CONFIRM", "maybe", "must be one of: true, effects, false"),
        ("EMBEDDED_WORKER", "maybe", "must be true or false"),
        ("TEMPORAL_ADDRESS", "http://temporal", "must be host:port"),
        ("STREAM_INTERVAL", "5", "must be a number of seconds from 0 to 4"),
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


def test_a_dotenv_that_is_no_text_is_named(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_bytes(b"LLM_MODEL=\xff\xfe\x00")
    with pytest.raises(SettingsError, match="cannot be read as UTF-8"):
        read_environment(dotenv)


def test_no_key_is_in_the_representation() -> None:
    settings = load_settings({"LLM_KEY": "sk-very-secret", "STRIPE_API_KEY": "sk_test_secret"})
    assert "secret" not in repr(settings)


def test_temporals_own_variables_and_the_ancestors_are_read(tmp_path: Path) -> None:
    pem = tmp_path / "client.pem"
    pem.write_text("not a real certificate")
    tls = {"TEMPORAL_TLS_CERT": str(pem), "TEMPORAL_TLS_KEY": str(pem)}
    settings = load_settings({"TEMPORAL_ADDRESS": "cloud.example:7233", "TEMPORAL_NAMESPACE": "mine"} | tls)
    arguments = connection(settings)
    assert (arguments["target_host"], arguments["namespace"]) == ("cloud.example:7233", "mine")
    assert arguments["tls"].client_cert == b"not a real certificate"
    assert connection(settings, "127.0.0.1:1")["target_host"] == "127.0.0.1:1"
    assert connection(Settings())["target_host"] == "localhost:7233"


def test_a_certificate_that_is_not_there_is_named() -> None:
    with pytest.raises(SettingsError, match="TEMPORAL_TLS_CLIENT_CERT_PATH names no file"):
        connection(load_settings({"TEMPORAL_TLS_CERT": "/nowhere/client.pem"}))
