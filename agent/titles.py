"""What a chat is called in a list: the beginning of the first thing that was said in it. Pure."""

LENGTH = 60
"""Characters at most."""


def title(text: str) -> str:
    """The first line of a message, cut after a word; "" where it has no words."""
    line = next((" ".join(line.split()) for line in text.splitlines() if line.strip()), "")
    if len(line) <= LENGTH:
        return line
    cut = line[:LENGTH].rsplit(" ", 1)[0] if " " in line[:LENGTH] else line[: LENGTH - 1]
    return f"{cut.rstrip(' ,;:–-')}…"
