"""The models that the settings name: where each is served, with which key. Checked before the first call."""

import os
from dataclasses import dataclass, field, replace

from agent.errors import SettingsError
from agent.llm.library import litellm
from agent.settings import SCRIPTED, Settings


@dataclass(frozen=True)
class Endpoint:
    """One model. name: as the settings write it; model: as LiteLLM does."""

    name: str
    model: str
    provider: str
    key: str = field(default="", repr=False)
    base_url: str = ""


def first(settings: Settings) -> Endpoint:
    """LLM_MODEL with LLM_KEY and LLM_BASE_URL."""
    found = _named(settings.llm_model, "LLM_MODEL")
    found = replace(found, key=settings.llm_key, base_url=settings.llm_base_url)
    return _with_key(found, "LLM_KEY")


def _named(name: str, variable: str) -> Endpoint:
    try:
        _, provider, _, _ = litellm.get_llm_provider(model=name)
    except Exception:
        raise SettingsError(
            f"{variable} names a model of no provider that LiteLLM knows. Write provider/model, such as openai/gpt-4o "
            "or anthropic/claude-sonnet-4-5, in the environment or in .env, then start again."
        ) from None
    return Endpoint(name, name, str(provider))


def named(name: str, variable: str, settings: Settings) -> Endpoint:
    """The endpoint of a model that the variable names; raises SettingsError for one that cannot be asked."""
    return first(settings) if variable == "LLM_MODEL" else other(name, variable, settings)


def other(name: str, variable: str, settings: Settings) -> Endpoint:
    """A model of another variable: one of LLM_MODEL's provider shares its key and address, unless it is a fallback
    with a key of its own; others have LiteLLM's variables."""
    found = _named(name, variable)
    if settings.llm_model == SCRIPTED:
        return _with_key(found, "")
    main = first(settings)
    if name == main.name:
        return main
    if found.provider == main.provider and (variable != "LLM_FALLBACK_MODELS" or _missing(found)):
        return replace(found, key=main.key, base_url=main.base_url)
    return _with_key(found, "")


def _with_key(endpoint: Endpoint, variable: str) -> Endpoint:
    """A key is needed unless the model is served at an address of the person's own."""
    missing = [] if endpoint.key else _missing(endpoint)
    if not missing:
        return endpoint
    if endpoint.base_url:
        return replace(endpoint, key="none")  # servers on one's own machine ask for none; the header needs some
    names = " or ".join(([variable] if variable else []) + missing)
    raise SettingsError(
        f"{missing[0]} is not set, and {endpoint.provider} needs a key. Set {names} in the environment or in .env, "
        "then start again."
    )


def _missing(endpoint: Endpoint) -> list[str]:
    """The variables of which the provider needs one, when there is none."""
    names = litellm.validate_environment(model=endpoint.model)["missing_keys"]
    return names if all(name.endswith("_API_KEY") for name in names) else []


def export(settings: Settings) -> None:
    """LiteLLM reads its own variables from the process, and .env is not in it."""
    for name, value in settings.environment.items():
        os.environ.setdefault(name, value)
