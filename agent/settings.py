"""The environment and .env, read once: typed, validated, every variable documented in VARIABLES.

Errors name the variable and the remedy, never the value: it may be a key.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Literal

from dotenv import dotenv_values
from platformdirs import user_data_path

from agent.errors import SettingsError

SCRIPTED = "scripted"


def _text(value: str) -> str:
    return value


def _list(value: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in value.split(",") if part.strip())


def _bool(value: str) -> bool:
    if value.lower() in ("true", "on", "yes", "1"):
        return True
    if value.lower() in ("false", "off", "no", "0"):
        return False
    raise ValueError("must be true or false")


def _choice(*allowed: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        if value.lower() not in allowed:
            raise ValueError(f"must be one of: {', '.join(allowed)}")
        return value.lower()

    return parse


def _seconds(lowest: float, highest: float) -> Callable[[str], float]:
    def parse(value: str) -> float:
        try:
            number = float(value)
        except ValueError:
            number = float("nan")
        if not lowest <= number <= highest:
            raise ValueError(f"must be a number of seconds from {lowest:g} to {highest:g}")
        return number

    return parse


def _count(lowest: int, highest: int) -> Callable[[str], int]:
    def parse(value: str) -> int:
        if not value.isdecimal() or not lowest <= int(value) <= highest:
            raise ValueError(f"must be a whole number from {lowest} to {highest}")
        return int(value)

    return parse


def _dollars(value: str) -> Decimal:
    try:
        amount = Decimal(value)
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or amount <= 0:
        raise ValueError("must be an amount of US dollars above 0, such as 0.50")
    return amount


def _url(value: str) -> str:
    if not value.startswith(("http://", "https://")):
        raise ValueError("must begin with http:// or https://")
    return value.rstrip("/")


def _address(value: str) -> str:
    host, _, port = value.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise ValueError("must be host:port, such as localhost:7233")
    return value


@dataclass(frozen=True)
class Variable:
    """One environment variable: how it is read, and what the README says of it."""

    name: str
    parse: Callable[[str], Any]
    default: Any
    meaning: str


VARIABLES: tuple[Variable, ...] = (
    Variable("LLM_MODEL", _text, SCRIPTED, "any LiteLLM model, such as `openai/gpt-4o`; not set: the scripted offline model"),
    Variable("LLM_KEY", _text, "", "the key for LLM_MODEL (LiteLLM's own variables, such as `OPENAI_API_KEY`, work too)"),
    Variable("LLM_BASE_URL", _url, "", "where LLM_MODEL is served, if not at its provider's usual address"),
    Variable("LLM_FALLBACK_MODELS", _list, (), "models to try next, separated by commas; their keys are LiteLLM's own variables"),
    Variable("LLM_MODELS", _list, (), "models a person may pick in the page, separated by commas"),
    Variable("LLM_TIMEOUT", _seconds(1, 3600), 120.0, "the longest that one reply may take in all, in seconds"),
    Variable("LLM_MAX_TOKENS", _count(16, 200_000), 2048, "the longest reply asked of the model, in tokens"),
    Variable("LLM_CONTEXT_TOKENS", _count(500, 1_000_000), 4000, "how much of the chat the model is sent besides the summary, in tokens"),
    Variable("GUARDRAIL_MODEL", _text, "", "a model that checks independently whether what was said fits the goal"),
    Variable("CHAT_BUDGET_USD", _dollars, None, "what one chat may cost before it asks whether to go on, in US dollars"),
    Variable("CHAT_BUDGET_TOKENS", _count(1, 1_000_000_000), None, "the same in tokens, for models whose price is unknown"),
    Variable("STREAM_INTERVAL", _seconds(0, 4), 0.1, "how often a growing reply is reported, in seconds; 0 = not at all (Temporal Cloud bills each report)"),
    Variable("SHOW_CONFIRM", _choice("true", "effects", "false"), "true", "`true`: every tool asks first; `effects`: only those that change something; `false`: none"),
    Variable("TEMPORAL_ADDRESS", _address, "", "the Temporal server, host:port; not set: one on localhost:7233, else one that we start"),
    Variable("TEMPORAL_TASK_QUEUE", _text, "agent-task-queue", "the task queue that pages and workers share"),
    Variable("TEMPORAL_CLI_PATH", _text, "", "the `temporal` program to start the server with, if not the one on PATH"),
    Variable("EMBEDDED_WORKER", _bool, True, "`off`: the page starts no worker; run `python worker.py` yourself"),
    Variable("STEADFAST_HOME", _text, "", "where the server's database and downloads live; not set: the user's data directory"),
)  # fmt: skip


@dataclass(frozen=True)
class Settings:
    """What the environment says. `environment` is all of it, for the libraries and tools that read variables of their own."""

    llm_model: str = SCRIPTED
    llm_key: str = field(default="", repr=False)
    llm_base_url: str = ""
    llm_fallback_models: tuple[str, ...] = ()
    llm_models: tuple[str, ...] = ()
    llm_timeout: float = 120.0
    llm_max_tokens: int = 2048
    llm_context_tokens: int = 4000
    guardrail_model: str = ""
    chat_budget_usd: Decimal | None = None
    chat_budget_tokens: int | None = None
    stream_interval: float = 0.1
    show_confirm: Literal["true", "effects", "false"] = "true"
    temporal_address: str = ""
    temporal_task_queue: str = "agent-task-queue"
    temporal_cli_path: str = ""
    embedded_worker: bool = True
    steadfast_home: str = ""
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def home(self) -> Path:
        """The directory of everything we keep: databases, the server's binary, locks and logs."""
        return Path(self.steadfast_home).expanduser() if self.steadfast_home else user_data_path("steadfast")


def read_environment(dotenv: Path | None = None) -> dict[str, str]:
    """The process's environment over the lines of .env; a variable that is set and empty counts as not set."""
    path = Path(".env") if dotenv is None else dotenv
    merged: dict[str, str] = {}
    if path.is_file():
        try:
            merged = {name: value for name, value in dotenv_values(path, encoding="utf-8-sig").items() if value}
        except (UnicodeDecodeError, OSError):
            raise SettingsError(f"{path} cannot be read as UTF-8 text. Save it as UTF-8, or delete it.") from None
    merged.update({name: value for name, value in os.environ.items() if value})
    return merged


def load_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Read and check every variable; raises SettingsError naming the first one that cannot be used."""
    environment = read_environment() if environment is None else environment
    values: dict[str, Any] = {}
    for variable in VARIABLES:
        raw = environment.get(variable.name, "").strip()
        try:
            values[variable.name.lower()] = variable.parse(raw) if raw else variable.default
        except ValueError as error:
            raise SettingsError(
                f"{variable.name} {error}. Change it in the environment or in .env, then start again."
            ) from None
    return Settings(**values, environment=environment)
