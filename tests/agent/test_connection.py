"""Why Temporal cannot be reached: each cause has its own sentence, for the page (a lazy client) and for the worker."""

import asyncio
import shutil
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from agent.client import ChatClient
from agent.errors import ServerUnavailable, SettingsError
from agent.settings import load_settings
from agent.temporal import connect, connection
from tests.agent.tls import Authority, Pair, tls_in_front_of
from tests.workflow.harness import GOAL, wait_until

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Keys:
    """What the servers and their clients have, by what is wrong with it."""

    authority: Authority
    server: Pair
    client: Pair
    foreign: Pair


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    directory = tmp_path_factory.mktemp("keys")
    ours, others = Authority(directory, "ours"), Authority(directory, "others")
    return Keys(ours, ours.issue("server"), ours.issue("client"), others.issue("foreign"))


async def sentences(variables: dict[str, str]) -> tuple[str, str]:
    """What a page and a worker say of a server."""
    settings = load_settings(variables)
    said = []
    for lazy in (True, False):
        with pytest.raises(ServerUnavailable) as failed:
            await ChatClient(await connect(settings, lazy=lazy), settings).start(GOAL)
        said.append(str(failed.value))
    return said[0], said[1]


async def assert_said(variables: dict[str, str], sentence: str) -> None:
    page, worker = await sentences(variables)
    assert page == worker == f"The Temporal server at {variables['TEMPORAL_ADDRESS']} {sentence}"


def with_certificate(address: str, keys: Keys, pair: Pair) -> dict[str, str]:
    return {
        "TEMPORAL_ADDRESS": address,
        "TEMPORAL_TLS_SERVER_CA_CERT_PATH": str(keys.authority.certificate),
        "TEMPORAL_TLS_CLIENT_CERT_PATH": str(pair.certificate),
        "TEMPORAL_TLS_CLIENT_KEY_PATH": str(pair.key),
    }


async def test_a_server_with_tls_and_client_certificates_is_reached(server: str, keys: Keys) -> None:
    async with tls_in_front_of(server, keys.server, keys.authority.certificate) as address:
        client = await connect(load_settings(with_certificate(address, keys, keys.client)))
        assert await client.service_client.check_health()


async def test_a_server_of_an_untrusted_ca(server: str, keys: Keys) -> None:
    async with tls_in_front_of(server, keys.server) as address:
        sentence = (
            "has a certificate of a CA that is not trusted here. "
            "Set TEMPORAL_TLS_SERVER_CA_CERT_PATH to that CA's certificate."
        )
        await assert_said({"TEMPORAL_ADDRESS": address, "TEMPORAL_TLS": "true"}, sentence)
        wrong = {"TEMPORAL_TLS_SERVER_CA_CERT_PATH": str(keys.foreign.certificate)}
        await assert_said({"TEMPORAL_ADDRESS": address, **wrong}, sentence)


async def test_a_server_whose_certificate_has_expired(server: str, keys: Keys) -> None:
    async with tls_in_front_of(server, keys.authority.issue("expired-server", days=-1)) as address:
        await assert_said(
            {"TEMPORAL_ADDRESS": address, "TEMPORAL_TLS_SERVER_CA_CERT_PATH": str(keys.authority.certificate)},
            "has a certificate that has expired. Renew it there, or correct this machine's clock.",
        )


async def test_a_server_whose_certificate_is_for_another_name(server: str, keys: Keys) -> None:
    async with tls_in_front_of(server, keys.authority.issue("elsewhere", host="elsewhere.example")) as address:
        await assert_said(
            {"TEMPORAL_ADDRESS": address, "TEMPORAL_TLS_SERVER_CA_CERT_PATH": str(keys.authority.certificate)},
            "has a certificate for another name. Correct the address, or set TEMPORAL_TLS_SERVER_NAME to the name in "
            "the certificate.",
        )


async def test_a_server_that_needs_tls(server: str, keys: Keys) -> None:
    async with tls_in_front_of(server, keys.server) as address:
        await assert_said(
            {"TEMPORAL_ADDRESS": address},
            "needs TLS. Set TEMPORAL_TLS=true, or the certificates or key that it asks for.",
        )


async def test_a_server_without_tls_where_tls_is_configured(server: str) -> None:
    await assert_said(
        {"TEMPORAL_ADDRESS": server, "TEMPORAL_TLS": "true"},
        "does not speak TLS, but TLS is configured. Correct the address, or remove TEMPORAL_TLS, TEMPORAL_TLS_* and "
        "TEMPORAL_API_KEY.",
    )


