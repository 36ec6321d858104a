"""Temporal's remote codec protocol: payloads as JSON, for the Web UI and the CLI, which cannot decrypt."""

import functools
from collections.abc import Callable

from google.protobuf.json_format import MessageToJson, Parse, ParseError
from temporalio.api.common.v1 import Payload, Payloads

from agent.codec import EncryptingCodec
from agent.errors import KeyMissing
from agent.payload_keys import PayloadKey


class RemoteCodec:
    """Both methods take and return `{"payloads": [...]}`, and raise ValueError for anything else."""

    def __init__(self, keys: tuple[PayloadKey, ...]) -> None:
        self._codec = EncryptingCodec(keys)

    def decode(self, body: bytes) -> str:
        """What has no key here stays as it is, so that the rest can be read."""
        return _converted(body, self._readable)

    def encode(self, body: bytes) -> str:
        return _converted(body, self._codec.encrypt)

    def _readable(self, payload: Payload) -> Payload:
        try:
            return self._codec.decrypt(payload)
        except KeyMissing:
            return payload


def _converted(body: bytes, convert: Callable[[Payload], Payload]) -> str:
    try:
        asked = Parse(body, Payloads(), ignore_unknown_fields=True)
    except (
        ParseError,
        ValueError,
        TypeError,
        AttributeError,
        RecursionError,
    ):  # it takes some of what is no object apart
        raise ValueError("This is no JSON of Temporal payloads.") from None
    return str(MessageToJson(Payloads(payloads=[convert(payload) for payload in asked.payloads])))


@functools.lru_cache(maxsize=1)
def remote_codec(keys: tuple[PayloadKey, ...]) -> RemoteCodec:
    """One for the process: it tells once what it cannot read."""
    return RemoteCodec(keys)
