"""Links, through a real server and worker."""

from temporalio.client import Client

from agent import visibility
from agent.errors import ChatNotFound
from agent.visitor import of_browser
from tests.workflow.harness import GOAL, Chat, call, running_worker, say, wait_until

ANN, BOB = of_browser("ann"), of_browser("bob")


async def test_a_chat_is_handed_over_once_with_its_place_in_the_list(temporal: Client, queue: str) -> None:
    async with running_worker(temporal, queue) as harness:
        anns, bobs = harness.chats.of(ANN), harness.chats.of(BOB)
        chat = Chat(harness, await anns.start(GOAL))
        await anns.add_link(chat.id, "owner", seconds=60, link_id="l1")
        await chat.until(lambda view: len(view.links) == 1)
        await harness.chats.hand_over(chat.id, "l1", BOB)
        await harness.chats.hand_over(chat.id, "l1", ANN)

        async def is_bobs() -> bool:
            return (await harness.chats.look(chat.id)).owner == BOB.id

        async def is_listed_so() -> bool:
            here = [{row.chat_id for row in await client.chats()} for client in (anns, bobs)]
            return [chat.id in ids for ids in here] == [False, True]

        await wait_until(is_bobs)
        await wait_until(is_listed_so)
        attributes = (await chat.handle.describe()).typed_search_attributes
        assert attributes.get(visibility.VISITOR) == BOB.id
        await bobs.send(chat.id, "Mine now")
        try:
            await anns.send(chat.id, "Still mine?")
        except ChatNotFound:
            return
        raise AssertionError("Ann can still write in it")


async def test_a_link_decides_once_and_the_receipt_names_who(temporal: Client, queue: str) -> None:
    async with running_worker(temporal, queue, [call("WriteNote", text="milk"), say("Kept.")]) as harness:
        chat = await harness.start()
        view = await chat.say("Note: milk")
        assert view.waiting is not None
        await harness.chats.add_link(chat.id, "decide", seconds=60, link_id="l1", proposal_id=view.waiting.id)
        for accepts, who in ((True, "Bob (by a link)"), (False, "Eve (by a link)")):
            await harness.chats.decide_by_link(chat.id, "l1", accepts=accepts, who=who)
        view = await chat.settled()
        decided = [each for each in view.messages if each.kind == "decision"]
        assert [(each.verdict, each.who) for each in decided] == [("confirmed", "Bob (by a link)")]
        assert view.dropped.reason == "That link is no longer in force."