async def test_a_server_that_needs_a_client_certificate(server: str, keys: Keys) -> None:
    async with tls_in_front_of(server, keys.server, keys.authority.certificate) as address:
        await assert_said(
            {"TEMPORAL_ADDRESS": address, "TEMPORAL_TLS_SERVER_CA_CERT_PATH": str(keys.authority.certificate)},
            "refuses the connection without a client certificate. Set TEMPORAL_TLS_CLIENT_CERT_PATH and "
            "TEMPORAL_TLS_CLIENT_KEY_PATH.",
        )


async def test_a_client_certificate_of_a_ca_that_the_server_does_not_trust(server: str, keys: Keys) -> None:
    async with tls_in_front_of(server, keys.server, keys.authority.certificate) as address:
        await assert_said(
            with_certificate(address, keys, keys.foreign),
            "refuses the client certificate. Set TEMPORAL_TLS_CLIENT_CERT_PATH and TEMPORAL_TLS_CLIENT_KEY_PATH to one "
            "of a CA that it trusts.",
        )


def test_a_client_certificate_that_cannot_work_is_refused_before_connecting(keys: Keys, tmp_path: Path) -> None:
    expired, text = keys.authority.issue("expired-client", days=-1), tmp_path / "text.pem"
    text.write_text("no certificate")
    day = "TEMPORAL_TLS_CLIENT_CERT_PATH", "TEMPORAL_TLS_CLIENT_KEY_PATH"
    for pair, missing, sentence in (
        (Pair(keys.client.certificate, keys.foreign.key), "", "does not belong to the client certificate"),
        (keys.client, day[1], "a client certificate without its key. Set TEMPORAL_TLS_CLIENT_KEY_PATH"),
        (keys.client, day[0], "a client key without its certificate. Set TEMPORAL_TLS_CLIENT_CERT_PATH"),
        (expired, "", "The client certificate expired on "),
        (Pair(text, keys.client.key), "", "The client certificate is not a PEM certificate"),
        (Pair(keys.client.certificate, text), "", "The client key is not a PEM key"),
    ):
        variables = with_certificate("localhost:1", keys, pair)
        variables.pop(missing, None)
        with pytest.raises(SettingsError, match=sentence):
            connection(load_settings(variables))


def test_the_ancestors_variables_of_certificates_are_read(keys: Keys) -> None:
    variables = {"TEMPORAL_TLS_CERT": str(keys.client.certificate), "TEMPORAL_TLS_KEY": str(keys.client.key)}
    arguments = connection(
        load_settings({"TEMPORAL_ADDRESS": "cloud.example:7233", "TEMPORAL_NAMESPACE": "mine"} | variables)
    )
    assert (arguments["target_host"], arguments["namespace"]) == ("cloud.example:7233", "mine")
    assert arguments["tls"].client_cert == keys.client.certificate.read_bytes()


def test_a_certificate_that_is_not_there_is_named() -> None:
    variables = {"TEMPORAL_ADDRESS": "cloud.example:7233", "TEMPORAL_TLS_CERT": "/nowhere/client.pem"}
    with pytest.raises(SettingsError, match="TEMPORAL_TLS_CLIENT_CERT_PATH names no file"):
        connection(load_settings(variables))


async def test_an_unknown_namespace(server: str) -> None:
    await assert_said(
        {"TEMPORAL_ADDRESS": server, "TEMPORAL_NAMESPACE": "nowhere"},
        "has no namespace nowhere. Correct TEMPORAL_NAMESPACE, or create it: temporal operator namespace create "
        "--namespace nowhere",
    )


async def test_an_unknown_host() -> None:
    with pytest.raises(ServerUnavailable, match=r"There is no host no-such-host\.invalid\. Correct TEMPORAL_ADDRESS"):
        await connect(load_settings({"TEMPORAL_ADDRESS": "no-such-host.invalid:7233"}))


