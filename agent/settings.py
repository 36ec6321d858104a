"""The environment and .env, read once. Each variable is one field below: its name, type, default and sentence.

To add a variable, add a field and run `python -m tests.reference`, which writes docs/settings.md and .env.example.
Errors name the variable and the remedy, never the value: it may be a key.
"""

import os
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal, get_args

from dotenv import dotenv_values
from platformdirs import user_data_path
from pydantic import AfterValidator, BeforeValidator, Field, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    InitSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from agent.errors import SettingsError
from agent.payload_keys import PayloadKey, read_keys
from agent.profile import profile_address

SCRIPTED = "scripted"
OWNER_TOKEN = "owner-token"  # noqa: S105 - its name
"""The file in the home directory with the token of the page's owner (agent/page/access.py, which imports nothing)."""

DOTENV = Path(__file__).resolve().parents[1] / ".env"
ENV_FILE = "STEADFAST_ENV_FILE"


def _split(value: Any) -> Any:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _url(value: str) -> str:
    if value and not value.startswith(("http://", "https://")):
        raise ValueError("must begin with http:// or https://")
    return value.rstrip("/")


def _payload_keys(value: Any) -> Any:
    return read_keys(value) if isinstance(value, str) else value


def _address(value: str) -> str:
    host, _, port = value.rpartition(":")
    if value and not (host and port.isdecimal() and 0 < int(port) < 65536):
        raise ValueError("must be host:port, such as localhost:7233")
    return value


Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
PayloadKeys = Annotated[tuple[PayloadKey, ...], NoDecode, BeforeValidator(_payload_keys)]
Url = Annotated[str, AfterValidator(_url)]
Address = Annotated[str, AfterValidator(_address)]


class Settings(BaseSettings):
    """What the environment says. `Settings()` is the defaults; `load_settings()` reads the process's environment."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    llm_model: str = Field(
        SCRIPTED, description="any LiteLLM model, such as `openai/gpt-4o`; not set: the offline demo model"
    )
    llm_key: str = Field(
        "",
        repr=False,
        description="the key for LLM_MODEL (LiteLLM's own variables, such as `OPENAI_API_KEY`, work too)",
    )
    llm_base_url: Url = Field("", description="where LLM_MODEL is served, if not at its provider's usual address")
    llm_fallback_models: Names = Field(
        (), description="models to try next, separated by commas; their keys are LiteLLM's own variables"
    )
    llm_models: Names = Field((), description="models a person may pick in the page, separated by commas")
    llm_timeout: float = Field(120, ge=1, le=3600, description="total timeout per reply, in seconds")
    llm_max_tokens: int = Field(2048, ge=16, le=200_000, description="the longest reply to ask of the model, in tokens")
    llm_context_tokens: int = Field(
        4000,
        ge=500,
        le=1_000_000,
        description="how much of the chat is sent to the model besides the summary, in tokens",
    )
    guardrail_model: str = Field(
        "", description="a second model that checks independently whether a message fits the goal"
    )
    chat_budget_usd: Decimal | None = Field(
        None, gt=0, description="what one chat may cost before it asks whether to go on, in US dollars"
    )
    chat_budget_tokens: int | None = Field(
        None, ge=1, le=1_000_000_000, description="the same in tokens, for models whose price is unknown"
    )
    daily_budget_usd: Decimal | None = Field(
        None, gt=0, description="what all chats together may cost a day (UTC), in US dollars"
    )
    daily_budget_tokens: int | None = Field(
        None, ge=1, le=1_000_000_000_000, description="the same in tokens, for models whose price is unknown"
    )
    visitor_budget_usd: Decimal | None = Field(
        None, gt=0, description="what the chats of one visitor may cost a day (UTC), in US dollars; not of the owner"
    )
    visitor_budget_tokens: int | None = Field(
        None, ge=1, le=1_000_000_000_000, description="the same in tokens, for models whose price is unknown"
    )
    messages_per_minute: int | None = Field(
        None, ge=1, le=10_000, description="how many messages one visitor may send a minute; not the owner"
    )
    stream_interval: float = Field(
        0.1,
        ge=0,
        le=4,
        description="how often a growing reply is reported, in seconds; 0: not at all (Temporal Cloud bills each report)",
    )
    show_confirm: Annotated[Literal["true", "effects", "false"], BeforeValidator(_lower)] = Field(
        "true", description="`true`: every tool asks first; `effects`: only those that change something; `false`: none"
    )
    temporal_address: Address = Field(
        "",
        description="the Temporal server, host:port; not set: that of a temporal.toml, else one on localhost:7233, else an embedded one",
    )
    temporal_ui_url: Url = Field(
        "",
        description="where the owner's browser reaches Temporal's Web UI; not set: the embedded one, from this machine only",
    )
    temporal_task_queue: str = Field("agent-task-queue", description="the task queue that pages and workers share")
    payload_keys: PayloadKeys = Field(
        (),
        repr=False,
        description="encrypts what Temporal stores: `id:key` pairs separated by commas, the newest first, then those that old chats still need; `python -m agent.payload_keys` makes one (docs/security.md)",
    )
    temporal_cli_path: str = Field(
        "", description="the `temporal` program that starts the embedded server, if not the one on PATH"
    )
    open_chats: bool = Field(
        False, description="`true`: the address of a chat opens it for everybody, not only for whom it belongs to"
    )
    page_secret: str = Field(
        "",
        repr=False,
        description="signs visitors' cookies and links; not set: a random secret in STEADFAST_HOME. Set it, the same for all, where several pages serve one app or the disk is forgotten; at least 32 random characters",
    )
    page_url: Url = Field("", description="where others reach the page, for the links in notifications")
    notify_urls: Names = Field(
        (),
        repr=False,
        description="whom to tell of a proposal that waits: URLs of Apprise (`mailto://…`, `slack://…`), separated by commas",
    )
    notify_after: float = Field(
        300, ge=1, le=30 * 24 * 3600, description="how long a proposal waits before NOTIFY_URLS are told, in seconds"
    )
    embedded_worker: bool = Field(True, description="`off`: the page starts no worker; run `python worker.py` yourself")
    break_it: bool = Field(
        True, description="`off`: the page's owner is not offered to kill the worker or the server, or to cut the model"
    )
    worker_grace: float = Field(
        30,
        ge=0,
        le=3600,
        description="how long a worker that is stopped or restarted may finish what is under way, in seconds",
    )
    health_address: Address = Field(
        "",
        description="where a worker answers `/healthz` and `/readyz`, host:port; not set: nowhere (the page answers at its own port)",
    )
    otel_exporter_otlp_endpoint: Url = Field(
        "",
        description="an OpenTelemetry collector, such as `http://localhost:4318`, for traces and, without METRICS_ADDRESS, metrics; OpenTelemetry's other variables work too",
    )
    otel_instrumentation_genai_capture_message_content: bool = Field(
        False, description="`true`: traces also hold what people, models and tools said"
    )
    metrics_address: Address = Field(
        "", description="where a worker answers Prometheus with its metrics, host:port; not set: nowhere"
    )
    log_format: Annotated[Literal["text", "json"], BeforeValidator(_lower)] = Field(
        "text", description="`text`: log lines for people; `json`: one JSON object a line, for a log collector"
    )
    log_level: Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(_lower)] = Field(
        "info", description="the least important lines that page and worker log: `debug`, `info`, `warning` or `error`"
    )
    steadfast_home: str = Field(
        "",
        description="where the embedded server's database, downloads and logs live; not set: the user's data directory",
    )
    steadfast_env_file: str = Field(
        "", description="the file to read instead of `.env` beside pyproject.toml (only in the environment)"
    )
    environment: Annotated[Mapping[str, str], AfterValidator(MappingProxyType)] = Field(
        {}, validate_default=True, repr=False
    )
    """All variables that are set, also those above, for the libraries and tools that read their own."""

    @property
    def home(self) -> Path:
        """The directory of everything we keep: databases, the server's binary, locks and logs."""
        return Path(self.steadfast_home).expanduser() if self.steadfast_home else user_data_path("steadfast")

    @property
    def signing_key(self) -> str:
        """Signs the links to chats: PAGE_SECRET, else the owner's token of a page on this machine; "" without one."""
        try:
            return self.page_secret or (self.home / OWNER_TOKEN).read_text(encoding="ascii").strip()
        except (OSError, ValueError):
            return ""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What is given by name goes over `environment`; nothing else is read, so a test's settings are its own."""
        assert isinstance(init_settings, InitSettingsSource)
        return init_settings, _Given(settings_cls, init_settings.init_kwargs.get("environment", {}))


