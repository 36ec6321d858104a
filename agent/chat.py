"""`python -m agent.chat`: a chat in the terminal. It is the same chat as in the page, and goes on there.

Without an id a new chat begins; `--list` shows those that are there. Ctrl-C and Ctrl-D leave it, and it goes on.
"""

import argparse
import asyncio
import json
import os
import secrets
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress

from rich.console import Console
from rich.live import Live
from rich.markdown import Markdown
from rich.text import Text

import tools
from agent import goals, local, temporal
from agent.client import ChatClient, Look, new_chat_id
from agent.errors import ChatError, SettingsError, StartFailed
from agent.messages import (
    AgentMessage,
    ChatView,
    Decision,
    Json,
    Message,
    Notice,
    Proposal,
    ProposalMessage,
    ToolResult,
    UserMessage,
)
from agent.sentences import interruption, spaced
from agent.settings import load_settings
from agent.text import are_arguments, sanitize_text

LOOK = 0.15
"""Seconds between two looks at the chat while something is under way."""

_KEYS = "[y]es, [n]o, [e]dit, or another message"
_LONGEST_RESULT = 2_000


class TerminalChat:
    """One chat: what is new of it is printed, and what the person types is sent. read: a line, EOFError at the end."""

    def __init__(self, client: ChatClient, chat_id: str, console: Console, read: Callable[[str], str]) -> None:
        self._client, self._chat_id, self._console, self._read = client, chat_id, console, read
        self._seen = 0
        self._own: set[str] = set()

    async def run(self) -> None:
        """Until the chat or the input ends."""
        while (view := await self._follow()) and not view.ended:
            try:
                await self._turn(view)
            except ChatError as error:
                self._print(str(error), "yellow")

    async def _turn(self, view: ChatView) -> None:
        for proposal in view.deciding:
            if not await self._decide(proposal):
                return
        if not view.deciding and (text := await self._ask("You: ")):
            await self.say(text)

    def has_seen_beginning(self, message_id: str) -> None:
        """The terminal shows the welcome and the first message already."""
        self._seen = 1
        self._own.add(message_id)

    async def say(self, text: str) -> None:
        """Send a message."""
        message_id = secrets.token_hex(16)
        self._own.add(message_id)
        await self._client.send(self._chat_id, text, message_id)

    async def _decide(self, proposal: Proposal) -> bool:
        """Whether it was decided; else the person has written something instead, which withdraws it."""
        while True:
            said = await self._ask(f"{_title(proposal)}? {_KEYS}: ")
            match said.lower():
                case "":
                    continue
                case "y" | "yes":
                    await self._client.confirm(self._chat_id, proposal.id)
                case "n" | "no":
                    await self._client.decline(self._chat_id, proposal.id, await self._ask("Reason (optional): "))
                case "e" | "edit":
                    if (arguments := await self._edit(proposal)) is None:
                        continue
                    await self._client.confirm(self._chat_id, proposal.id, arguments)
                case _:
                    await self.say(said)
                    return False
            return True

    async def _edit(self, proposal: Proposal) -> dict[str, Json] | None:
        """The arguments with the values that were typed; None where one cannot be read."""
        changed = dict(proposal.arguments)
        for name, value in proposal.arguments.items():
            shown = value if isinstance(value, str) else json.dumps(value)
            if not (typed := await self._ask(f"  {spaced(name)} [{shown}]: ")):
                continue
            try:
                changed[name] = typed if isinstance(value, str) else json.loads(typed)
            except ValueError:
                self._print(f"{spaced(name)}: this must be JSON, as `{shown}` is. Nothing was decided.", "yellow")
                return None
        return changed if are_arguments(changed) else None

    async def _ask(self, prompt: str) -> str:
        return await _line(self._read, prompt)

    async def _follow(self) -> ChatView | None:
        """Print what is new until it is the person's turn; a reply grows in its place."""
        position: tuple[str, int, str] | None = None
        view: ChatView | None = None
        with Live(console=self._console, refresh_per_second=12, transient=True) as live:
            while True:
                look = await self._client.look(self._chat_id)
                if look.position != position and not look.task_due:
                    view, position = await self._client.read(look, self._seen), look.position
                    if view is None:
                        return None
                    live.update("")
                    for message in view.messages:
                        self._show(message)
                        self._seen = message.seq
                if view is not None and position == look.position and not view.more and _is_persons_turn(view):
                    return view
                live.update(_under_way(look))
                await asyncio.sleep(LOOK)

    def _show(self, message: Message) -> None:
        for each in getattr(message, "interruptions", []):
            self._print(interruption(each), "dim")
        match message:
            case UserMessage() if message.id not in self._own:
                self._print(f"You: {message.text}", "bold")
            case AgentMessage():
                self._console.print(Markdown(sanitize_text(message.text), hyperlinks=False))
            case ProposalMessage(proposal=proposal):
                if proposal.text:
                    self._console.print(Markdown(sanitize_text(proposal.text), hyperlinks=False))
                for name, value in proposal.arguments.items():
                    self._print(f"- {spaced(name)}: {value if isinstance(value, str) else json.dumps(value)}")
            case Decision():
                self._print(f"{spaced(message.tool)}: {message.verdict}", "dim")
            case ToolResult():
                result = json.dumps(message.result, indent=2, ensure_ascii=False)
                shown = result if len(result) <= _LONGEST_RESULT else f"{result[:_LONGEST_RESULT]}…"
                self._print(shown if message.outcome == "ok" else message.error, "cyan")
            case Notice():
                self._print(message.text, "yellow")

    def _print(self, text: str, style: str = "") -> None:
        """Letter by letter: what looks like markup, or like a terminal's commands, is neither."""
        self._console.print(Text(sanitize_text(text), style))


