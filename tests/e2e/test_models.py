"""Real worker processes against a stub of the providers: credits that run out, slow models, workers that die."""

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from temporalio.client import Client

from agent.client import Attempt, ChatClient
from agent.errors import NoWorker
from agent.goals import goal_for
from agent.messages import ChatView
from agent.settings import Settings
from tests.llm.stub import Answer, Stub
from tools import load

ROOT = Path(__file__).resolve().parents[2]
NO_CREDITS = Answer(
    status=429, body={"error": {"message": "You exceeded your current quota", "code": "insufficient_quota"}}
)


@asynccontextmanager
async def worker(server: str, queue: str, home: Path, **environment: str) -> AsyncIterator[subprocess.Popen[str]]:
    """`python worker.py` with a home directory of its own, whose .env it reads."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("LLM_")}
    address = {"TEMPORAL_ADDRESS": server, "TEMPORAL_TASK_QUEUE": queue, "STEADFAST_HOME": str(home)}
    address |= {"STEADFAST_ENV_FILE": str(home / ".env")}
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "worker.py")],
        cwd=home,
        env=inherited | address | environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    draining = threading.Thread(target=process.stdout.read)
    try:
        while not (line := await asyncio.to_thread(process.stdout.readline)).startswith("Worker for"):
            assert line, f"The worker ended with {process.wait()}."
        # the SDK's warnings come here, too: a full pipe would stop the worker
        draining.start()
        yield process
    finally:
        process.kill()
        process.wait()
        if draining.ident:
            draining.join()
        process.stdout.close()


class Talk:
    """A chat of the trip goal."""

    def __init__(self, temporal: Client, queue: str) -> None:
        self.chats = ChatClient(temporal, Settings(temporal_task_queue=queue))
        self.id = ""

    async def begin(self) -> ChatView:
        self.id = await self.chats.start(goal_for(load(), "event_flight_invoice"))
        return await self.until(lambda view: view.status == "waiting")

    async def until(self, reached: Callable[[ChatView], bool]) -> ChatView:
        view = None
        for _ in range(600):
            with suppress(NoWorker):  # for some seconds after one was killed
                view = (await self.chats.view(self.id)).view
            if view and reached(view):
                return view
            await asyncio.sleep(0.1)
        raise AssertionError(f"never came to pass: {view}")

    async def attempt(self, reached: Callable[[Attempt], bool]) -> Attempt:
        for _ in range(600):
            attempt = (await self.chats.view(self.id)).attempt
            if attempt and reached(attempt):
                return attempt
            await asyncio.sleep(0.1)
        raise AssertionError("never came to pass")

    async def say(self, text: str) -> ChatView:
        before = (await self.until(lambda view: True)).next_seq
        await self.chats.send(self.id, text)
        return await self.until(lambda view: view.next_seq > before + 1 and view.status in ("waiting", "deciding"))


async def test_a_chat_without_credits_goes_on_with_another_provider_after_editing_env(
    temporal: Client, server: str, queue: str, tmp_path: Path
) -> None:
    find = Answer("Let me look.", calls=(("FindEvents", '{"city": "Austin", "month": "May"}'),))
    talk, dotenv = Talk(temporal, queue), tmp_path / ".env"
    with Stub() as stub:
        dotenv.write_text(f"LLM_MODEL=openai/gpt-4o\nLLM_KEY=sk-first\nLLM_BASE_URL={stub.openai}\n")
        async with worker(server, queue, tmp_path):
            stub.answer(Answer("Hello. Which city?"), find, Answer("Which of these?"))
            await talk.begin()
            view = await talk.say("Austin in May")
            assert view.waiting is not None
            await talk.chats.confirm(talk.id, view.waiting.id)
            await talk.until(lambda view: view.status == "waiting")
            stub.default = NO_CREDITS
            await talk.chats.send(talk.id, "The first one")
            attempt = await talk.attempt(lambda attempt: bool(attempt.error))
            assert "openai/gpt-4o has no credits left" in attempt.error
        dotenv.write_text(f"LLM_MODEL=anthropic/claude-sonnet-4-5\nLLM_KEY=sk-other\nLLM_BASE_URL={stub.anthropic}\n")
        stub.default = Answer("Gladly. Where do you start from?")
        asked_before = len(stub.requests)
        async with worker(server, queue, tmp_path):
            view = await talk.until(lambda view: view.status == "waiting")
        asked = stub.requests[asked_before:]
    assert [message.text for message in view.messages if message.kind == "agent"][-1] == stub.default.text
    assert len({message.id for message in view.messages if message.kind == "user"}) == 2
    anthropic = next(request for request in asked if request.path.endswith("/messages"))
    blocks = [
        block["type"] for line in anthropic.body["messages"] for block in line["content"] if isinstance(block, dict)
    ]
    assert "tool_use" in blocks
    assert "tool_result" in blocks
    assert anthropic.headers["x-api-key"] == "sk-other"


async def test_a_fallback_answers_and_the_chat_says_why_it_is_another(
    temporal: Client, server: str, queue: str, tmp_path: Path
) -> None:
    talk = Talk(temporal, queue)
    with Stub() as broke, Stub(Answer("From the second.")) as other:
        broke.default = NO_CREDITS
        fallback = {"LLM_FALLBACK_MODELS": "anthropic/claude-sonnet-4-5", "ANTHROPIC_API_KEY": "sk-b"}
        first = {"LLM_MODEL": "openai/gpt-4o", "LLM_KEY": "sk-a", "LLM_BASE_URL": broke.openai}
        async with worker(server, queue, tmp_path, ANTHROPIC_API_BASE=other.anthropic, **first, **fallback):
            await talk.begin()
            view = await talk.say("Hello?")
        assert len(broke.requests) == 2, "every turn begins with the first model"
    answered = [message for message in view.messages if message.kind == "agent"][-1]
    assert answered.text == "From the second."
    assert answered.by is not None
    assert answered.by.model == "anthropic/claude-sonnet-4-5"
    assert "openai/gpt-4o has no credits left" in answered.by.note


async def test_a_dripping_model_is_cut_and_ending_the_chat_closes_the_connection(
    temporal: Client, server: str, queue: str, tmp_path: Path
) -> None:
    talk = Talk(temporal, queue)
    with Stub() as stub:
        settings = {"LLM_MODEL": "openai/gpt-4o", "LLM_KEY": "sk-a", "LLM_BASE_URL": stub.openai, "LLM_TIMEOUT": "2"}
        async with worker(server, queue, tmp_path, **settings):
            await talk.begin()
            stub.default = Answer("drip " * 200, rate=5)
            await talk.chats.send(talk.id, "Hello?")
            assert (await talk.attempt(lambda attempt: bool(attempt.partial))).partial.startswith("drip")
            assert "did not answer in time" in (await talk.attempt(lambda attempt: bool(attempt.error))).error
            cut = stub.closed_early
            assert cut >= 1
            requests = len(stub.requests)
            await talk.attempt(lambda attempt: bool(attempt.partial) and len(stub.requests) > requests)
            await talk.chats.end(talk.id)
            await talk.until(lambda view: view.status == "ended")
            for _ in range(100):
                if stub.closed_early > cut:
                    break
                await asyncio.sleep(0.1)
            assert stub.closed_early > cut


async def test_a_slow_first_token_is_not_taken_for_a_death(
    temporal: Client, server: str, queue: str, tmp_path: Path
) -> None:
    talk = Talk(temporal, queue)
    with Stub() as stub:
        settings = {"LLM_MODEL": "openai/gpt-4o", "LLM_KEY": "sk-a", "LLM_BASE_URL": stub.openai}
        async with worker(server, queue, tmp_path, **settings):
            await talk.begin()
            stub.answer(Answer("It took a while.", first=7.0))
            await talk.chats.send(talk.id, "Take your time")
            view = await talk.until(lambda view: view.status == "waiting" and view.next_seq == 5)
            assert len(stub.requests) == 2, "the heartbeat timeout of 5 s was taken for a death"
    assert [message.text for message in view.messages if message.kind == "agent"][-1] == "It took a while."


async def test_a_worker_killed_during_a_call_is_replaced_by_another(
    temporal: Client, server: str, queue: str, tmp_path: Path
) -> None:
    talk = Talk(temporal, queue)
    with Stub() as stub:
        settings = {"LLM_MODEL": "openai/gpt-4o", "LLM_KEY": "sk-a", "LLM_BASE_URL": stub.openai}
        async with worker(server, queue, tmp_path, **settings) as first:
            await talk.begin()
            stub.default = Answer("half a sentence " * 500, rate=4)
            await talk.chats.send(talk.id, "Go on")
            await talk.attempt(lambda attempt: "half" in attempt.partial)
            async with worker(server, queue, tmp_path, **settings):
                first.kill()
                stub.default = Answer("From the other worker.")
                view = await talk.until(lambda view: view.status == "waiting")
    words = [message.text for message in view.messages if message.kind == "agent"]
    assert words[-1] == "From the other worker."
    assert len(words) == 2
