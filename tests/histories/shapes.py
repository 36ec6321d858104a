"""The shapes that a chat's history can have, each played once, as short as can be."""

import asyncio
from collections.abc import Awaitable, Callable

from agent.client import new_chat_id
from agent.errors import ModelRefused, ModelUnavailable
from agent.messages import PastCall, Repair, ToolCall, Verdict
from agent.visitor import of_browser
from tests.workflow.harness import GOAL, Answer, Chat, Harness, call, calls, say, wait_until

Shape = Callable[[Harness], Awaitable[Chat]]

SHAPES: dict[str, tuple[list[Answer], Shape]] = {}
"""By name: what the model comes to after its greeting, and what is done."""


def shape(*answers: Answer) -> Callable[[Shape], Shape]:
    def add(played: Shape) -> Shape:
        SHAPES[played.__name__] = (list(answers), played)
        return played

    return add


@shape(say("And to you."))
async def question(harness: Harness) -> Chat:
    chat = await harness.start()
    await chat.say("Good day")
    return chat


@shape(say("And to you."))
async def welcomed(harness: Harness) -> Chat:
    """The agent has said its first words before there was a chat; the person's come with the start."""
    chat_id = new_chat_id()
    await harness.chats.begin(chat_id, GOAL, "Good day", "1", welcome="Hello! What is it?")
    chat = Chat(harness, chat_id)
    await chat.settled()
    return chat


@shape(call("WriteNote", text="milk"), say("Kept."), say("Gladly."))
async def forked(harness: Harness) -> Chat:
    """It goes on from what was said in another chat."""
    chat = await harness.start()
    await chat.say("Note: milk")
    view = await chat.confirm()
    fork = Chat(harness, new_chat_id())
    await harness.chats.fork(chat.id, fork.id, seq=view.next_seq, text="Go on", message_id="1")
    await fork.settled()
    return fork


@shape()
async def imported(harness: Harness) -> Chat:
    """It only shows what was said in another chat."""
    chat = await harness.start()
    shown = Chat(harness, new_chat_id())
    await harness.chats.import_chat(shown.id, await harness.chats.transcript(chat.id))
    await shown.settled()
    return shown


@shape()
async def renamed(harness: Harness) -> Chat:
    chat = await harness.start()
    await harness.chats.rename(chat.id, "Groceries")
    await chat.until(lambda view: view.title == "Groceries")
    return chat


@shape(call("WriteNote", text="milk"), say("Kept."))
async def shared(harness: Harness) -> Chat:
    """Somebody else decides by a link, and another one takes the chat over."""
    await harness.chats.chats()
    chat = await harness.start_with(listed_in="attributes")
    view = await chat.say("Note: milk")
    assert view.waiting is not None
    await harness.chats.add_link(chat.id, "decide", seconds=60, link_id="l1", proposal_id=view.waiting.id)
    await harness.chats.decide_by_link(chat.id, "l1", accepts=True, who="Bob (by a link)")
    await chat.settled()
    await harness.chats.add_link(chat.id, "owner", seconds=60, link_id="l2")
    await harness.chats.hand_over(chat.id, "l2", of_browser("bob"))
    await chat.until(lambda view: view.links[-1].over == "used")
    return chat


@shape(call("WriteNote", text="milk"), say("Kept."))
async def notified(harness: Harness) -> Chat:
    """The proposal waits until somebody is told."""
    chat = await harness.start_with(notify_after=1)
    await chat.say("Note: milk")
    await chat.until(lambda view: bool(view.links))
    await chat.confirm()
    return chat


@shape(call("WriteNote", text="milk"), say("Kept."))
async def confirmed(harness: Harness) -> Chat:
    chat = await harness.start()
    await chat.say("Note: milk")
    await chat.confirm()
    return chat


@shape(call("WriteNote", text="milk"), say("Kept."))
async def edited(harness: Harness) -> Chat:
    chat = await harness.start()
    await chat.say("Note: milk")
    await chat.confirm(text="oat milk")
    return chat


@shape(call("WriteNote", text="milk"), say("Then not."))
async def declined(harness: Harness) -> Chat:
    chat = await harness.start()
    waiting = (await chat.say("Note: milk")).waiting
    assert waiting
    await harness.chats.decline(chat.id, waiting.id, "I have some.")
    await chat.until(lambda view: view.status == "waiting")
    return chat


