"""What clients send to a chat: each signal in its bare and its rich form."""

import re
from datetime import datetime, timedelta
from typing import Any

from pydantic import ValidationError

from agent import rules
from agent.errors import Unreadable
from agent.messages import MESSAGE_LIMIT, TITLE_LIMIT, Repair, Rule, UserMessage, Verdict
from agent.text import are_arguments, sanitize_text

_ID_LENGTH = 128
_LONGEST_RULE = 366 * 24 * 3600
_LARGEST_AMOUNT = 10**12


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
    return UserMessage(text=text, id=word(fields.get("id")), who=word(fields.get("who")), insist=insist)


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
        proposal_id=word(raw.get("proposal_id")),
        arguments=arguments,
        reason=sanitize_text(reason)[:MESSAGE_LIMIT] if isinstance(reason, str) else "",
        who=word(raw.get("who")),
    )


def read_verdicts(raw: Any) -> list[Verdict]:
    """`decide`: {"decisions": [{"proposal_id", "verdict": "confirm" or "decline", "arguments"?, "reason"?}], "who"?}."""
    decisions = raw.get("decisions") if isinstance(raw, dict) else None
    if not isinstance(decisions, list) or not decisions:
        raise Unreadable("Ignored a decision: unknown format.")
    found: list[Verdict] = []
    for each in decisions:
        verdict = read_verdict(each)
        if not verdict.proposal_id or each.get("verdict") not in ("confirm", "decline"):
            raise Unreadable("Ignored a decision: unknown format.")
        found.append(verdict.model_copy(update={"accepts": each["verdict"] == "confirm", "who": word(raw.get("who"))}))
    return found


def read_rule(raw: Any, now: datetime) -> tuple[Rule, str]:
    """`add_rule`: {"id", "tool", "seconds"?, "most"?, "currency"?, "who"?, "proposal_id"?}; the latter is confirmed with it.

    seconds: how long it holds, as long as the chat if left out. most: the largest amount of each, as a number or text.
    """
    fields = raw if isinstance(raw, dict) else {}
    rule = Rule(id=word(fields.get("id")), tool=word(fields.get("tool")), created=now, who=word(fields.get("who")))
    seconds, most = fields.get("seconds"), fields.get("most")
    if not rule.id or not rule.tool:
        raise Unreadable("Ignored a rule: unknown format.")
    if seconds is not None:
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds <= _LONGEST_RULE:
            raise Unreadable("Ignored a rule: it must hold for more than 0 seconds and at most a year.")
        rule.until = now + timedelta(seconds=seconds)
    if most is not None:
        limit, currency = rules.amount(most), word(fields.get("currency")).upper()
        if limit is None or not 0 < limit < _LARGEST_AMOUNT or not re.fullmatch("[A-Z]{3}", currency):
            raise Unreadable("Ignored a rule: its limit must be an amount of money above 0, with its currency.")
        rule.most, rule.currency = f"{limit:f}", currency
    return rule, word(fields.get("proposal_id"))


def read_rule_id(raw: Any) -> str:
    """`revoke_rule`: the id of a rule."""
    if not isinstance(raw, str) or not word(raw):
        raise Unreadable("Ignored the revocation of a rule: unknown format.")
    return word(raw)


def read_seq(raw: Any) -> int:
    """`regenerate`: nothing, or {"seq": the sequence number of the reply that is to be written again}."""
    seq = raw.get("seq", 0) if isinstance(raw, dict) else 0 if raw is None else None
    if isinstance(seq, bool) or not isinstance(seq, int) or seq < 0:
        raise Unreadable("Ignored a wish for another reply: unknown format.")
    return seq


def read_model(raw: Any) -> str:
    """`set_model`: a model's name, "" for the first of the settings."""
    if raw is not None and not isinstance(raw, str):
        raise Unreadable("Ignored a choice of model: unknown format.")
    return word(raw)


def read_title(raw: Any) -> str:
    """`rename`: the title, as one line of text."""
    title = " ".join(sanitize_text(raw).split()) if isinstance(raw, str) else ""
    if not title:
        raise Unreadable("Ignored a title: it must be text.")
    return title[:TITLE_LIMIT]


def read_repair(raw: Any) -> Repair:
    """`repaired`: a Repair, sent by agent/repair.py."""
    try:
        return Repair.model_validate(raw)
    except ValidationError:
        raise Unreadable("Ignored a repair: unknown format.") from None


def read_since(raw: Any) -> int:
    """`get_chat`: the sequence number after which messages are wanted; anything unreadable means all."""
    return raw if isinstance(raw, int) and raw > 0 else 0


def word(raw: Any) -> str:
    """An id or a name in a signal; "" for what is none."""
    return sanitize_text(raw)[:_ID_LENGTH] if isinstance(raw, str) else ""
