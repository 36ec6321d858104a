"""Several proposals on one card, and rules, on a real server."""

import asyncio
from typing import Any

from temporalio.client import Client

from agent.messages import Decision, Verdict
from tests.workflow.harness import call, calls, line, running_worker, said, say

THREE = calls("ReadNote", "WriteNote", "PostNote", text="a")


async def test_several_are_decided_at_once_and_run_one_after_another(temporal: Client, queue: str) -> None:
    async with running_worker(temporal, queue, [THREE, say("Two of three.")]) as harness:
        chat = await harness.start_with(history_limit=1)
        view = await chat.say("All three")
        assert view.waiting
        first, second, third = view.waiting.id, *(proposal.id for proposal in view.beside)
        await chat.signal("confirm")  # as clients of the ancestors send it
        await chat.until(lambda view: view.dropped.reason.startswith("Several proposals are waiting"))
        verdicts = [
            Verdict(proposal_id=first),
            Verdict(proposal_id=third, arguments={"text": "b"}),
            Verdict(proposal_id=second, accepts=False, reason="Not that."),
        ]
        await asyncio.gather(*(harness.chats.decide(chat.id, verdicts) for _ in range(3)))
        view = await chat.until(lambda view: view.status == "waiting" and view.dropped.count == 3)
        messages = [line(message) for message in await chat.everything()]
        told = [each["content"] for each in harness.model.requests[-1].messages if each["role"] == "tool"]
    assert [(name, text) for name, text, _ in harness.ran] == [("ReadNote", "a"), ("PostNote", "b")]
    assert len({key for _, _, key in harness.ran}) == 2, "each has its own receipt"
    assert messages[-3:] == ["ok: ReadNote of a", "ok: PostNote of b", "agent: Two of three."]
    assert told[0] == '{"declined": true, "reason": "Not that."}'


async def test_a_rule_decides_in_every_run_until_it_is_revoked(temporal: Client, queue: str) -> None:
    answers = [call("WriteNote", text="a"), say("Kept."), call("WriteNote", text="b"), say("Kept.")]
    async with running_worker(temporal, queue, [*answers, call("WriteNote", text="c")]) as harness:
        chat = await harness.start_with(history_limit=1)
        waiting = (await chat.say("a")).waiting
        assert waiting
        await harness.chats.add_rule(chat.id, "WriteNote", seconds=3600, proposal_id=waiting.id)
        await chat.until(lambda view: view.status == "waiting")
        view = await chat.say("b")
        assert view.status == "waiting"
        await harness.chats.revoke_rule(chat.id, view.rules[0].id)
        view = await chat.say("c")
        decisions = [message for message in await chat.everything() if isinstance(message, Decision)]
    assert [text for _, text, _ in harness.ran] == ["a", "b"]
    assert view.status == "deciding"
    assert [decision.who.partition(" until")[0] for decision in decisions] == [
        "the owner",
        "your rule: write note, in this chat",
    ]


async def test_malformed_decisions_and_rules_are_ignored_with_a_reason(temporal: Client, queue: str) -> None:
    async with running_worker(temporal, queue, [THREE]) as harness:
        chat = await harness.start()
        before = said(await chat.say("All three"))
        sent: list[tuple[str, Any]] = [
            ("decide", None),
            ("decide", {"decisions": []}),
            ("decide", {"decisions": "all"}),
            ("decide", {"decisions": [{"proposal_id": "x"}]}),
            ("decide", {"decisions": [{"verdict": "confirm"}]}),
            ("decide", {"decisions": [{"proposal_id": "x", "verdict": "confirm", "arguments": [1]}]}),
            ("add_rule", None),
            ("add_rule", {"id": "r"}),
            ("add_rule", {"id": "r", "tool": "WriteNote", "seconds": "1e9"}),
            ("add_rule", {"id": "r", "tool": "WriteNote", "seconds": 1e300}),
            ("add_rule", {"id": "r", "tool": "WriteNote", "most": "Infinity", "currency": "USD"}),
            ("add_rule", {"id": "r", "tool": "WriteNote", "most": "200"}),
            ("add_rule", {"id": "r", "tool": "PostNote", "proposal_id": "unknown"}),
            ("revoke_rule", {"id": "r"}),
            ("revoke_rule", "r"),
        ]
        for name, payload in sent:
            await chat.signal(name, payload)
        view = await chat.until(lambda view: view.dropped.count == len(sent))
    assert (said(view), view.rules, len(view.beside)) == (before, [], 2)