def _title(proposal: Proposal) -> str:
    return spaced(proposal.name).capitalize()


def _is_persons_turn(view: ChatView) -> bool:
    return view.status in ("waiting", "deciding", "ended")


def _under_way(look: Look) -> Text:
    attempt = look.attempt
    if look.worker == "missing":
        return Text("No worker is running. What you wrote is kept.", "yellow")
    if attempt is None:
        return Text("…", "dim")
    if attempt.next_in is not None:
        return Text(f"Tried again in {attempt.next_in:.0f} s: {sanitize_text(attempt.error)}", "yellow")
    return Text(sanitize_text(attempt.partial) or "…")


async def chat(options: argparse.Namespace, console: Console, read: Callable[[str], str]) -> None:
    """Connect to the server of the page, or start one as a page does, and chat."""
    settings = load_settings()
    local.ensure(settings)
    now = await local.wait_ready(settings, lambda sentence: console.print(Text(sentence, "dim")))
    client = ChatClient(await temporal.connect(settings, now.address), settings)
    if options.list:
        for row in await client.chats():
            console.print(
                Text(f"{row.chat_id}  {row.started:%Y-%m-%d %H:%M}  {row.status}  {sanitize_text(row.title)}")
            )
        return
    chat_id = options.chat or new_chat_id()
    this = TerminalChat(client, chat_id, console, read)
    if not options.chat:
        toolset = tools.load()
        if options.goal not in toolset.goals:
            raise SettingsError(f"There is no goal {options.goal}. There are: {', '.join(toolset.goals)}.")
        welcome = goals.welcome(toolset.goals[options.goal])
        console.print(Markdown(welcome))
        text = ""
        while not text:
            text = await _line(read, "You: ")
        await client.begin(chat_id, goals.goal_for(toolset, options.goal), text, "begin", welcome=welcome)
        this.has_seen_beginning("begin")
    console.print(Text(f"Chat {chat_id}", "dim"))
    await this.run()


async def _line(read: Callable[[str], str], prompt: str) -> str:
    """What is typed. In a thread that nobody waits for when the chat is left."""
    loop = asyncio.get_running_loop()
    typed: asyncio.Future[str] = loop.create_future()

    def ask() -> None:
        try:
            line, error = read(prompt), None
        except (EOFError, OSError) as ended:
            line, error = "", ended
        with suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(_resolve, typed, line, error)

    threading.Thread(target=ask, daemon=True).start()
    return sanitize_text(await typed)


def _resolve(typed: "asyncio.Future[str]", line: str, error: Exception | None) -> None:
    if typed.cancelled():
        return
    if error is None:
        typed.set_result(line)
    else:
        typed.set_exception(EOFError())


def main(arguments: Sequence[str] | None = None) -> int:
    """0: the chat ended, or was left; 1: it could not begin."""
    parser = argparse.ArgumentParser(prog="python -m agent.chat", description="A chat in the terminal.")
    parser.add_argument("chat", nargs="?", default="", help="the id of a chat to go on with; without it, one begins")
    parser.add_argument("--goal", default=goals.DEFAULT, help="the goal of a new chat")
    parser.add_argument("--list", action="store_true", help="show the chats that are there")
    options = parser.parse_args(arguments)
    console = Console(highlight=False)
    try:
        asyncio.run(chat(options, console, input))
    except (ChatError, SettingsError, StartFailed) as error:
        console.print(Text(str(error), "red"))
        return 1
    except (EOFError, KeyboardInterrupt):
        console.print(Text("\nLeft. The chat goes on; its id is above.", "dim"))
    finally:
        local.release()
    return 0


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    os._exit(status)  # a line that is still read would hold up the end
