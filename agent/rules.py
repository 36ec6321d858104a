"""Rules: what a person lets a chat do without asking again. Pure; a rule belongs to one chat and one tool.

A rule never covers a tool that cannot be retried (`once`), and never a question that is not about a tool.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from agent.messages import EPOCH, Proposal, Rule
from agent.sentences import spaced

IN_FORCE = 20
"""How many rules of one chat may be in force."""

KEPT = 50
"""How many rules a chat remembers, those out of force included."""

CURRENCY = "x-currency"
"""In the schema of an argument: it is an amount of money, in this currency or in that of the argument of this name."""


def in_force(rules: Iterable[Rule], now: datetime) -> list[Rule]:
    """Those that are neither revoked nor over."""
    return [rule for rule in rules if rule.revoked == EPOCH and (rule.until == EPOCH or now < rule.until)]


def covering(rules: Iterable[Rule], proposal: Proposal, now: datetime) -> Rule | None:
    """The first rule in force that lets this proposal run without a question."""
    return next((rule for rule in in_force(rules, now) if covers(rule, proposal)), None)


def covers(rule: Rule, proposal: Proposal) -> bool:
    """Whether the rule, as long as it is in force, speaks of this proposal. A limit holds for each amount in it."""
    if proposal.kind != "tool" or proposal.effect == "once" or proposal.tool != rule.tool:
        return False
    if not rule.most:
        return True
    found = amounts(proposal.parameters, proposal.arguments)
    limit = Decimal(rule.most)
    return bool(found) and all(
        amount is not None and 0 <= amount <= limit and currency == rule.currency for amount, currency in found
    )


def amounts(schema: Mapping[str, Any], arguments: Mapping[str, Any]) -> list[tuple[Decimal | None, str]]:
    """The amounts of money among a call's arguments, each with its currency; None where it cannot be read."""
    return [(amount(arguments[name]), currency) for name, currency in currencies(schema, arguments).items()]


def currencies(schema: Mapping[str, Any], arguments: Mapping[str, Any]) -> dict[str, str]:
    """The names of the arguments that are amounts of money, with their currencies."""
    properties: object = schema.get("properties")
    found: dict[str, str] = {}
    if not isinstance(properties, Mapping):
        return found
    for name, about in properties.items():
        said = about.get(CURRENCY) if isinstance(about, Mapping) else None
        if isinstance(said, str) and arguments.get(name) is not None:
            found[name] = str(arguments.get(said, "") if said in properties else said).upper()
    return found


def amount(value: object) -> Decimal | None:
    """A number as it is written, None for what is none."""
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() and not isinstance(value, bool) else None


def remembered(rules: list[Rule], now: datetime) -> list[Rule]:
    """What a chat keeps of its rules: those in force, and the newest others."""
    current = in_force(rules, now)
    others = [rule for rule in rules if rule not in current][-(KEPT - len(current)) :]
    return [rule for rule in rules if rule in current or rule in others]


def describe(rule: Rule) -> str:
    """create invoice, up to 200 USD each, in this chat until 14:02 UTC."""
    limit = f", up to {rule.most} {rule.currency} each" if rule.most else ""
    until = f" until {rule.until:%H:%M} UTC" if rule.until != EPOCH else ""
    return f"{spaced(rule.tool)}{limit}, in this chat{until}"
