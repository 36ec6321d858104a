"""A proxy before a Temporal server that notes every gRPC call and counts what Temporal Cloud would bill.

It hands the bytes on as they are and reads along: HTTP/2 frames by the libraries that httpx2 brings, the messages by
temporalio's own types. So nothing is installed for it, and no client can pass it by, whatever library it uses. What is
billed is Temporal's list, https://docs.temporal.io/cloud/actions.
"""

import asyncio
import gzip
import struct
from collections import Counter
from contextlib import suppress
from types import TracebackType
from typing import Self

from hpack import Decoder
from hyperframe.frame import ContinuationFrame, DataFrame, Frame, HeadersFrame
from temporalio.api.command.v1 import Command
from temporalio.api.enums.v1 import CommandType
from temporalio.api.workflowservice.v1 import RespondWorkflowTaskCompletedRequest

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
CALLS = {
    "StartWorkflowExecution": "workflow started",
    "SignalWithStartWorkflowExecution": "workflow started, signal",
    "SignalWorkflowExecution": "signal",
    "QueryWorkflow": "query",
    "UpdateWorkflowExecution": "update",
    "ExecuteMultiOperation": "update with start",
    "ResetWorkflowExecution": "reset",
    "RecordActivityTaskHeartbeat": "heartbeat",
    "RecordActivityTaskHeartbeatById": "heartbeat",
}
COMMANDS = {
    CommandType.COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK: "activity",
    CommandType.COMMAND_TYPE_START_TIMER: "timer",
    CommandType.COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES: "search attributes",
    CommandType.COMMAND_TYPE_MODIFY_WORKFLOW_PROPERTIES: "memo",  # not in the list; counted to be safe
    CommandType.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION: "workflow started",
}


class RecordingProxy:
    """`async with RecordingProxy("127.0.0.1:7233") as proxy:` listens at proxy.address."""

    def __init__(self, server: str) -> None:
        self._host, _, self._port = server.rpartition(":")
        self._connections: set[asyncio.Task[None]] = set()
        self.address = ""
        self.calls: Counter[str] = Counter()
        self.actions: Counter[str] = Counter()

    async def __aenter__(self) -> Self:
        self._listener = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        host, port = self._listener.sockets[0].getsockname()
        self.address = f"{host}:{port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def note(self, path: str, message: bytes) -> None:
        """A call's request is complete."""
        name = path.rpartition("/")[2]
        self.calls[name] += 1
        if name in CALLS:
            self.actions.update(CALLS[name].split(", "))
        elif name == "RespondWorkflowTaskCompleted":
            for command in RespondWorkflowTaskCompletedRequest.FromString(message).commands:
                if command.command_type in COMMANDS and not _is_free(command):
                    self.actions[COMMANDS[command.command_type]] += 1

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            to_server = await asyncio.open_connection(self._host, int(self._port))
            requests = _Requests(self)
            await asyncio.gather(_hand_on(reader, to_server[1], requests), _hand_on(to_server[0], writer, None))
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            self._connections.discard(task)
            with suppress(RuntimeError):
                writer.close()


class _Requests:
    """One client's side of a connection, as it is read along."""

    def __init__(self, proxy: RecordingProxy) -> None:
        self._proxy = proxy
        self._buffer = b""
        self._began = False
        self._headers = Decoder()
        self._block: tuple[int, bytes] = (0, b"")
        self._paths: dict[int, str] = {}
        self._bodies: dict[int, bytes] = {}

    def feed(self, data: bytes) -> None:
        self._buffer += data
        if not self._began:
            if len(self._buffer) < len(PREFACE):
                return
            self._buffer, self._began = self._buffer[len(PREFACE) :], True
        while len(self._buffer) >= 9:
            frame, length = Frame.parse_frame_header(memoryview(self._buffer[:9]))
            if len(self._buffer) < 9 + length:
                return
            frame.parse_body(memoryview(self._buffer[9 : 9 + length]))
            self._buffer = self._buffer[9 + length :]
            self._take(frame)

    def _take(self, frame: Frame) -> None:
        stream = frame.stream_id
        if isinstance(frame, HeadersFrame | ContinuationFrame):
            self._block = (stream, (self._block[1] if self._block[0] == stream else b"") + frame.data)
            if "END_HEADERS" in frame.flags:
                found = {str(name): value for name, value in self._headers.decode(self._block[1])}
                self._block = (0, b"")
                self._paths[stream] = str(found.get(":path", ""))
        elif isinstance(frame, DataFrame):
            self._bodies[stream] = self._bodies.get(stream, b"") + frame.data
        if "END_STREAM" in frame.flags:
            self._proxy.note(self._paths.pop(stream, ""), _message(self._bodies.pop(stream, b"")))


def _message(body: bytes) -> bytes:
    """The one message of a unary request."""
    if len(body) < 5:
        return b""
    compressed, length = struct.unpack(">?I", body[:5])
    message = body[5 : 5 + length]
    return gzip.decompress(message) if compressed else message


def _is_free(command: Command) -> bool:
    """Temporal's own attribute, which a patch sets, is not billed."""
    fields = command.upsert_workflow_search_attributes_command_attributes.search_attributes.indexed_fields
    return set(fields) == {"TemporalChangeVersion"}


async def _hand_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, requests: _Requests | None) -> None:
    try:
        while data := await reader.read(65_536):
            if requests:
                requests.feed(data)
            writer.write(data)
            await writer.drain()
    finally:
        with suppress(RuntimeError):
            writer.close()
