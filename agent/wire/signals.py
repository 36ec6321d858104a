"""What clients send to a chat: each signal in its bare and its rich form."""

from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from agent.errors import Unreadable
from agent.messages import MESSAGE_LIMIT, Json, Repair, UserMessage
from agent.text import are_arguments, sanitize_text

_ID_LENGTH = 128


def read_prompt(raw: Any) -> UserMessage:
    """`user_prompt`: a string, or {"text", "id"?, "who"?, "insist"?} (an id sent twice counts once)."""
    fields = {"text": raw} if isinstance(raw, str) else raw
    if not isinstance(fields, dict) or not isinstance(fields.get("text"), str):
        raise Unreadable("Ignored a message without text.")
    text = sanitize_text(fields["text"])
    if not text:
        raise Unreadable("Ignored an empty message.")
    if len(text) > MESSAGE_LIMIT:
        raise Unreadable(f"Ignored a message of {len(text):,} characters. Send at most {MESSAGE_LIMIT:,}.")
    insist = fields.get("insist") is True
    return UserMessage(text=text, id=_word(fields.get("id")), who=_word(fields.get("who")), insist=insist)


@dataclass(frozen=True)
class Verdict:
    """A decision as received: on which proposal ("" = the one that waits), with which reason or arguments."""

    proposal_id: str = ""
    arguments: dict[str, Json] | None = None
    reason: str = ""
    who: str = ""


def read_verdict(raw: Any) -> Verdict:
    """`confirm` and `decline`: nothing, or {"proposal_id"?, "arguments"?, "reason"?, "who"?}."""
    if raw is None:
        return Verdict()
    if not isinstance(raw, dict):
        raise Unreadable("Ignored a decision: unknown format.")
    arguments = raw.get("arguments")
    if arguments is not None and not are_arguments(arguments):
        raise Unreadable("Ignored a decision: its arguments are not a JSON object of a usable size and depth.")
    reason = raw.get("reason")
    return Verdict(
        proposal_id=_word(raw.get("proposal_id")),
        arguments=arguments,
        reason=sanitize_text(reason)[:MESSAGE_LIMIT] if isinstance(reason, str) else "",
        who=_word(raw.get("who")),
    )


def read_model(raw: Any) -> str:
    """`set_model`: a model's name, "" for the first of the settings."""
    if raw is not None and not isinstance(raw, str):
        raise Unreadable("Ignored a choice of model: unknown format.")
    return _word(raw)


def read_repair(raw: Any) -> Repair:
    """`repaired`: a Repair, sent by agent/repair.py."""
    try:
        return Repair.model_validate(raw)
    except ValidationError:
        raise Unreadable("Ignored a repair: unknown format.") from None


def read_since(raw: Any) -> int:
    """`get_chat`: the sequence number after which messages are wanted; anything unreadable means all."""
    return raw if isinstance(raw, int) and raw > 0 else 0


def _word(raw: Any) -> str:
    return sanitize_text(raw)[:_ID_LENGTH] if isinstance(raw, str) else ""