@pytest.fixture
async def gateway(server: str, keys: Keys, tmp_path: Path) -> AsyncIterator[str]:
    """nginx with TLS in front of the server. It lets in who has the key, and answers others as Temporal Cloud does."""
    nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if nginx is None:
        pytest.skip("nginx is not installed (Debian: nginx-core)")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    temporary = "".join(
        f"{name}_temp_path {tmp_path / name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    configuration = tmp_path / "nginx.conf"
    configuration.write_text(
        f"""daemon off; pid {tmp_path}/pid; error_log {tmp_path}/log; events {{}}
        http {{ access_log off; {temporary} server {{ listen 127.0.0.1:{port} ssl http2;
        ssl_certificate {keys.server.certificate}; ssl_certificate_key {keys.server.key};
        location / {{ if ($http_authorization != "Bearer right-key") {{ return 401; }} grpc_pass grpc://{server}; }}
        error_page 401 = /refused; location /refused {{ default_type application/grpc;
        add_header grpc-status 7; add_header grpc-message "Request unauthorized."; return 204; }} }} }}"""
    )
    process = subprocess.Popen([nginx, "-c", configuration, "-p", tmp_path, "-e", tmp_path / "log"])

    def is_up() -> bool:
        with socket.socket() as trial:
            return trial.connect_ex(("127.0.0.1", port)) == 0

    try:
        await wait_until(is_up)
        yield f"localhost:{port}"
    finally:
        process.terminate()
        process.wait()


async def test_an_api_key_that_the_server_refuses(gateway: str, keys: Keys) -> None:
    variables = {"TEMPORAL_ADDRESS": gateway, "TEMPORAL_TLS_SERVER_CA_CERT_PATH": str(keys.authority.certificate)}
    right = load_settings(variables | {"TEMPORAL_API_KEY": "right-key"})
    assert await (await connect(right)).service_client.check_health()
    await assert_said(variables | {"TEMPORAL_API_KEY": "wrong-key"}, "refuses the API key. Correct TEMPORAL_API_KEY.")
    await assert_said(variables, "wants an API key, or a certificate with more rights. Set TEMPORAL_API_KEY.")


def run_worker(**variables: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "worker.py"],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "STEADFAST_ENV_FILE": "/nonexistent", **variables},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return done.returncode, done.stderr.strip().splitlines()[-1]


async def test_the_worker_process_says_why_in_one_line_and_exits(server: str, keys: Keys, tmp_path: Path) -> None:
    variables = {"TEMPORAL_ADDRESS": server, "TEMPORAL_NAMESPACE": "nowhere", "STEADFAST_HOME": str(tmp_path)}
    code, line = await asyncio.to_thread(run_worker, **variables)
    assert (code, line.split(". ")[0]) == (1, f"The Temporal server at {server} has no namespace nowhere")


@pytest.fixture
def profile(server: str, keys: Keys, tmp_path: Path) -> dict[str, str]:
    """Variables of somebody whose temporal.toml names a server with TLS that does not exist."""
    directory = tmp_path / "temporalio"
    directory.mkdir()
    (directory / "temporal.toml").write_text(
        f"""[profile.default]
address = "cloud.example:7233"
namespace = "mine"
api_key = "key-of-the-profile"
[profile.default.tls]
server_ca_cert_path = "{keys.authority.certificate}"
[profile.keyless]
namespace = "no-address"
api_key = "another"
"""
    )
    return {"XDG_CONFIG_HOME": str(tmp_path), "APPDATA": str(tmp_path)}


@pytest.mark.skipif(sys.platform == "darwin", reason="its directory hangs on HOME")
def test_a_profile_is_used_whole_and_decides_that_no_server_is_embedded(profile: dict[str, str]) -> None:
    settings = load_settings(profile)
    assert settings.temporal_address == "cloud.example:7233"
    arguments = connection(settings, settings.temporal_address)
    assert arguments == connection(settings), "the page's and the worker's are the same"
    assert (arguments["target_host"], arguments["namespace"]) == ("cloud.example:7233", "mine")
    assert arguments["api_key"] == "key-of-the-profile"
    assert arguments["tls"].server_root_ca_cert


@pytest.mark.skipif(sys.platform == "darwin", reason="its directory hangs on HOME")
def test_nothing_of_a_profile_goes_to_the_server_of_a_variable(profile: dict[str, str]) -> None:
    arguments = connection(load_settings(profile | {"TEMPORAL_ADDRESS": "localhost:7233"}))
    assert arguments == {"target_host": "localhost:7233"}


@pytest.mark.skipif(sys.platform == "darwin", reason="its directory hangs on HOME")
def test_an_embedded_server_gets_no_tls_and_no_key_from_anywhere(profile: dict[str, str]) -> None:
    settings = load_settings(profile | {"TEMPORAL_PROFILE": "keyless", "TEMPORAL_TLS": "true", "TEMPORAL_API_KEY": "k"})
    assert settings.temporal_address == "", "a profile without an address names no server"
    assert connection(settings, "127.0.0.1:1234") == {
        "target_host": "127.0.0.1:1234",
        "namespace": "default",
        "tls": False,
    }


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"TEMPORAL_CONFIG_FILE": "/nowhere.toml"}, "TEMPORAL_CONFIG_FILE names /nowhere.toml, which is no file"),
        ({"TEMPORAL_PROFILE": "mine"}, "TEMPORAL_PROFILE names mine, and there is no temporal.toml"),
    ],
)
def test_a_profile_that_is_missing_is_named(variables: dict[str, str], sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence):
        load_settings(variables)


def test_a_profile_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / "temporal.toml"
    path.write_text("[profile")
    with pytest.raises(SettingsError, match="cannot be read as Temporal's configuration"):
        load_settings({"TEMPORAL_CONFIG_FILE": str(path)})
