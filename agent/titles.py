"""What a chat is called in a list: the beginning of the first thing that was said in it. Pure."""

from collections.abc import Iterable

from agent.messages import Message, UserMessage

LENGTH = 60
"""Characters at most."""

_FORK = " (fork)"


def title(text: str) -> str:
    """The first line of a message, cut after a word; "" where it has no words."""
    line = next((" ".join(line.split()) for line in text.splitlines() if line.strip()), "")
    if len(line) <= LENGTH:
        return line
    cut = line[:LENGTH].rsplit(" ", 1)[0] if " " in line[:LENGTH] else line[: LENGTH - 1]
    return f"{cut.rstrip(' ,;:–-')}…"


def of_transcript(messages: Iterable[Message]) -> str:
    """By the first thing that a person said, "" where nobody said anything."""
    return next((found for each in messages if isinstance(each, UserMessage) and (found := title(each.text))), "")


def forked(name: str) -> str:
    """Of a chat that goes on from the one of this name."""
    return name if name.endswith(_FORK) else f"{name}{_FORK}"
