"""The chat in the terminal, on a real server: what is printed, and what is typed."""

import io
from collections.abc import Iterable

import pytest
from rich.console import Console
from temporalio.client import Client

from agent.chat import TerminalChat
from agent.errors import ModelUnavailable
from tests.workflow.harness import Chat, Harness, call, calls, running_worker, say


async def _typed(harness: Harness, chat: Chat, lines: Iterable[str]) -> str:
    """What the terminal shows of a chat in which these lines are typed."""
    typed, console = iter(lines), Console(file=io.StringIO(), width=100, highlight=False)

    def read(prompt: str) -> str:
        console.print(prompt, end="", markup=False)
        try:
            return next(typed)
        except StopIteration:
            raise EOFError from None

    with pytest.raises(EOFError):
        await TerminalChat(harness.chats, chat.id, console, read).run()
    assert isinstance(console.file, io.StringIO)
    return "\n".join(line.rstrip() for line in console.file.getvalue().splitlines())


async def test_a_chat_goes_on_in_the_terminal_with_a_decision_and_an_edit(temporal: Client, queue: str) -> None:
    answers = [
        call("WriteNote", "I write it.", text="milk"),
        say("Kept **well**."),
        call("WriteNote", text="tea"),
        say("As you like."),
    ]
    async with running_worker(temporal, queue, answers) as harness:
        chat = await harness.start()
        shown = await _typed(harness, chat, ["", "Note: milk", "e", "oat milk", "And tea", "n", "too hot"])
        assert [text for _, text, _ in harness.ran] == ["oat milk"]
        assert "Hello!" in shown
        assert "Write note? [y]es, [n]o, [e]dit, or another message:" in shown
        assert "- text: milk" in shown
        assert "Kept well." in shown
        assert "And tea" not in shown, "what was typed here is not said again"
        assert shown.endswith("As you like.\nYou:")
        view = await chat.view()
        decisions = [message for message in view.messages if message.kind == "decision"]
        assert [(each.verdict, each.reason) for each in decisions] == [("confirmed", ""), ("declined", "too hot")]


async def test_several_proposals_are_asked_about_one_by_one(temporal: Client, queue: str) -> None:
    async with running_worker(temporal, queue, [calls("WriteNote", "PostNote", text="x"), say("Done.")]) as harness:
        chat = await harness.start()
        await _typed(harness, chat, ["Both, please", "y", "no", ""])
        view = await chat.settled()
        verdicts = [message.verdict for message in view.messages if message.kind == "decision"]
        assert verdicts == ["confirmed", "declined"]


async def test_another_message_withdraws_a_proposal_and_commands_of_a_terminal_are_no_commands(
    temporal: Client, queue: str
) -> None:
    answers = [
        call("WriteNote", text="\x1b]0;evil\x07"),
        say("Never \x1b[31mmind [bold]you[/bold]. ![x](http://e.x/y)"),
    ]
    async with running_worker(temporal, queue, answers) as harness:
        chat = await harness.start()
        shown = await _typed(harness, chat, ["Note: milk", "rather not"])
        assert not harness.ran
        assert "\x1b" not in shown
        assert "[bold]you[/bold]" in shown
        assert "http://e.x/y" not in shown


async def test_what_happened_on_the_way_is_told(temporal: Client, queue: str) -> None:
    async with running_worker(
        temporal, queue, [ModelUnavailable("Overloaded.", retry_after=1), say("There.")]
    ) as harness:
        chat = await harness.start()
        shown = await _typed(harness, chat, ["Hello?"])
        assert "An attempt failed: Overloaded." in shown
        assert "There." in shown
