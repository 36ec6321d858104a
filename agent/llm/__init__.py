"""The model: the only place that knows LiteLLM, which is imported where a real model is named. Calls, failures, prices."""

import logging
from collections.abc import Callable

from agent.demo import DemoModel
from agent.errors import SettingsError
from agent.llm.chain import Candidate, Chain, UnusableModel
from agent.model import Model
from agent.settings import SCRIPTED, Settings
from tools.kit.results import redact

_logger = logging.getLogger(__name__)


Wrap = Callable[[str, Model], Model]
"""What looks on at the calls of a model of this name."""


def _bare(_: str, model: Model) -> Model:
    return model


def build_model(settings: Settings, wrap: Wrap = _bare) -> Model:
    """The model of the settings; raises SettingsError naming the variable that cannot be used."""
    first = _candidate(settings.llm_model, "LLM_MODEL", settings)
    fallbacks = [_candidate(name, "LLM_FALLBACK_MODELS", settings) for name in settings.llm_fallback_models]
    picks = [_pick(name, settings) for name in settings.llm_models]
    return Chain(_wrapped([first, *fallbacks], wrap), _wrapped(picks, wrap), timeout=settings.llm_timeout)


def _wrapped(candidates: list[Candidate], wrap: Wrap) -> list[Candidate]:
    return [Candidate(each.name, wrap(each.name, each.model)) for each in candidates]


def _pick(name: str, settings: Settings) -> Candidate:
    """One that cannot be used stops only itself: the log says so now, and the chat when somebody picks it."""
    try:
        return _candidate(name, "LLM_MODELS", settings)
    except SettingsError as error:
        told = redact(name, settings.environment)  # somebody may have put a key there
        _logger.warning("%s of LLM_MODELS cannot be used. %s", told, error)
        return Candidate(name, UnusableModel("cannot be used", str(error)))


def build_guard(settings: Settings, wrap: Wrap = _bare) -> Model | None:
    """The model of GUARDRAIL_MODEL, which alone is asked whether words fit the goal; None when there is none."""
    if not settings.guardrail_model:
        return None
    if settings.guardrail_model == SCRIPTED:
        raise SettingsError(
            "GUARDRAIL_MODEL cannot be the demo model, which checks nothing. Name a real model, or none."
        )
    guard = _candidate(settings.guardrail_model, "GUARDRAIL_MODEL", settings)
    return Chain(_wrapped([guard], wrap), timeout=settings.llm_timeout)


def _candidate(name: str, variable: str, settings: Settings) -> Candidate:
    if name == SCRIPTED:
        return Candidate(name, DemoModel(pause=0.03))
    from agent.llm import endpoints  # imports LiteLLM: seconds and 180 MB, for nothing where no real model is named
    from agent.llm.call import LiteLLMModel

    endpoints.export(settings)
    endpoint = endpoints.named(name, variable, settings)
    return Candidate(name, LiteLLMModel(endpoint, settings.llm_max_tokens, settings.llm_timeout, settings.environment))
