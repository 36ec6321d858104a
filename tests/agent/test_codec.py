"""Encrypted payloads: what is read for ever, what is refused, and what PAYLOAD_KEYS may say."""

import base64
import logging
import subprocess
import sys
from pathlib import Path

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.exceptions import ApplicationError

from agent.codec import EncryptingCodec, data_converter
from agent.errors import KeyMissing, SettingsError
from agent.payload_keys import PayloadKey, new_key, read_keys
from agent.settings import Settings, load_settings
from tools.kit.results import hide

OLD, NEW = PayloadKey("old", bytes(range(32))), PayloadKey("new", bytes(range(1, 33)))
ENCODED = {key.id: base64.b64encode(key.secret).decode() for key in (OLD, NEW)}
PLAIN = Payload(metadata={"encoding": b"json/plain"}, data=b'"a word"')

STORED = Payload(
    metadata={"encoding": b"binary/encrypted", "encryption-key-id": b"old"},
    data=bytes.fromhex(
        "17d24bfdc2eef6127c0fa096ebe0e1037a6dd4270c24d86ae36a7e174777c996053fd2e1df7b15c170502fb57e120bb38cecf40141073da7be737e5ebd2a"
    ),
)
"""As the first version wrote PLAIN. Chats that hold such payloads have to be read by every later version."""


async def test_what_the_first_version_encrypted_is_read() -> None:
    assert await EncryptingCodec([OLD]).decode([STORED]) == [PLAIN]


async def test_the_first_key_encrypts_and_old_ones_still_read() -> None:
    codec = EncryptingCodec([NEW, OLD])
    [encrypted] = await codec.encode([PLAIN])
    assert (encrypted.metadata["encoding"], encrypted.metadata["encryption-key-id"]) == (b"binary/encrypted", b"new")
    assert b"word" not in encrypted.SerializeToString()
    assert b"json" not in encrypted.SerializeToString(), "not even its type is told"
    assert await codec.decode([encrypted, STORED, PLAIN]) == [PLAIN, PLAIN, PLAIN]
    assert await codec.encode([PLAIN]) != [encrypted], "the same twice does not look the same"


async def test_without_keys_nothing_changes_but_encrypted_payloads_are_refused() -> None:
    codec = EncryptingCodec([])
    assert await codec.encode([PLAIN]) == [PLAIN]
    assert await codec.decode([PLAIN]) == [PLAIN]
    with pytest.raises(KeyMissing, match="with the key “old”, which is not in PAYLOAD_KEYS"):
        await codec.decode([PLAIN, STORED])


@pytest.mark.parametrize(
    "stored",
    [
        pytest.param(Payload(metadata=STORED.metadata, data=STORED.data[:-1] + b"x"), id="changed"),
        pytest.param(Payload(metadata=STORED.metadata, data=b"short"), id="cut"),
        pytest.param(
            Payload(metadata={"encoding": b"binary/encrypted", "encryption-key-id": b"new"}, data=STORED.data),
            id="under the name of another key",
        ),
    ],
)
async def test_what_does_not_fit_its_key_is_refused(stored: Payload) -> None:
    with pytest.raises(KeyMissing, match="is not the one that it is encrypted with"):
        await EncryptingCodec([OLD, NEW]).decode([stored])


async def test_a_process_without_the_key_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    codec = EncryptingCodec([NEW])
    for _ in range(3):
        with pytest.raises(KeyMissing):
            await codec.decode([STORED])
    assert caplog.messages == [
        "A chat cannot be read here: it is encrypted with the key “old”, which is not in PAYLOAD_KEYS. "
        "Add it, and restart; nothing is lost."
    ]


def test_what_temporals_sdk_says_of_a_missing_key_is_left_out_and_nothing_else(
    caplog: pytest.LogCaptureFixture,
) -> None:
    data_converter([])

    def fail(error: Exception, run: str) -> None:
        try:
            raise error
        except Exception:
            logging.getLogger("temporalio.worker._workflow").exception("Failed handling activation on run %s", run)

    for run in ("run-1", "run-2"):
        fail(KeyMissing("no key") if run == "run-1" else ValueError("no number"), run)
        fail(RuntimeError("Missing initialize workflow"), run)
    logging.getLogger("temporalio").warning("Failing workflow task {'failure': 'type: KeyMissing'}")
    logging.getLogger("temporalio").warning("Failing legacy query request {'run_id': 'run-1'}")
    logging.getLogger("temporalio").warning("Failing workflow task {'run_id': 'run-2'}")
    assert caplog.messages == [
        *["Failed handling activation on run run-2"] * 2,
        "Failing workflow task {'run_id': 'run-2'}",
    ]


async def test_failures_are_encrypted_but_the_sentence_on_a_missing_key_is_not() -> None:
    converter = data_converter([NEW])
    failure = Failure()
    await converter.encode_failure(ApplicationError("a word", {"more": "a word"}, type="ToolError"), failure)
    assert b"a word" not in failure.SerializeToString()
    assert str(await converter.decode_failure(failure)) == "ToolError: a word"
    missing = Failure()
    await converter.encode_failure(KeyMissing("The key is missing."), missing)
    assert (missing.message, missing.application_failure_info.type) == ("The key is missing.", "KeyMissing")


def test_keys_are_read_from_the_setting() -> None:
    urlsafe = base64.urlsafe_b64encode(OLD.secret).decode().rstrip("=")
    settings = load_settings({"PAYLOAD_KEYS": f" new:{ENCODED['new']} , old:{urlsafe},"})
    assert settings.payload_keys == (NEW, OLD)
    assert load_settings({}).payload_keys == ()
    assert ENCODED["new"] not in repr(settings) + repr(settings.payload_keys)


@pytest.mark.parametrize(
    ("value", "wrong"),
    [
        (ENCODED["new"], "must be id:key pairs, separated by commas, and number 1 has no id"),
        (f"new:{ENCODED['new']},:{ENCODED['old']}", "number 2 has no id of letters and digits"),
        ("new:", "has a key, new, of 0 bytes instead of 32"),
        ("new:secret*", "has a key, new, that is not base64"),
        ("new:c2VjcmV0", "has a key, new, of 6 bytes instead of 32"),
        (f"new:{ENCODED['new']},new:{ENCODED['old']}", "has two keys with the id new; give each its own"),
    ],
)
def test_a_setting_that_cannot_be_used_gets_one_sentence_without_the_key(value: str, wrong: str) -> None:
    with pytest.raises(SettingsError, match=wrong) as raised:
        load_settings({"PAYLOAD_KEYS": value})
    sentence = str(raised.value)
    assert sentence.startswith("PAYLOAD_KEYS ")
    assert "\n" not in sentence
    assert not any(secret in sentence for secret in (*ENCODED.values(), "secret*", "c2VjcmV0"))


def test_the_command_makes_a_key_that_can_be_used() -> None:
    root = Path(__file__).resolve().parents[2]
    command = [sys.executable, "-m", "agent.payload_keys"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    [key] = read_keys(done.stdout.strip())
    assert key.id not in (read_keys(new_key())[0].id, "")
    assert Settings(payload_keys=(key,)).payload_keys == (key,)


def test_no_tool_can_bring_one_of_the_keys_into_a_chat() -> None:
    environment = {"PAYLOAD_KEYS": f"new:{ENCODED['new']},old:{ENCODED['old']}"}
    assert hide(f"The key is {ENCODED['old']}.", environment) == "The key is [hidden]."
