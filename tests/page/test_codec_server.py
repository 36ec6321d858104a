"""Who may have payloads decrypted: who holds the token, from a Web UI of ours. tests/e2e/test_codec_server.py uses it."""

import json
import logging
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from starlette.applications import Starlette
from starlette.testclient import TestClient
from temporalio.api.common.v1 import Payload, Payloads

from agent.codec import EncryptingCodec
from agent.local import LocalStatus
from agent.page import codec_server
from agent.page.access import Owner
from agent.page.codec_server import codec_routes, codec_token, origins
from agent.payload_keys import PayloadKey, new_key, read_keys
from agent.remote_codec import remote_codec
from agent.settings import Settings

[KEY], [OTHER] = read_keys(new_key()), read_keys(new_key())
OWNER = Owner("the owner's token")
TOKEN = codec_token(OWNER.token)
WEB_UI = "http://127.0.0.1:8233"
PLAIN = Payload(metadata={"encoding": b"json/plain"}, data=b'"a word"')
ENCRYPTED = EncryptingCodec([KEY]).encrypt(PLAIN)
UNREADABLE = EncryptingCodec([OTHER]).encrypt(PLAIN)


def as_json(*payloads: Payload) -> bytes:
    return json.dumps(MessageToDict(Payloads(payloads=payloads))).encode()


def site(*keys: PayloadKey) -> TestClient:
    app: Any = SimpleNamespace(
        ensure_started=lambda: None,
        settings=Settings(payload_keys=keys),
        owner=OWNER,
        local_status=lambda: LocalStatus(ui_url=WEB_UI),
    )
    return TestClient(Starlette(routes=codec_routes(lambda: app)), base_url="http://127.0.0.1:8501")


@pytest.fixture
def post() -> Callable[..., tuple[int, str]]:
    client = site(KEY)

    def send(path: str, body: bytes, **headers: str) -> tuple[int, str]:
        answer = client.post(path, content=body, headers=headers)
        return answer.status_code, answer.text

    return send


@pytest.mark.parametrize("way", ["in the address", "as a header"])
def test_who_holds_the_token_reads_and_writes(post: Callable[..., tuple[int, str]], way: str) -> None:
    base = f"/codec/{TOKEN}" if way == "in the address" else "/codec"
    headers = {} if way == "in the address" else {"authorization": f"Bearer {TOKEN}"}
    status, answer = post(f"{base}/decode", as_json(ENCRYPTED, PLAIN, UNREADABLE), **headers)
    assert status == 200
    assert json.loads(answer) == json.loads(as_json(PLAIN, PLAIN, UNREADABLE)), "what cannot be read hides nothing else"
    status, answer = post(f"{base}/encode", as_json(PLAIN), **headers)
    assert json.loads(post(f"{base}/decode", answer.encode(), **headers)[1]) == json.loads(as_json(PLAIN))
    assert json.loads(answer) != json.loads(as_json(PLAIN))


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/codec/decode", {}),
        ("/codec/wrong/decode", {}),
        ("/codec/decode", {"authorization": "Bearer wrong"}),
        ("/codec/decode", {"authorization": "Bearer the owner's token"}),
        ("/codec/decode", {"cookie": f"steadfast_owner={TOKEN}"}),
        ("/codec/decode", {"authorization": ""}),
    ],
)
def test_nobody_else_does(post: Callable[..., tuple[int, str]], path: str, headers: dict[str, str]) -> None:
    status, answer = post(path, as_json(ENCRYPTED), **headers)
    assert (status, "a word" in answer) == (401, False)


def test_the_scripts_of_the_web_ui_alone_may_read_the_answer() -> None:
    client = site(KEY)
    for origin in (WEB_UI, "http://localhost:8233"):
        asked = {
            "origin": origin,
            "access-control-request-method": "POST",
            "access-control-request-headers": "x-namespace",
        }
        before = client.options(f"/codec/{TOKEN}/decode", headers=asked)
        assert before.status_code == 204
        assert "X-Namespace" in before.headers["access-control-allow-headers"]
        answer = client.post(f"/codec/{TOKEN}/decode", content=as_json(ENCRYPTED), headers={"origin": origin})
        assert answer.headers["access-control-allow-origin"] == before.headers["access-control-allow-origin"] == origin
    for origin in ("http://evil.example", "http://127.0.0.1:9999", "https://127.0.0.1:8233", "null"):
        answer = client.post(f"/codec/{TOKEN}/decode", content=as_json(ENCRYPTED), headers={"origin": origin})
        assert answer.status_code == 403
        assert "access-control-allow-origin" not in answer.headers


def test_the_origins_of_web_uis() -> None:
    assert origins("https://cloud.temporal.io/namespaces/mine", "") == {"https://cloud.temporal.io"}
    assert origins("http://localhost:8233/") == {
        "http://localhost:8233",
        "http://127.0.0.1:8233",
        "http://[::1]:8233",
    }


def test_without_keys_there_is_no_codec_server() -> None:
    answer = site().post(f"/codec/{TOKEN}/decode", content=as_json(PLAIN))
    assert (answer.status_code, "PAYLOAD_KEYS is not set" in answer.text) == (404, True)


@pytest.mark.parametrize("body", [b"", b"{", b"1", b'{"payloads": 1}', b'{"payloads": [1]}', b"\xff", b"[" * 100_000])
def test_what_is_no_payload_is_refused_in_a_sentence(post: Callable[..., tuple[int, str]], body: bytes) -> None:
    assert post(f"/codec/{TOKEN}/decode", body) == (400, '{"message":"This is no JSON of Temporal payloads."}')


def test_what_is_too_large_is_refused(post: Callable[..., tuple[int, str]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codec_server, "LARGEST", 10)
    assert post(f"/codec/{TOKEN}/decode", as_json(PLAIN))[0] == 413


def test_what_cannot_be_read_is_logged_once(
    post: Callable[..., tuple[int, str]], caplog: pytest.LogCaptureFixture
) -> None:
    remote_codec.cache_clear()
    with caplog.at_level(logging.WARNING, "agent.codec"):
        for _ in range(3):
            post(f"/codec/{TOKEN}/decode", as_json(UNREADABLE, UNREADABLE))
    assert len([text for text in caplog.messages if OTHER.id in text]) == 1
