"""The model: the only place that knows litellm. One call, its failures classified, its price, the scripted model."""

from agent.llm import endpoints, provider
from agent.llm.chain import Chain
from agent.model import Model
from agent.settings import Settings


def build_model(settings: Settings) -> Model:
    """The model of the settings; raises SettingsError naming the variable that cannot be used."""
    provider.register()
    endpoints.export(settings)
    return Chain(
        [endpoints.first(settings), *endpoints.fallbacks(settings)],
        endpoints.picks(settings),
        max_tokens=settings.llm_max_tokens,
        timeout=settings.llm_timeout,
    )


def build_guard(settings: Settings) -> Model | None:
    """The model of GUARDRAIL_MODEL, which alone is asked whether words fit the goal; None when there is none."""
    guard = endpoints.guard(settings)
    return Chain([guard], max_tokens=settings.llm_max_tokens, timeout=settings.llm_timeout) if guard else None
