"""The settings' models: which key and address each gets, and what is refused before the first call."""

import pytest

from agent.errors import SettingsError
from agent.llm import build_guard, build_model, endpoints
from agent.model import ModelRequest
from agent.settings import load_settings
from tests.llm.asking import HELLO


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"LLM_MODEL": "no-such-thing"}, "LLM_MODEL"),
        ({"LLM_MODEL": "nobody/model"}, "LLM_MODEL"),
        ({"LLM_MODEL": "openai/gpt-4o"}, "OPENAI_API_KEY"),
        ({"LLM_MODEL": "anthropic/claude-sonnet-4-5"}, "LLM_KEY or ANTHROPIC_API_KEY"),
        ({"LLM_FALLBACK_MODELS": "anthropic/claude-sonnet-4-5"}, "ANTHROPIC_API_KEY"),
        ({"LLM_FALLBACK_MODELS": "scripted, nobody/model"}, "LLM_FALLBACK_MODELS"),
    ],
)
def test_settings_that_cannot_work_are_refused_by_name(variables: dict[str, str], named: str) -> None:
    with pytest.raises(SettingsError, match=named):
        build_model(load_settings(variables))


@pytest.mark.parametrize(
    ("pick", "reason"),
    [("nobody/model", "LLM_MODELS names a model of no provider"), ("anthropic/claude-sonnet-4-5", "ANTHROPIC_API_KEY is not set")],
)  # fmt: skip
async def test_a_bad_pick_stops_only_itself(pick: str, reason: str, caplog: pytest.LogCaptureFixture) -> None:
    model = build_model(load_settings({"LLM_MODELS": f"scripted,{pick}"}))
    assert f"{pick} of LLM_MODELS cannot be used. {reason}" in caplog.text
    assert (await model.reply(HELLO, lambda _: None)).use.note == ""
    picked = await model.reply(ModelRequest(HELLO.messages, HELLO.tools, model=pick), lambda _: None)
    assert picked.use.model == "scripted"
    assert picked.use.note.startswith(f"{pick} cannot be used. {reason}")


def test_a_key_put_among_the_picks_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    build_model(load_settings({"LLM_MODELS": "sk-secret-4711"}))
    assert "4711" not in caplog.text
    assert "[hidden] of LLM_MODELS cannot be used." in caplog.text


def test_a_key_put_where_the_model_belongs_is_not_told() -> None:
    with pytest.raises(SettingsError) as caught:
        build_model(load_settings({"LLM_MODEL": "sk-secret-4711"}))
    assert "4711" not in str(caught.value)


def test_litellms_own_variable_serves_as_the_key() -> None:
    build_model(load_settings({"LLM_MODEL": "openai/gpt-4o", "OPENAI_API_KEY": "sk-1"}))


def test_a_server_of_ones_own_needs_no_key() -> None:
    found = endpoints.first(load_settings({"LLM_MODEL": "openai/mine", "LLM_BASE_URL": "http://127.0.0.1:9/v1"}))
    assert found.key == "none"


def test_a_pick_of_the_same_provider_shares_key_and_address() -> None:
    settings = load_settings(
        {"LLM_MODEL": "openai/a", "LLM_KEY": "k", "LLM_BASE_URL": "http://gate/v1", "LLM_MODELS": "openai/b,openai/a"}
    )
    assert [
        (one.name, one.key, one.base_url)
        for one in (endpoints.named(name, "LLM_MODELS", settings) for name in settings.llm_models)
    ] == [
        ("openai/b", "k", "http://gate/v1"),
        ("openai/a", "k", "http://gate/v1"),
    ]


def test_the_key_is_never_sent_to_another_provider() -> None:
    settings = load_settings(
        {
            "LLM_MODEL": "openai/a",
            "LLM_KEY": "k",
            "LLM_BASE_URL": "http://gate/v1",
            "LLM_FALLBACK_MODELS": "anthropic/claude-sonnet-4-5",
            "ANTHROPIC_API_KEY": "another",
        }
    )
    build_model(settings)
    fallback = endpoints.named("anthropic/claude-sonnet-4-5", "LLM_FALLBACK_MODELS", settings)
    assert (fallback.key, fallback.base_url) == ("", "")


def test_a_key_shows_in_no_repr() -> None:
    assert "k-4711" not in repr(endpoints.first(load_settings({"LLM_MODEL": "openai/a", "LLM_KEY": "k-4711"})))


def test_the_guard_is_built_where_it_is_named() -> None:
    assert build_guard(load_settings({})) is None
    assert build_guard(load_settings({"LLM_MODEL": "openai/a", "LLM_KEY": "k", "GUARDRAIL_MODEL": "openai/b"}))
    for name in ("nobody/model", "scripted"):
        with pytest.raises(SettingsError, match="GUARDRAIL_MODEL"):
            build_guard(load_settings({"GUARDRAIL_MODEL": name}))
