"""One turn at a time, on a real server."""

from temporalio.client import Client

from tests.workflow.harness import call, calls, running_worker, said, say


async def test_the_agent_greets_and_answers(temporal: Client, queue: str) -> None:
    async with running_worker(temporal, queue, [say("And to you.")]) as harness:
        chat = await harness.start()
        view = await chat.say("Good day")
    assert said(view) == ["instruction: Greet.", "agent: Hello!", "user: Good day", "agent: And to you."]
    assert [message.seq for message in view.messages] == [1, 2, 3, 4]


async def test_a_tool_runs_after_confirm_and_the_model_sees_its_result(temporal: Client, queue: str) -> None:
    async with running_worker(temporal, queue, [call("WriteNote", text="milk"), say("Kept.")]) as harness:
        chat = await harness.start()
        view = await chat.say("Note: milk")
        assert view.status == "deciding"
        assert harness.ran == []
        view = await chat.confirm()
        key = harness.ran[0][2]
    assert said(view)[2:] == [
        "user: Note: milk",
        "proposal: WriteNote {'text': 'milk'}",
        "confirmed: {'text': 'milk'}",
        "ok: WriteNote of milk",
        "agent: Kept.",
    ]
    assert chat.id not in key, "the service that keeps the key could read the chat with it"
    assert harness.model.requests[-1].messages[-1] == {
        "role": "tool",
        "tool_call_id": key.split("/")[1],
        "content": '{"ok": true, "result": "WriteNote of milk"}',
    }


async def test_finish_ends_the_chat(temporal: Client, queue: str) -> None:
    async with running_worker(
        temporal, queue, [call("finish", message="Goodbye!", reason="person_wants_to_stop")]
    ) as harness:
        chat = await harness.start()
        view = await chat.say("That was all")
        result = await chat.handle.result()
    assert view.status == "ended"
    assert result["messages"][-1]["response"]["next"] == "done"


async def test_several_calls_of_one_answer_are_proposed_one_by_one_to_clients_that_decide_so(
    temporal: Client, queue: str
) -> None:
    async with running_worker(
        temporal, queue, [calls("ReadNote", "WriteNote", text="a"), say("Both done.")]
    ) as harness:
        chat = await harness.start_with(batch=False)
        await chat.say("Both, please")
        assert (await chat.confirm()).status == "deciding"
        view = await chat.confirm()
    assert [name for name, _, _ in harness.ran] == ["ReadNote", "WriteNote"]
    assert said(view)[-1] == "agent: Both done."
