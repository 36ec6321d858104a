"""What the model is sent of a chat, and what goes into its summary: the newest messages within a budget of bytes."""

from collections.abc import Iterable, Iterator
from itertools import chain

from pydantic_core import to_json

from agent.messages import (
    EPOCH,
    AgentMessage,
    Json,
    Message,
    Notice,
    ProposalMessage,
    Record,
    ToolResult,
    UserMessage,
)

RESULT_BYTES = 4_000
"""How much of one tool result the model is shown; the page keeps all of it."""

_LEAST = 40
"""Nothing is cut below this: a list of stubs says less than a shorter list."""


def size(record: Record) -> int:
    """Bytes of a record as JSON."""
    return len(record.__pydantic_serializer__.to_json(record))


def visible(messages: list[Message], context: list[Message], summarized: int) -> Iterator[Message]:
    """What the model may see of a chat, newest first: what is not yet in the summary, without what only the page needs."""
    for message in chain(reversed(messages), reversed(context)):
        if message.seq <= summarized:
            return
        if not isinstance(message, Notice):
            yield _for_model(message)


def newest(seen: Iterable[Message], limit: int) -> list[Message]:
    """Those that fit, at least one, oldest first. seen: newest first."""
    return fitting(seen, limit)[0][::-1]


def fitting(messages: Iterable[Message], limit: int) -> tuple[list[Message], bool]:
    """The first ones that fit, at least one, and whether others follow."""
    chosen: list[Message] = []
    for message in messages:
        limit -= size(message)
        if chosen and limit < 0:
            return chosen, True
        chosen.append(message)
    return chosen, False


def backlog(seen: Iterable[Message], limit: int, summary: int = 0) -> list[Message]:
    """What to fold into the summary next, oldest first; nothing while a quarter of the window is free. seen: newest first.

    summary: bytes of the one so far, which the window holds too: what is sent does not grow with the chat.
    """
    sized = [(message, size(message)) for message in seen]
    if summary + sum(bytes_ for _, bytes_ in sized) < limit * 3 // 4:
        return []
    keep, old = max(limit * 2 // 5 - summary, limit // 8), list[Message]()
    for message, bytes_ in sized:
        keep -= bytes_
        if keep < 0:
            old.append(message)
    return fitting(reversed(old), limit)[0]


def shorten(value: Json, limit: int) -> Json:
    """A JSON value cut to about `limit` bytes: long lists and dicts lose their tail, long texts their end."""
    if isinstance(value, str):
        return value if len(value.encode()) <= limit else value.encode()[:limit].decode(errors="ignore") + "…"
    if isinstance(value, list | dict) and _length(value) > limit:
        return _shorter_list(value, limit) if isinstance(value, list) else _shorter_dict(value, limit)
    return value


def _shorter_list(items: list[Json], limit: int) -> list[Json]:
    kept: list[Json] = []
    for item in items:
        if kept and _length(item) > limit:
            return [*kept, f"… {len(items) - len(kept)} more"]
        kept.append(shorten(item, max(limit, _LEAST)))
        limit -= _length(kept[-1])
    return kept


def _shorter_dict(items: dict[str, Json], limit: int) -> dict[str, Json]:
    """Short values stay whole; the long ones share what is left."""
    shares: dict[str, int] = {}
    free, left, slack = limit, len(items), limit // 4
    for name, item in sorted(items.items(), key=lambda pair: _length(pair[1])):
        shares[name] = max(min(_length(item), free // left), _LEAST)
        free, left = free - shares[name], left - 1
    kept: dict[str, Json] = {}
    for name, item in items.items():
        short = shorten(item, shares[name])
        limit -= _length(name) + _length(short)
        if kept and limit < -slack:
            return kept | {"…": f"{len(items) - len(kept)} more"}
        kept[name] = short
    return kept


def _length(value: Json) -> int:
    return len(to_json(value))


def _for_model(message: Message) -> Message:
    if isinstance(message, ToolResult):
        return message.model_copy(update={"at": EPOCH, "result": shorten(message.result, RESULT_BYTES)})
    if isinstance(message, ProposalMessage):
        proposal = message.proposal.model_copy(update={"parameters": {}, "goal": None})
        return message.model_copy(update={"at": EPOCH, "by": None, "proposal": proposal})
    if isinstance(message, AgentMessage):
        return message.model_copy(update={"at": EPOCH, "by": None})
    if isinstance(message, UserMessage):
        return message.model_copy(update={"at": EPOCH, "id": "", "who": ""})
    return message.model_copy(update={"at": EPOCH})