@shape(call("WriteNote", text="milk"), say("Which?"))
async def withdrawn(harness: Harness) -> Chat:
    chat = await harness.start()
    await chat.say("Note: milk")
    await chat.say("No, wait")
    return chat


@shape(calls("ReadNote", "WriteNote", text="a"), say("Both done."))
async def two_calls(harness: Harness) -> Chat:
    chat = await harness.start_with(batch=False)
    await chat.say("Both")
    await chat.confirm()
    await chat.confirm()
    return chat


@shape(calls("ReadNote", "WriteNote", "PostNote", text="a"), say("Two of three."))
async def decided_together(harness: Harness) -> Chat:
    """Its newest run begins with what was accepted and has not run yet."""
    chat = await harness.start_with(history_limit=1)
    view = await chat.say("All three")
    assert view.waiting
    ids = [view.waiting.id, *(proposal.id for proposal in view.beside)]
    verdicts = [Verdict(proposal_id=one, accepts=one != ids[-1], reason="Not that.") for one in ids]
    await harness.chats.decide(chat.id, verdicts)
    await chat.until(lambda view: view.status == "waiting")
    return chat


@shape(
    call("WriteNote", text="a"),
    say("Kept."),
    call("WriteNote", text="b"),
    say("Kept, too."),
    call("WriteNote", text="c"),
)
async def ruled(harness: Harness) -> Chat:
    """A rule with the first receipt; it decides the second, and is revoked before the third."""
    chat = await harness.start()
    waiting = (await chat.say("Note: a")).waiting
    assert waiting
    await harness.chats.add_rule(chat.id, "WriteNote", seconds=3600, proposal_id=waiting.id)
    await chat.until(lambda view: view.status == "waiting")
    view = await chat.say("Note: b")
    await harness.chats.revoke_rule(chat.id, view.rules[0].id)
    await chat.say("Note: c")
    return chat


@shape(call("WriteNote", text="fail"), say("It failed."))
async def tool_failed(harness: Harness) -> Chat:
    chat = await harness.start()
    await chat.say("Note: fail")
    await chat.confirm()
    return chat


@shape(call("PostNote", text="a"), say("Posted."))
async def result_lost(harness: Harness) -> Chat:
    outcomes = [RuntimeError("the wire was cut")]

    def lose() -> None:
        if outcomes:
            raise outcomes.pop()

    harness.hooks["PostNote"] = lose
    chat = await harness.start()
    await chat.say("Post: a")
    await chat.confirm()
    await chat.confirm()
    return chat


@shape(ModelUnavailable("No network."), ModelRefused("There is no such model."), say("Here I am."))
async def model_failed(harness: Harness) -> Chat:
    chat = await harness.start()
    await chat.say("Hello?")
    await chat.say("Hello?")
    return chat


@shape()
async def model_picked_meanwhile(harness: Harness) -> Chat:
    chat = await harness.start()
    harness.model.gate = asyncio.Event()
    await harness.chats.send(chat.id, "Hello?")
    await wait_until(lambda: len(harness.model.requests) == 2)
    await harness.chats.set_model(chat.id, "other")
    await wait_until(lambda: len(harness.model.requests) == 3)
    harness.model.gate.set()
    await chat.settled()
    return chat


@shape()
async def dropped(harness: Harness) -> Chat:
    chat = await harness.start()
    await chat.signal("confirm")
    await chat.signal("no_such_signal", 1)
    await chat.until(lambda view: view.dropped.count == 2)
    return chat


@shape()
async def summarized(harness: Harness) -> Chat:
    chat = await harness.start_with(window_bytes=2_000)
    for number in range(4):
        await chat.say(f"{number}: " + "word " * 80)
        await asyncio.sleep(0.3)  # a summary is made beside the turns; here, before the next one
    await chat.say("Still there?")
    return chat


@shape(call("WriteNote", text="milk"), say("Kept."))
async def continued(harness: Harness) -> Chat:
    """Its newest run begins with a card that waits."""
    chat = await harness.start_with(history_limit=1)
    await chat.say("Note: milk")
    await chat.confirm()
    return chat


@shape(call("WriteNote", text="milk"), say("Kept."))
async def listed_in_memo(harness: Harness) -> Chat:
    chat = await harness.start_with(listed_in="memo")
    await chat.say("Note: milk")
    await chat.confirm()
    return chat


