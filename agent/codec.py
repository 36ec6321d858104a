"""Encryption of what Temporal stores of a chat (docs/security.md lists what is not covered). PAYLOAD_KEYS turns it on.

There is a codec without keys, too: a process that lacks the key of a chat must leave the chat as it is, and not take
what people wrote in it for garbage. Whatever cannot be decrypted raises KeyMissing, so a workflow task fails and is
tried again until a worker has the key.
"""

import dataclasses
import logging
import os
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from google.protobuf.message import DecodeError
from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import DataConverter, DefaultFailureConverter, PayloadCodec, PayloadConverter

from agent.errors import KeyMissing
from agent.payload_keys import PayloadKey

ENCODING = b"binary/encrypted"
"""What Temporal's own samples call it; a payload's key is named by `encryption-key-id`."""

_KEY_ID = "encryption-key-id"
_NONCE = 12
_LOG = logging.getLogger(__name__)
_SDK_LOGS = ("temporalio", "temporalio.worker._workflow", "temporalio.activity")


class EncryptingCodec(PayloadCodec):
    """AES-GCM over the whole payload, its type included. The first key encrypts, all decrypt; plain text is passed on."""

    def __init__(self, keys: Sequence[PayloadKey]) -> None:
        self._ciphers = {key.id: AESGCM(key.secret) for key in keys}
        self._active = keys[0].id if keys else ""
        self._told: set[str] = set()

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Encrypt, if there is a key."""
        return [self.encrypt(payload) for payload in payloads] if self._active else list(payloads)

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Decrypt what is encrypted. Raises KeyMissing."""
        return [self.decrypt(payload) for payload in payloads]

    def encrypt(self, payload: Payload) -> Payload:
        key_id, nonce = self._active.encode(), os.urandom(_NONCE)
        data = nonce + self._ciphers[self._active].encrypt(nonce, payload.SerializeToString(), key_id)
        return Payload(metadata={"encoding": ENCODING, _KEY_ID: key_id}, data=data)

    def decrypt(self, payload: Payload) -> Payload:
        if not is_encrypted(payload):
            return payload
        named = payload.metadata.get(_KEY_ID, b"")
        key_id = named[:40].decode("ascii", "replace")
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise self._missing(f"it is encrypted with the key “{key_id}”, which is not in PAYLOAD_KEYS. Add it")
        try:
            nonce, data = payload.data[:_NONCE], payload.data[_NONCE:]
            return Payload.FromString(cipher.decrypt(nonce, data, named))
        except (InvalidTag, ValueError, DecodeError):
            raise self._missing(
                f"the key “{key_id}” in PAYLOAD_KEYS is not the one that it is encrypted with. Correct it"
            ) from None

    def _missing(self, reason: str) -> KeyMissing:
        """The error; the log of a process tells each reason once."""
        if reason not in self._told:
            self._told.add(reason)
            _LOG.warning("A chat cannot be read here: %s, and restart; nothing is lost.", reason)
        return KeyMissing(f"This chat cannot be read here: {reason}, and restart; nothing is lost.")


class PlainFailureConverter(DefaultFailureConverter):
    """Keeps the sentence on a missing key readable: whoever looks does not have the keys of this process either."""

    def to_failure(self, exception: BaseException, payload_converter: PayloadConverter, failure: Failure) -> None:
        missing = _missing_key(exception)
        if missing is None:
            super().to_failure(exception, payload_converter, failure)
        else:
            failure.message = str(missing)
            failure.application_failure_info.type = KeyMissing.__name__


class EncodingFailureConverter(PlainFailureConverter):
    """Moves the messages and stack traces of all other failures to where they are encrypted."""

    def __init__(self) -> None:
        super().__init__(encode_common_attributes=True)


def _missing_key(error: BaseException | None) -> KeyMissing | None:
    """The error itself, or that of which Temporal's SDK made another."""
    found = error if isinstance(error, KeyMissing) or error is None else error.__cause__
    return found if isinstance(found, KeyMissing) else None


def data_converter(keys: Sequence[PayloadKey]) -> DataConverter:
    """Ours, for every process that connects. Without keys it writes plain text, and reads nothing that is encrypted."""
    for name in _SDK_LOGS:
        logging.getLogger(name).addFilter(_QUIET)  # adding it again changes nothing
    return dataclasses.replace(
        pydantic_data_converter,
        payload_codec=EncryptingCodec(keys),
        failure_converter_class=EncodingFailureConverter if keys else PlainFailureConverter,
    )


def is_encrypted(payload: Payload) -> bool:
    return payload.metadata.get("encoding") == ENCODING


class _Quiet(logging.Filter):
    """Leaves out what Temporal's SDK says of a run whose key is missing: lines of it, at every attempt and query."""

    def __init__(self) -> None:
        super().__init__()
        self._runs: set[str] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info and _missing_key(record.exc_info[1]):
            if isinstance(record.args, tuple):
                self._runs.update(arg for arg in record.args if isinstance(arg, str))
            return False
        text = record.getMessage()
        return KeyMissing.__name__ not in text and not any(run in text for run in self._runs)


_QUIET = _Quiet()
