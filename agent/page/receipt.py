"""The receipt of a tool step: who decided, what was edited, how often it was tried, its key and its effects."""

from collections.abc import Mapping
from typing import Any

from agent.conversation import Conversation
from agent.messages import Decision, Proposal, ToolResult
from agent.page import format, results

KEY_SHOWN = 8
"""Characters of an idempotency key that are shown: enough to tell two steps of a chat apart."""


def pairs(
    proposal: Proposal, decision: Decision, result: ToolResult | None, reader: str = ""
) -> tuple[tuple[str, str], ...]:
    """Names and values, in the order in which things happened. Nothing but what the chat has recorded."""
    found = [("Decided by", who(decision, reader))]
    if decision.verdict != "confirmed" or not proposal.runs_tool:
        return tuple(found)
    found += [("Edited", each) for each in edits(proposal, decision)]
    found.append(("Key", f"…{Conversation.effect_id(proposal, decision)[-KEY_SHOWN:]}"))
    if result is None:
        return tuple(found)
    if result.outcome == "ok":
        found.append(("Attempts", str(1 + sum(each.times for each in result.interruptions))))
    found.append(("Took", f"{max(0.0, (result.at - decision.at).total_seconds()):.1f} s from decision to result"))
    found.append(("Effects seen", effects(proposal, result)))
    return tuple(found)


def who(decision: Decision, reader: str = "") -> str:
    """`you`, `the settings`, or the name of whoever decided. reader: the label of whoever reads it."""
    if decision.verdict == "withdrawn":
        return "your next message"
    return {"": "you", reader: "you", "settings": "the settings"}.get(decision.who, decision.who)


def edits(proposal: Proposal, decision: Decision) -> list[str]:
    """`Amount: $208.73 → $150.00`, one for each argument that was changed before it was confirmed."""
    before, after = _named(proposal.arguments, proposal), _named(decision.arguments, proposal)
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return [f"{name}: {before.get(name, '—')} → {after.get(name, '—')}" for name in names]


def _named(arguments: Mapping[str, Any], proposal: Proposal) -> dict[str, str]:
    named = dict(results.named_values(arguments, proposal.parameters))
    if "currency" in arguments:  # it may be shown in the amount alone
        named.setdefault(format.humanize("currency"), str(arguments["currency"]))
    return named


def effects(proposal: Proposal, result: ToolResult) -> str:
    """How often the step took effect, as far as its answer says."""
    if result.outcome == "unknown":
        return "unknown: no answer came"
    if result.outcome == "failed":
        return "none reported: it failed"
    if proposal.effect == "read":
        return "none: it only reads"
    if result.interruptions and proposal.effect == "idempotent":
        return "one, under one key for all attempts"
    return "one"
