"""`python -m agent.llm "hello"`: does the configured model answer? If not, what is wrong, in one sentence."""

import argparse
import asyncio
import sys
from collections.abc import Sequence

from agent.errors import ModelError, SettingsError
from agent.llm import build_model
from agent.messages import ModelUse
from agent.model import ModelRequest
from agent.settings import load_settings

_SYSTEM = "You are tried out by the person who configured you. Answer in one or two sentences."


def main(arguments: Sequence[str] | None = None) -> int:
    """0: it answered; 1: it did not, or the settings cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m agent.llm", description="Try the configured model.")
    parser.add_argument("text", nargs="?", default="hello", help="what to say to it")
    parser.add_argument("--model", default="", help="one of LLM_MODELS or LLM_FALLBACK_MODELS, instead of LLM_MODEL")
    options = parser.parse_args(arguments)
    try:
        asyncio.run(_try(options.text, options.model))
    except (SettingsError, ModelError) as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


async def _try(text: str, model: str) -> None:
    settings = load_settings()
    shown = 0

    def show(so_far: str) -> None:
        nonlocal shown
        print(so_far[shown:], end="", flush=True)  # noqa: T201
        shown = len(so_far)

    messages = [{"role": "system", "content": _SYSTEM}, {"role": "user", "content": text}]
    reply = await build_model(settings).reply(ModelRequest(messages, model=model), show)
    print(f"\n\n{described(reply.use)}")  # noqa: T201


def described(use: ModelUse) -> str:
    """A line about one call: model, tokens, cost, time."""
    known = use.prompt_tokens is not None and use.completion_tokens is not None
    tokens = f"{use.prompt_tokens} + {use.completion_tokens} tokens" if known else "tokens unknown"
    cost = f"${use.cost_usd}" if use.cost_usd is not None else "price unknown"
    line = f"{use.model}: {tokens}, {cost}, {use.seconds:.2f} s"
    return f"{line}\n{use.note}" if use.note else line


if __name__ == "__main__":
    sys.exit(main())
