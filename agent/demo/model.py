"""The demo model behind the protocol of agent.model: it streams its words as a real model does."""

import asyncio
import json
import re
import time
from collections.abc import Callable

from agent.demo.dialogue import Dialogue, Move
from agent.demo.transcript import lines_of, summarize
from agent.messages import ModelUse
from agent.model import CalledTool, ModelRequest, Reply
from agent.prompts import SINCE

NAME = "scripted"
_ALONE = "Hello! I am the demo model. Set LLM_MODEL and LLM_KEY to talk to a real one."


class DemoModel:
    """Answers from the messages and the tools of a request alone, so that the same request comes out the same.

    pause: between two words, in seconds, so that its replies are seen to grow.
    """

    def __init__(self, pause: float = 0.0) -> None:
        self._pause = pause

    async def reply(self, request: ModelRequest, on_text: Callable[[str], None]) -> Reply:
        started = time.monotonic()
        move = await asyncio.to_thread(_move, request)
        said = ""
        for word in re.findall(r"\s*\S+", move.text):
            said += word
            on_text(said)
            await asyncio.sleep(self._pause)
        calls = [
            CalledTool(f"call_{len(request.messages)}_{number}", tool, json.dumps(arguments, ensure_ascii=False))
            for number, (tool, arguments) in enumerate(move.calls)
        ]
        return Reply(move.text, calls, _use(request, move, started))

    async def summarize(self, request: ModelRequest) -> Reply:
        """A summary that it reads again itself: lines of JSON."""
        started = time.monotonic()
        told = str(request.messages[-1].get("content") or "")
        so_far, _, since = told.partition(SINCE)
        move = Move(summarize(so_far, lines_of(since)))
        return Reply(move.text, [], _use(request, move, started))


def _move(request: ModelRequest) -> Move:
    """In a thread: what knows cities and dates is imported where they come up."""
    return Dialogue(request.messages, request.tools).move() if request.tools else Move(_ALONE)


def _use(request: ModelRequest, move: Move, started: float) -> ModelUse:
    """Words for tokens; it costs nothing."""
    return ModelUse(
        model=NAME,
        prompt_tokens=sum(len(str(message.get("content") or "").split()) for message in request.messages),
        completion_tokens=len(move.text.split()) + sum(len(str(arguments).split()) for _, arguments in move.calls),
        cost_usd="0",
        seconds=round(time.monotonic() - started, 3),
    )
