"""How we meet Temporal: the connection, its data converter, and the one task queue."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from temporalio.client import Client, KeepAliveConfig
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.envconfig import ClientConfig
from temporalio.runtime import Runtime, TelemetryConfig
from temporalio.service import RetryConfig

from agent.errors import ServerUnavailable, SettingsError
from agent.settings import Settings

DEFAULT_ADDRESS = "localhost:7233"
_ANCESTORS = {"TEMPORAL_TLS_CERT": "TEMPORAL_TLS_CLIENT_CERT_PATH", "TEMPORAL_TLS_KEY": "TEMPORAL_TLS_CLIENT_KEY_PATH"}


def connection(settings: Settings, address: str = "") -> dict[str, Any]:
    """The arguments of Client.connect: Temporal's own variables (TEMPORAL_*), or `address` where one is given."""
    environment = dict(settings.environment)
    for old, new in _ANCESTORS.items():
        if old in environment:
            environment.setdefault(new, environment[old])
    for name in ("TEMPORAL_TLS_CLIENT_CERT_PATH", "TEMPORAL_TLS_CLIENT_KEY_PATH", "TEMPORAL_TLS_SERVER_CA_CERT_PATH"):
        _readable(name, environment)
    try:
        config = ClientConfig.load_client_connect_config(override_env_vars=environment)
    except Exception:  # the library raises bare RuntimeErrors; its text may quote a key
        raise SettingsError(
            "The TEMPORAL_* variables cannot be used together. Check them against Temporal's environment configuration."
        ) from None
    arguments: dict[str, Any] = dict(config)
    if address:
        arguments["target_host"] = address
    arguments.setdefault("target_host", DEFAULT_ADDRESS)
    return arguments


def _readable(name: str, environment: Mapping[str, str]) -> None:
    if name in environment and not Path(environment[name]).expanduser().is_file():
        raise SettingsError(f"{name} names no file. Give the path of a PEM file, or remove the variable.")


async def connect(
    settings: Settings, address: str = "", *, lazy: bool = False, runtime: Runtime | None = None
) -> Client:
    """A client. lazy: no I/O until its first call. Raises ServerUnavailable, SettingsError."""
    arguments = connection(settings, address)
    try:
        return await Client.connect(
            **arguments,
            data_converter=pydantic_data_converter,
            lazy=lazy,
            runtime=runtime,
            retry_config=RetryConfig(max_retries=3),
            keep_alive_config=KeepAliveConfig(interval_millis=10_000, timeout_millis=5_000),
        )
    except RuntimeError:
        raise ServerUnavailable(
            f"The Temporal server at {arguments['target_host']} does not answer. Start it, or check TEMPORAL_ADDRESS."
        ) from None


def heartbeating_runtime() -> Runtime:
    """A worker's runtime: it tells the server every second that it lives, which is how a page knows of a dead one."""
    return Runtime(telemetry=TelemetryConfig(), worker_heartbeat_interval=timedelta(seconds=1))
