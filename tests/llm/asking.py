"""Models against the stub, for the tests of this directory."""

from agent.llm import build_model
from agent.model import Model, ModelRequest
from agent.settings import load_settings
from tests.llm.stub import Stub

KEY = "sk-secret-4711"
MODELS = {"openai": "openai/gpt-4o", "anthropic": "anthropic/claude-sonnet-4-5"}
FIND = {
    "type": "function",
    "function": {
        "name": "FindEvents",
        "description": "Find events.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
HELLO = ModelRequest([{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hello."}], [FIND])


def model_of(shape: str, stub: Stub, **more: str) -> Model:
    """The model of one provider's shape, served by the stub."""
    url = stub.openai if shape == "openai" else stub.anthropic
    named = {"LLM_MODEL": MODELS[shape], "LLM_BASE_URL": url, "LLM_KEY": KEY, "LLM_TIMEOUT": "10"}
    return build_model(load_settings(named | more))


def unheard(text: str) -> None:
    """For on_text where nobody listens."""
