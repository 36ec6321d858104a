"""What readers of a chat get: its status, and pages of its messages. Pure functions of the conversation."""

from collections.abc import Sequence
from typing import Literal

from agent.conversation import Conversation
from agent.messages import ChatView, Message, UserMessage
from agent.window import fitting

VIEW_BYTES = 256_000
"""One page of messages in a query's answer (Temporal's limit is 2 MiB)."""

Status = Literal["thinking", "running", "deciding", "waiting", "ending", "ended"]


def view(chat: Conversation, since: int = 0) -> ChatView:
    """What a page draws; see ChatView."""
    page, more = fitting(_after(chat.messages, since), VIEW_BYTES)
    queued, _ = fitting([message for message in chat.inbox if isinstance(message, UserMessage)], VIEW_BYTES)
    running = chat.accepted if chat.working == "tool" else None
    return ChatView(
        goal=chat.goal,
        status=status(chat),
        revision=chat.revision,
        messages=page,
        more=more,
        first_seq=chat.messages[0].seq if chat.messages else chat.next_seq,
        next_seq=chat.next_seq,
        waiting=chat.proposal,
        queued=[message for message in queued if isinstance(message, UserMessage)],
        running=running.tool if running else "",
        running_id=running.id if running else "",
        dropped=chat.dropped,
        previous_run_id=chat.previous_run_id,
        model=chat.model,
        ended=chat.ended,
        tokens=chat.tokens,
        cost_usd=chat.cost_usd,
    )


def status(chat: Conversation) -> Status:
    """What the chat is doing, in one word."""
    if chat.ended:
        return "ending" if chat.working == "tool" else "ended"
    if chat.working == "tool" or chat.receipt:
        return "running"
    if chat.proposal:
        return "deciding"
    return "thinking" if chat.working or chat.has_work else "waiting"


def _after(messages: Sequence[Message], since: int) -> Sequence[Message]:
    """Those with seq > since; seq grows by one a message, so this is a slice."""
    if not messages:
        return messages
    return messages[max(0, since - messages[0].seq + 1) :]