class _Given(EnvSettingsSource):
    """Reads the fields from a mapping; what is empty or blank counts as not set."""

    def __init__(self, settings_cls: type[BaseSettings], environment: Mapping[str, str]) -> None:
        super().__init__(settings_cls)
        self.env_vars = {name.lower(): value.strip() for name, value in environment.items() if value.strip()}
        self.env_vars.pop("environment", None)


def dotenv_path() -> Path:
    """The .env beside pyproject.toml, whatever the working directory, or what STEADFAST_ENV_FILE names."""
    return Path(os.environ.get(ENV_FILE) or DOTENV).expanduser()


def settings_source() -> str:
    """Where the settings come from, in one sentence for the terminal."""
    path = dotenv_path()
    return f"Settings: the environment and {path}" if path.is_file() else f"Settings: the environment; no {path}"


def read_environment(dotenv: Path | None = None) -> dict[str, str]:
    """The process's environment over the lines of .env; a variable that is set and empty counts as not set."""
    path = dotenv or dotenv_path()
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
    try:
        settings = Settings(environment=environment)
        if not settings.temporal_address and (address := profile_address(environment)):
            settings = Settings(environment=environment, temporal_address=address)
        return settings
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        allowed = accepts(Settings.model_fields[name])
        wrong = f"must be {allowed}" if allowed else first["msg"].removeprefix("Value error, ")
        raise SettingsError(
            f"{name.upper()} {wrong}. Change it in the environment or in .env, then start again."
        ) from None


def accepts(field: FieldInfo) -> str:
    """The values that a field takes, in words; "" where it is text, which its own validator judges."""
    kinds = get_args(field.annotation) or (field.annotation,)
    if bool in kinds:
        return "true or false"
    if all(isinstance(kind, str) for kind in kinds):
        return f"one of: {', '.join(kinds)}"
    if not {int, float, Decimal} & set(kinds):
        return ""
    lowest, highest, above = (
        next((getattr(bound, name) for bound in field.metadata if hasattr(bound, name)), None)
        for name in ("ge", "le", "gt")
    )
    number = "a whole number" if int in kinds else "a number"
    return f"{number} above {above}" if lowest is None else f"{number} from {lowest} to {highest}"
