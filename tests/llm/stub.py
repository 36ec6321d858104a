"""A provider on loopback that speaks OpenAI's and Anthropic's streaming HTTP, and misbehaves on request.

In a test: `with Stub() as stub: stub.answer(Answer("Hello."))`; by hand: `python -m tests.llm.stub --latency 0.5`.
"""

import argparse
import asyncio
import itertools
import json
import re
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from tests.llm import rules

Json = dict[str, Any]
REQUEST_ID = "req_011CSHoEeqs5C35K2UUqR7Fy"
"""OpenAI sends one as `x-request-id`, Anthropic as `request-id`; both document it for their support."""


@dataclass(frozen=True)
class Answer:
    """One reply: words and tool calls (name, arguments as text), or a fault.

    delay: seconds before the headers; first: seconds before the first token; rate: tokens a second, 0 = at once.
    fault: `cut` ends the connection in mid-stream, `hang` sends nothing more after the headers, `refuse` closes
    without a byte, `garbage` is no JSON, `empty` has no choices, `nothing` has neither words nor calls.
    stop: why it is not whole, in OpenAI's words; refusal: what the model says instead of an answer.
    """

    text: str = ""
    calls: tuple[tuple[str, str], ...] = ()
    status: int = 200
    body: Json | str = ""
    headers: tuple[tuple[str, str], ...] = ()
    delay: float = 0.0
    first: float = 0.0
    rate: float = 0.0
    fault: Literal["", "cut", "hang", "refuse", "garbage", "empty", "nothing"] = ""
    usage: tuple[int, int] | None = (10, 5)
    stop: Literal["", "length", "content_filter", "refusal"] = ""
    refusal: str = ""


@dataclass(frozen=True)
class Seen:
    """A request as it arrived."""

    path: str
    headers: dict[str, str]
    body: Json
    at: float = field(default_factory=time.monotonic)


