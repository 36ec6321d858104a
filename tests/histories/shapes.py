"""The shapes that a chat's history can have, each played once, as short as can be."""

import asyncio
from collections.abc import Awaitable, Callable

from agent.errors import ModelRefused, ModelUnavailable
from tests.workflow.desk import Answer, Chat, Desk, becomes, call, calls, say

Shape = Callable[[Desk], Awaitable[Chat]]

SHAPES: dict[str, tuple[list[Answer], Shape]] = {}
"""By name: what the model comes to after its greeting, and what is done."""


def shape(*answers: Answer) -> Callable[[Shape], Shape]:
    def add(played: Shape) -> Shape:
        SHAPES[played.__name__] = (list(answers), played)
        return played

    return add


@shape(say("And to you."))
async def question(desk: Desk) -> Chat:
    chat = await desk.start()
    await chat.say("Good day")
    return chat


@shape(call("WriteNote", text="milk"), say("Kept."))
async def confirmed(desk: Desk) -> Chat:
    chat = await desk.start()
    await chat.say("Note: milk")
    await chat.confirm()
    return chat


@shape(call("WriteNote", text="milk"), say("Kept."))
async def edited(desk: Desk) -> Chat:
    chat = await desk.start()
    await chat.say("Note: milk")
    await chat.confirm(text="oat milk")
    return chat


@shape(call("WriteNote", text="milk"), say("Then not."))
async def declined(desk: Desk) -> Chat:
    chat = await desk.start()
    waiting = (await chat.say("Note: milk")).waiting
    assert waiting
    await desk.chats.decline(chat.id, waiting.id, "I have some.")
    await chat.until(lambda view: view.status == "waiting")
    return chat


@shape(call("WriteNote", text="milk"), say("Which?"))
async def withdrawn(desk: Desk) -> Chat:
    chat = await desk.start()
    await chat.say("Note: milk")
    await chat.say("No, wait")
    return chat


@shape(calls("ReadNote", "WriteNote", text="a"), say("Both done."))
async def two_calls(desk: Desk) -> Chat:
    chat = await desk.start()
    await chat.say("Both")
    await chat.confirm()
    await chat.confirm()
    return chat


@shape(call("WriteNote", text="fail"), say("It failed."))
async def tool_failed(desk: Desk) -> Chat:
    chat = await desk.start()
    await chat.say("Note: fail")
    await chat.confirm()
    return chat


@shape(call("PostNote", text="a"), say("Posted."))
async def result_lost(desk: Desk) -> Chat:
    outcomes = [RuntimeError("the wire was cut")]

    def lose() -> None:
        if outcomes:
            raise outcomes.pop()

    desk.hooks["PostNote"] = lose
    chat = await desk.start()
    await chat.say("Post: a")
    await chat.confirm()
    await chat.confirm()
    return chat


@shape(ModelUnavailable("No network."), ModelRefused("There is no such model."), say("Here I am."))
async def model_failed(desk: Desk) -> Chat:
    chat = await desk.start()
    await chat.say("Hello?")
    await chat.say("Hello?")
    return chat


@shape()
async def model_picked_meanwhile(desk: Desk) -> Chat:
    chat = await desk.start()
    desk.model.gate = asyncio.Event()
    await desk.chats.send(chat.id, "Hello?")
    await becomes(lambda: len(desk.model.requests) == 2)
    await desk.chats.set_model(chat.id, "other")
    await becomes(lambda: len(desk.model.requests) == 3)
    desk.model.gate.set()
    await chat.settled()
    return chat


@shape()
async def dropped(desk: Desk) -> Chat:
    chat = await desk.start()
    await chat.signal("confirm")
    await chat.signal("no_such_signal", 1)
    await chat.until(lambda view: view.dropped.count == 2)
    return chat


@shape()
async def summarized(desk: Desk) -> Chat:
    chat = await desk.start_with(window_bytes=2_000)
    for number in range(4):
        await chat.say(f"{number}: " + "word " * 80)
        await asyncio.sleep(0.3)  # a summary is made beside the turns; here, before the next one
    await chat.say("Still there?")
    return chat


@shape(call("WriteNote", text="milk"), say("Kept."))
async def continued(desk: Desk) -> Chat:
    """Its newest run begins with a card that waits."""
    chat = await desk.start_with(history_limit=1)
    await chat.say("Note: milk")
    await chat.confirm()
    return chat


@shape(call("WriteNote", text="milk"))
async def continues(desk: Desk) -> Chat:
    """Its first run."""
    chat = await desk.start_with(history_limit=1)
    first = (await chat.handle.describe()).run_id
    await chat.say("Note: milk")
    return Chat(desk, chat.id, first)


@shape(call("finish", message="Goodbye!"))
async def finished(desk: Desk) -> Chat:
    chat = await desk.start()
    await chat.say("That was all")
    await chat.handle.result()
    return chat


@shape()
async def ended_while_thinking(desk: Desk) -> Chat:
    chat = await desk.start()
    desk.model.gate = asyncio.Event()
    await desk.chats.send(chat.id, "Hello?")
    await becomes(lambda: len(desk.model.requests) == 2)
    await desk.chats.end(chat.id)
    await chat.handle.result()
    return chat


@shape(call("PostNote", text="a"))
async def ended_while_running(desk: Desk) -> Chat:
    gate = asyncio.Event()

    async def wait() -> None:
        await gate.wait()

    desk.hooks["PostNote"] = wait
    chat = await desk.start()
    await chat.say("Post: a")
    await chat.signal("confirm")
    await becomes(lambda: bool(desk.ran))
    await desk.chats.end(chat.id)
    await chat.until(lambda view: view.status == "ending")
    gate.set()
    await chat.handle.result()
    return chat


@shape()
async def cancelled(desk: Desk) -> Chat:
    chat = await desk.start()
    await chat.handle.cancel()
    await chat.until(lambda view: view.status == "ended")
    return chat
