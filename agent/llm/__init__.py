"""The model: the only place that knows LiteLLM, which is imported where a real model is named. Calls, failures, prices."""

from agent.demo import DemoModel
from agent.llm.chain import Candidate, Chain
from agent.model import Model
from agent.settings import SCRIPTED, Settings


def build_model(settings: Settings) -> Model:
    """The model of the settings; raises SettingsError naming the variable that cannot be used."""
    fallbacks = [_candidate(name, "LLM_FALLBACK_MODELS", settings) for name in settings.llm_fallback_models]
    picks = [_candidate(name, "LLM_MODELS", settings) for name in settings.llm_models]
    first = _candidate(settings.llm_model, "LLM_MODEL", settings)
    return Chain([first, *fallbacks], picks, timeout=settings.llm_timeout)


def build_guard(settings: Settings) -> Model | None:
    """The model of GUARDRAIL_MODEL, which alone is asked whether words fit the goal; None when there is none."""
    if not settings.guardrail_model:
        return None
    return Chain([_candidate(settings.guardrail_model, "GUARDRAIL_MODEL", settings)], timeout=settings.llm_timeout)


def _candidate(name: str, variable: str, settings: Settings) -> Candidate:
    if name == SCRIPTED:
        return Candidate(name, DemoModel())
    from agent.llm import endpoints  # imports LiteLLM: seconds and 180 MB, for nothing where no real model is named
    from agent.llm.call import LiteLLMModel

    endpoints.export(settings)
    endpoint = endpoints.named(name, variable, settings)
    return Candidate(name, LiteLLMModel(endpoint, settings.llm_max_tokens, settings.llm_timeout))
