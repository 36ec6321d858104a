"""TLS and keys: checked before we connect, and explained when a server refuses them. Each cause has its sentence."""

import asyncio
import re
import socket
import ssl
from datetime import UTC, datetime
from typing import Any

from temporalio.api.errordetails.v1 import NamespaceNotFoundFailure
from temporalio.service import ConnectConfig, RPCError, RPCStatusCode, TLSConfig

from agent.errors import SettingsError

HANDSHAKE_TIMEOUT = 3.0

_CERT, _KEY = "TEMPORAL_TLS_CLIENT_CERT_PATH", "TEMPORAL_TLS_CLIENT_KEY_PATH"
_SERVER_TLS = (
    (r"UnknownIssuer|BadSignature", "has a certificate of a CA that is not trusted here. Set "
     "TEMPORAL_TLS_SERVER_CA_CERT_PATH to that CA's certificate."),
    (r"InvalidCertificate\(Expired", "has a certificate that has expired. Renew it there, or correct this machine's "
     "clock."),
    (r"InvalidCertificate\(NotValidYet", "has a certificate that is not valid yet. Correct this machine's clock."),
    (r"NotValidForName", "has a certificate for another name. Correct the address, or set TEMPORAL_TLS_SERVER_NAME to "
     "the name in the certificate."),
    (r"InvalidCertificate", "has a certificate that is not valid. Correct it there."),
    (r"InvalidContentType|InvalidMessage", "does not speak TLS, but TLS is configured. Correct the address, or remove "
     "TEMPORAL_TLS, TEMPORAL_TLS_* and TEMPORAL_API_KEY."),
)  # fmt: skip
_REFUSED_KEY = re.compile(r"\b40[13] (?:Unauthorized|Forbidden)|code: (?:Unauthenticated|PermissionDenied)")


def check_client_certificate(tls: TLSConfig) -> None:
    """Raise SettingsError where the client certificate cannot work, whatever the server says."""
    if tls.client_cert is None and tls.client_private_key is None:
        return
    if tls.client_private_key is None:
        raise SettingsError(f"There is a client certificate without its key. Set {_KEY} besides {_CERT}.")
    if tls.client_cert is None:
        raise SettingsError(f"There is a client key without its certificate. Set {_CERT} besides {_KEY}.")
    from cryptography import x509  # not where there is no client certificate: it takes time to import
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

    try:
        certificate = x509.load_pem_x509_certificates(tls.client_cert)[0]
    except ValueError:
        raise SettingsError(f"The client certificate is not a PEM certificate. Correct {_CERT}.") from None
    try:
        key: Any = load_pem_private_key(tls.client_private_key, None)
    except (ValueError, TypeError):
        raise SettingsError(f"The client key is not a PEM key without a password. Correct {_KEY}.") from None
    form = Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    if key.public_key().public_bytes(*form) != certificate.public_key().public_bytes(*form):
        raise SettingsError(f"The client key does not belong to the client certificate. Correct {_CERT} or {_KEY}.")
    if certificate.not_valid_after_utc < datetime.now(UTC):
        raise SettingsError(
            f"The client certificate expired on {certificate.not_valid_after_utc:%d %B %Y}. Renew it, and set {_CERT}."
        )


async def explain_failed_connection(error: Exception, config: ConnectConfig) -> str:
    """Why no connection came about, and what to do; "" where the server just does not answer."""
    text, server = str(error), f"The Temporal server at {config.target_host}"
    for pattern, sentence in _SERVER_TLS:
        if re.search(pattern, text):
            return f"{server} {sentence}"
    if _REFUSED_KEY.search(text):
        return _refused_key(config)
    if "dns error" in text:
        return f"There is no host {config.target_host.rpartition(':')[0]}. Correct TEMPORAL_ADDRESS, or the network."
    if "get_system_info" in text or "AlertReceived" in text:  # the server was reached, and closed the connection
        if not config.tls:
            if await asyncio.to_thread(_speaks_tls, config.target_host):
                return f"{server} needs TLS. Set TEMPORAL_TLS=true, or the certificates or key that it asks for."
        elif isinstance(config.tls, TLSConfig) and config.tls.client_cert:
            return f"{server} refuses the client certificate. Set {_CERT} and {_KEY} to one of a CA that it trusts."
        else:
            return f"{server} refuses the connection without a client certificate. Set {_CERT} and {_KEY}."
    return ""


def explain_refusal(error: RPCError, config: ConnectConfig, namespace: str) -> str:
    """Why a server that answers refuses every call of ours, and what to do; "" for any other error."""
    if error.status in (RPCStatusCode.UNAUTHENTICATED, RPCStatusCode.PERMISSION_DENIED):
        return _refused_key(config)
    details = error.grpc_status.details if error.status == RPCStatusCode.NOT_FOUND else ()
    if any(detail.Is(NamespaceNotFoundFailure.DESCRIPTOR) for detail in details):
        return (
            f"The Temporal server at {config.target_host} has no namespace {namespace}. Correct TEMPORAL_NAMESPACE, or "
            f"create it: temporal operator namespace create --namespace {namespace}"
        )
    return ""


def _refused_key(config: ConnectConfig) -> str:
    server = f"The Temporal server at {config.target_host}"
    if config.api_key:
        return f"{server} refuses the API key. Correct TEMPORAL_API_KEY."
    return f"{server} wants an API key, or a certificate with more rights. Set TEMPORAL_API_KEY."


def _speaks_tls(address: str) -> bool:
    """Whether a TLS handshake gets an answer in TLS."""
    host, _, port = address.rpartition(":")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    try:
        with (
            socket.create_connection((host, int(port)), HANDSHAKE_TIMEOUT) as raw,
            context.wrap_socket(raw, server_hostname=host),
        ):
            return True
    except ssl.SSLError as error:
        return "ALERT" in (error.reason or "")
    except OSError:
        return False