@shape(calls("ReadNote", "WriteNote", text="a"), say("Both done."))
async def listed_over_runs(harness: Harness) -> Chat:
    """Its newest run begins with a card that waits and is listed so."""
    await harness.chats.chats()  # registers the attributes
    chat = await harness.start_with(history_limit=1, listed_in="attributes")
    await chat.say("Both")
    await chat.confirm()
    await chat.confirm()
    return chat


@shape(call("WriteNote", text="milk"))
async def continues(harness: Harness) -> Chat:
    """Its first run."""
    chat = await harness.start_with(history_limit=1)
    first = (await chat.handle.describe()).run_id
    await chat.say("Note: milk")
    return Chat(harness, chat.id, first)


@shape(call("finish", message="Goodbye!", reason="goal_reached"), say("Gladly."), call("finish"))
async def asked_to_end(harness: Harness) -> Chat:
    """Nothing was achieved, so it asks; the person goes on, then ends."""
    chat = await harness.start()
    waiting = (await chat.say("Hm")).waiting
    assert waiting
    await harness.chats.decline(chat.id, waiting.id)
    await chat.until(lambda view: view.status == "waiting")
    await chat.say("Well then")
    await chat.signal("confirm")
    await chat.handle.result()
    return chat


@shape(call("finish", message="Goodbye!", reason="person_wants_to_stop"))
async def finished(harness: Harness) -> Chat:
    chat = await harness.start()
    await chat.say("That was all")
    await chat.handle.result()
    return chat


@shape()
async def ended_while_thinking(harness: Harness) -> Chat:
    chat = await harness.start()
    harness.model.gate = asyncio.Event()
    await harness.chats.send(chat.id, "Hello?")
    await wait_until(lambda: len(harness.model.requests) == 2)
    await harness.chats.end(chat.id)
    await chat.handle.result()
    return chat


@shape(call("PostNote", text="a"))
async def ended_while_running(harness: Harness) -> Chat:
    gate = asyncio.Event()

    async def wait() -> None:
        await gate.wait()

    harness.hooks["PostNote"] = wait
    chat = await harness.start()
    await chat.say("Post: a")
    await chat.signal("confirm")
    await wait_until(lambda: bool(harness.ran))
    await harness.chats.end(chat.id)
    await chat.until(lambda view: view.status == "ending")
    gate.set()
    await chat.handle.result()
    return chat


@shape()
async def cancelled(harness: Harness) -> Chat:
    chat = await harness.start()
    await chat.handle.cancel()
    await chat.until(lambda view: view.status == "ended")
    return chat


@shape(call("PostNote", text="a"), say("Again."))
async def repaired(harness: Harness) -> Chat:
    """What agent/repair.py signals: a tool whose outcome is unknown."""
    chat = await harness.start()
    past = ToolCall(proposal_id="past-1", tool="PostNote", arguments={"text": "a"}, idempotency_key="past")
    await chat.signal("repaired", Repair(calls=[PastCall(call=past, error="It was cut off.")], proposals=2))
    await chat.settled()
    await chat.confirm()
    return chat


@shape(say("Anew."))
async def stopped(harness: Harness) -> Chat:
    """A reply is stopped, then written again."""
    chat = await harness.start()
    harness.model.gate = asyncio.Event()
    await harness.chats.send(chat.id, "Hello?")
    await wait_until(lambda: len(harness.model.requests) == 2)
    await harness.chats.stop(chat.id)
    await chat.settled()
    harness.model.gate = None
    await harness.chats.regenerate(chat.id)
    await chat.until(lambda view: view.messages[-1].kind == "agent" and view.messages[-1].text == "Anew.")
    return chat


@shape(
    call("WriteNote", text="a"),
    call("finish", message="Done.", reason="goal_reached"),
    say("Gladly."),
    call("finish", message="Done.", reason="goal_reached"),
)
async def lingering(harness: Harness) -> Chat:
    """Its goal is reached, it goes on, and closes by itself."""
    chat = await harness.start_with(linger=2)
    await chat.say("Note: a")
    await chat.confirm()
    await chat.say("Thanks")
    await chat.say("That is it")
    await chat.handle.result()
    return chat
