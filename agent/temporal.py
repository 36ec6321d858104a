"""How we meet Temporal: the connection, its data converter, and why it fails."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client, KeepAliveConfig, Plugin
from temporalio.envconfig import ClientConfig
from temporalio.runtime import Runtime
from temporalio.service import ConnectConfig, RetryConfig, RPCError, RPCStatusCode, TLSConfig

from agent.codec import data_converter
from agent.credentials import check_client_certificate, explain_failed_connection, explain_refusal
from agent.errors import ServerUnavailable, SettingsError
from agent.profile import profile_path
from agent.settings import Settings

DEFAULT_ADDRESS = "localhost:7233"
_ANCESTORS = {"TEMPORAL_TLS_CERT": "TEMPORAL_TLS_CLIENT_CERT_PATH", "TEMPORAL_TLS_KEY": "TEMPORAL_TLS_CLIENT_KEY_PATH"}
_FILES = ("TEMPORAL_TLS_CLIENT_CERT_PATH", "TEMPORAL_TLS_CLIENT_KEY_PATH", "TEMPORAL_TLS_SERVER_CA_CERT_PATH")
_RPC_TIMEOUT = timedelta(seconds=10)


def connection(settings: Settings, address: str = "") -> dict[str, Any]:
    """The arguments of Client.connect. address: the embedded server's, or the one that the settings name.

    The settings' server is met as TEMPORAL_* variables say (with TEMPORAL_ADDRESS), or as the profile of temporal.toml
    says with variables over it. Neither is for an embedded server or one on localhost: no TLS, no key.
    """
    if not settings.temporal_address or (address and address != settings.temporal_address):
        namespace = settings.environment.get("TEMPORAL_NAMESPACE", "default")
        return {"target_host": address or DEFAULT_ADDRESS, "namespace": namespace, "tls": False}
    environment = dict(settings.environment)
    for old, new in _ANCESTORS.items():
        if old in environment:
            environment.setdefault(new, environment[old])
    for name in _FILES:
        _check_readable(name, environment)
    by_variables = "TEMPORAL_ADDRESS" in environment and "TEMPORAL_PROFILE" not in environment
    path = None if by_variables else profile_path(environment)
    try:
        config = ClientConfig.load_client_connect_config(
            config_file=str(path) if path else None, disable_file=path is None, override_env_vars=environment
        )
    except FileNotFoundError as error:
        raise SettingsError(f"{path} names {error.filename}, which is no file. Correct it.") from None
    except Exception:  # the library raises bare RuntimeErrors; its text may quote a key
        raise SettingsError(
            "The TEMPORAL_* variables cannot be used together. Check them against Temporal's environment configuration."
        ) from None
    arguments: dict[str, Any] = {"target_host": settings.temporal_address, **config}
    if isinstance(tls := arguments.get("tls"), TLSConfig):
        check_client_certificate(tls)
    return arguments


def _check_readable(name: str, environment: Mapping[str, str]) -> None:
    if name in environment and not Path(environment[name]).expanduser().is_file():
        raise SettingsError(f"{name} names no file. Give the path of a PEM file, or remove the variable.")


async def connect(
    settings: Settings,
    address: str = "",
    *,
    lazy: bool = False,
    runtime: Runtime | None = None,
    plugins: Sequence[Plugin] = (),
) -> Client:
    """A client. lazy: no I/O until its first call. Raises ServerUnavailable, SettingsError."""
    arguments = connection(settings, address)
    try:
        client = await Client.connect(
            **arguments,
            data_converter=data_converter(settings.payload_keys),
            lazy=lazy,
            runtime=runtime,
            plugins=plugins,
            retry_config=RetryConfig(max_retries=3),
            keep_alive_config=KeepAliveConfig(interval_millis=10_000, timeout_millis=5_000),
        )
        if not lazy:
            await check_namespace(client)
    except RuntimeError as error:
        described = ConnectConfig(arguments["target_host"], arguments.get("api_key"), arguments.get("tls"))
        raise ServerUnavailable(await explain_failed_connection(error, described) or _silent(described)) from None
    return client


async def check_namespace(client: Client) -> None:
    """Raises ServerUnavailable unless the server answers and has our namespace. Costs no Action."""
    request = DescribeNamespaceRequest(namespace=client.namespace)
    try:
        await client.workflow_service.describe_namespace(request, timeout=_RPC_TIMEOUT)
    except RPCError as error:
        if error.status == RPCStatusCode.UNIMPLEMENTED:
            return
        config = client.service_client.config
        raise ServerUnavailable(explain_refusal(error, config, client.namespace) or _silent(config)) from None


def _silent(config: ConnectConfig) -> str:
    return f"The Temporal server at {config.target_host} does not answer. Start it, or check TEMPORAL_ADDRESS."
