"""Several proposals of one answer, decided together."""

from datetime import UTC, datetime

from agent.conversation import Conversation
from agent.messages import GoalSpec, PastCall, Plan, Proposal, Repair, ToolAnswer, ToolCall, UserMessage, Verdict

NOW = datetime(2030, 1, 1, tzinfo=UTC)
IDS = ["k-1", "k-2", "k-3"]


def asked(*, batch: bool = True) -> Conversation:
    chat = Conversation(goal=GoalSpec(name="g"), key="k", batch=batch)
    chat.receive_message(UserMessage(text="All three"), NOW)
    chat.begin_plan(NOW)
    chat.finish_plan(Plan(proposals=[Proposal(tool=tool) for tool in "ABC"]), NOW)
    return chat


def decided(chat: Conversation) -> list[tuple[str, str]]:
    return [(message.proposal_id, message.verdict) for message in chat.messages if message.kind == "decision"]


def results(chat: Conversation) -> list[tuple[str, str]]:
    return [(message.tool, message.outcome) for message in chat.messages if message.kind == "result"]


def run(chat: Conversation) -> str:
    proposal, receipt = chat.begin_tool()
    assert receipt.proposal_id == proposal.id
    chat.finish_tool(ToolAnswer(result="done"), NOW)
    return proposal.id


def test_they_wait_together_and_nothing_runs_until_all_are_decided() -> None:
    chat = asked()
    assert [proposal.id for proposal in chat.waiting] == IDS
    chat.confirm(NOW, "k-2")
    chat.decline(NOW, "k-1", "Not that")
    assert not chat.has_work
    chat.confirm(NOW, "k-3")
    assert [run(chat), run(chat)] == ["k-2", "k-3"]
    assert (chat.receipt, chat.reply_due, chat.waiting) == (None, True, [])


def test_a_bare_confirm_counts_only_while_one_waits() -> None:
    chat = asked()
    chat.confirm(NOW)
    chat.decline(NOW)
    assert (decided(chat), chat.dropped.count) == ([], 2)
    assert chat.dropped.reason == "Several proposals are waiting. Decide each of them."
    chat.decline(NOW, "k-1")
    chat.decline(NOW, "k-2")
    chat.confirm(NOW)
    assert decided(chat)[-1] == ("k-3", "confirmed")


def test_clients_that_cannot_decide_several_get_one_after_another() -> None:
    chat = asked(batch=False)
    assert [proposal.id for proposal in chat.waiting] == ["k-1"]
    chat.confirm(NOW)
    run(chat)
    assert [proposal.id for proposal in chat.waiting] == ["k-2"]


def test_verdicts_count_all_together_or_not_at_all() -> None:
    chat = asked()
    chat.decide([Verdict(proposal_id="k-1"), Verdict(proposal_id="k-9")], NOW)
    chat.decide([Verdict(proposal_id="k-1"), Verdict(proposal_id="k-1", accepts=False)], NOW)
    chat.decide([], NOW)
    assert (decided(chat), chat.dropped.count) == ([], 3)
    verdicts = [Verdict(proposal_id=each, accepts=each != "k-2", arguments={"n": 1}, who="me") for each in IDS]
    chat.decide(verdicts, NOW)
    chat.decide(verdicts, NOW)
    assert decided(chat) == [("k-1", "confirmed"), ("k-2", "declined"), ("k-3", "confirmed")]
    assert chat.receipt
    assert (chat.receipt.arguments, chat.receipt.who, chat.dropped.count) == ({"n": 1}, "me", 4)


def test_all_declined_is_told_to_the_model() -> None:
    chat = asked()
    chat.decide([Verdict(proposal_id=each, accepts=False) for each in IDS], NOW)
    assert (chat.reply_due, chat.receipt) == (True, None)


def test_words_withdraw_what_waits_and_what_was_confirmed_runs() -> None:
    chat = asked()
    chat.confirm(NOW, "k-3")
    chat.receive_message(UserMessage(text="Wait"), NOW)
    assert decided(chat) == [("k-3", "confirmed"), ("k-1", "withdrawn"), ("k-2", "withdrawn")]
    assert run(chat) == "k-3"
    assert chat.has_work


def test_one_that_fails_leaves_the_others() -> None:
    chat = asked()
    chat.decide([Verdict(proposal_id=each) for each in IDS], NOW)
    chat.begin_tool()
    chat.fail_tool("Full.", NOW)
    assert [run(chat), run(chat)] == ["k-2", "k-3"]
    assert chat.reply_due


def test_one_that_is_lost_is_asked_about_before_the_others_run() -> None:
    chat = asked()
    chat.decide([Verdict(proposal_id=each) for each in IDS], NOW)
    chat.begin_tool()
    chat.lose_tool("No answer.", NOW)
    assert chat.proposal
    assert (chat.proposal.kind, chat.receipt) == ("lost_result", None)
    chat.confirm(NOW)
    assert [run(chat), run(chat), run(chat)] == ["k-4", "k-2", "k-3"]


def test_the_end_runs_none_of_those_that_have_not_begun() -> None:
    chat = asked()
    chat.decide([Verdict(proposal_id=each) for each in IDS], NOW)
    chat.begin_tool()
    chat.end(NOW)
    chat.finish_tool(ToolAnswer(result="done"), NOW)
    assert sorted(results(chat)) == [("A", "ok"), ("B", "failed"), ("C", "failed")]
    assert not chat.has_work


def test_a_repair_uses_the_receipt_of_one_that_had_run_and_leaves_the_others() -> None:
    chat = asked()
    chat.decide([Verdict(proposal_id=each) for each in IDS], NOW)
    call = ToolCall(proposal_id="k-2", tool="B", idempotency_key="c")
    chat.repair(Repair(calls=[PastCall(call=call, outcome="ok", answer=ToolAnswer(result="done"))]), NOW)
    assert [run(chat), run(chat)] == ["k-1", "k-3"]
    assert results(chat) == [("B", "ok"), ("A", "ok"), ("C", "ok")]