class Stub:
    """Answers each request with the next queued Answer, and when none is left with `default`."""

    def __init__(self, default: Answer | Callable[[Json], Answer] = Answer("Hello from the stub.")) -> None:
        self.default = default
        self.requests: list[Seen] = []
        self.closed_early = 0
        self.connections = 0
        self.port = 0
        self._queue: deque[Answer] = deque()
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._open: set[asyncio.Task[None]] = set()

    @property
    def openai(self) -> str:
        """The base URL for `openai/…` models."""
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def anthropic(self) -> str:
        """The base URL for `anthropic/…` models."""
        return f"http://127.0.0.1:{self.port}"

    def answer(self, *answers: Answer) -> None:
        self._queue.extend(answers)

    def start(self, port: int = 0) -> Self:
        self.port = port
        self._thread.start()
        self._ready.wait()
        return self

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", self.port))
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        for task in (open_tasks := list(self._open)):
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*open_tasks, return_exceptions=True))
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        self.connections += 1
        try:
            while await self._respond(reader, writer):
                pass
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._open.discard(task)
            with suppress(RuntimeError):
                writer.close()

    async def _respond(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; False = the connection is over."""
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
        except asyncio.IncompleteReadError:
            return False
        request, *lines = head.strip().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = json.loads(await reader.readexactly(int(headers.get("content-length", 0))) or b"{}")
        self.requests.append(Seen(request.split()[1], headers, body))
        answer: Answer | Callable[[Json], Answer]
        if wrong := rules.wrong_with(self.requests[-1].path, body):
            answer = Answer(status=400, body=wrong)
        else:
            answer = self._queue.popleft() if self._queue else self.default
        if callable(answer):
            answer = answer(body)
        sending = asyncio.ensure_future(self._send(answer, request.split()[1], body, writer))
        hangup = asyncio.ensure_future(reader.read(1))
        try:
            await asyncio.wait({sending, hangup}, return_when=asyncio.FIRST_COMPLETED)
            if not sending.done():
                self.closed_early += 1
                return False
            return await sending
        finally:
            for task in (sending, hangup):
                task.cancel()
            await asyncio.gather(sending, hangup, return_exceptions=True)

    async def _send(self, answer: Answer, path: str, body: Json, writer: asyncio.StreamWriter) -> bool:
        if answer.fault == "refuse":
            return False
        if answer.delay:
            await asyncio.sleep(answer.delay)
        named = "x-request-id" if path.endswith("/chat/completions") else "request-id"
        extra = "".join(f"{name}: {value}\r\n" for name, value in [(named, REQUEST_ID), *answer.headers])
        if answer.status != 200 or answer.fault == "garbage":
            text = answer.body if isinstance(answer.body, str) else json.dumps(answer.body)
            content = (text or "<html>not JSON").encode()
            head = f"HTTP/1.1 {answer.status} X\r\ncontent-type: application/json\r\n{extra}content-length: {len(content)}\r\n\r\n"
            writer.write(head.encode() + content)
            await writer.drain()
            return True
        writer.write(
            f"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n{extra}transfer-encoding: chunked\r\n\r\n".encode()
        )
        events = _openai(answer, body) if path.endswith("/chat/completions") else _anthropic(answer, body)
        async for event in _paced(answer, events):
            data = event.encode()
            writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
            await writer.drain()
        if answer.fault == "cut":
            return False
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        return True


async def _paced(answer: Answer, events: Iterator[str]) -> AsyncIterator[str]:
    if answer.first:
        await asyncio.sleep(answer.first)
    if answer.fault == "hang":
        await asyncio.sleep(3600)
    start = time.monotonic()
    for count, event in enumerate(itertools.islice(events, 3) if answer.fault == "cut" else events):
        if answer.rate:
            await asyncio.sleep(max(0.0, start + count / answer.rate - time.monotonic()))
        yield event


def _tokens(text: str) -> list[str]:
    return re.findall(r"\s*\S+", text)


def _openai(answer: Answer, body: Json) -> Iterator[str]:
    base = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": body.get("model", "")}

    def event(delta: Json, finish: str | None = None) -> str:
        chunk = {**base, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}
        return f"data: {json.dumps(chunk)}\n\n"

    if answer.fault != "empty":
        if answer.fault != "nothing":
            for token in _tokens(answer.text):
                yield event({"role": "assistant", "content": token})
            for index, (name, arguments) in enumerate(answer.calls):
                call = {"index": index, "id": f"call_{index}", "type": "function"}
                yield event({"tool_calls": [{**call, "function": {"name": name, "arguments": ""}}]})
                for part in re.findall(r"(?s).{1,24}", arguments):
                    yield event({"tool_calls": [{"index": index, "function": {"arguments": part}}]})
            for token in _tokens(answer.refusal):
                yield event({"refusal": token})
        finish = "tool_calls" if answer.calls else "stop"
        yield event({}, answer.stop if answer.stop in ("length", "content_filter") else finish)
    if answer.usage:
        prompt, completion = answer.usage
        usage = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
        yield f"data: {json.dumps({**base, 'choices': [], 'usage': usage})}\n\n"
    yield "data: [DONE]\n\n"


def _anthropic(answer: Answer, body: Json) -> Iterator[str]:
    prompt, completion = answer.usage or (0, 0)

    def event(kind: str, **fields: Any) -> str:
        return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n"

    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": body.get("model", ""), "content": []}
    yield event("message_start", message={**message, "usage": {"input_tokens": prompt, "output_tokens": 1}})
    blocks: list[tuple[Json, list[Json]]] = []
    if answer.text:
        blocks.append(
            ({"type": "text", "text": ""}, [{"type": "text_delta", "text": token} for token in _tokens(answer.text)])
        )
    for number, (name, arguments) in enumerate(answer.calls):
        start = {"type": "tool_use", "id": f"toolu_{number}", "name": name, "input": {}}
        blocks.append((start, [{"type": "input_json_delta", "partial_json": arguments}]))
    for index, (block, deltas) in enumerate([] if answer.fault in ("empty", "nothing") else blocks):
        yield event("content_block_start", index=index, content_block=block)
        for delta in deltas:
            yield event("content_block_delta", index=index, delta=delta)
        yield event("content_block_stop", index=index)
    stops = {"length": "max_tokens", "content_filter": "refusal", "refusal": "refusal"}
    reason = stops.get(answer.stop) or ("tool_use" if answer.calls else "end_turn")
    yield event("message_delta", delta={"stop_reason": reason}, usage={"output_tokens": completion})
    yield event("message_stop")


def main() -> None:
    parser = argparse.ArgumentParser(description="Serve the stub until interrupted.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before the first token")
    parser.add_argument("--rate", type=float, default=0.0, help="tokens a second, 0 = all at once")
    parser.add_argument("--text", default="Which city are you thinking of?")
    options = parser.parse_args()
    stub = Stub(Answer(options.text, first=options.latency, rate=options.rate)).start(options.port)
    print(stub.openai, flush=True)
    with suppress(KeyboardInterrupt):
        threading.Event().wait()
    stub.stop()


if __name__ == "__main__":
    main()
