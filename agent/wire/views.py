"""The query of our own page: the status of a chat, and its messages page by page."""

from collections.abc import Sequence

from agent.conversation import Conversation
from agent.messages import ChatStatus, ChatView, Message, UserMessage
from agent.window import fitting

VIEW_BYTES = 256_000
"""One page of messages in a query's answer (Temporal's limit is 2 MiB)."""


def chat_view(chat: Conversation, since: int = 0) -> ChatView:
    """What a page draws; see ChatView."""
    page, more = fitting(_after(chat.messages, since), VIEW_BYTES)
    queued, _ = fitting([message for message in chat.inbox if isinstance(message, UserMessage)], VIEW_BYTES)
    return ChatView(
        goal=chat.goal,
        status=chat_status(chat),
        revision=chat.revision,
        messages=page,
        more=more,
        first_seq=chat.messages[0].seq if chat.messages else chat.next_seq,
        next_seq=chat.next_seq,
        waiting=chat.proposal,
        beside=chat.beside,
        rules=chat.rules,
        links=chat.links,
        queued=[message for message in queued if isinstance(message, UserMessage)],
        running=chat.accepted.tool if chat.accepted and chat.working == "tool" else "",
        dropped=chat.dropped,
        previous_run_id=chat.previous_run_id,
        model=chat.model,
        ended=chat.ended,
        closes_at=chat.closes_at,
        tokens=chat.tokens,
        cost_usd=chat.cost_usd,
        title=chat.title,
    )


def chat_status(chat: Conversation) -> ChatStatus:
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
