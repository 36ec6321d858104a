"""Sentences about a call, made of the tool's own description: `Let me find events in San Francisco in March.`"""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from agent.messages import EPOCH, Interruption

_PREPOSITION = re.compile(r"\s+(?=(?:in|for|between|from|with|that|to|at|around|of|into|on)\s)")


def phrase(description: str) -> str:
    """What a tool does, as a verb and its object: `find events`."""
    return _parts(description)[0]


def proposal(name: str, description: str, parameters: Mapping[str, Any], arguments: Mapping[str, Any]) -> str:
    """What a call is about to do, for the person who decides. The names of arguments are no words for a person."""
    properties = parameters.get("properties") or {}
    left = {
        key: value for key, value in arguments.items() if not isinstance(value, dict | list) and "@" not in str(value)
    }
    first, *others = _parts(description or spaced(name))
    told = [_filled(first, left, properties)]
    told += [part for part, other in ((_filled(other, left, properties), other) for other in others) if part != other]
    days = [day(left.pop(key)) for key in list(left) if day(left[key])]
    for key in sorted(left, key=lambda key: not _comes_from(key, properties)):
        about = str(properties.get(key, {}).get("description", ""))
        if _comes_from(key, properties):
            told.append(f"from {left.pop(key)}")
        elif re.search(r"\b(?:to|into|target|destination)\b", f"{key} {about}") and not re.search(
            r"\d", str(left[key])
        ):
            told.append(f"to {left.pop(key)}")
    told += (
        [f"from {days[0]} to {days[1]}" if len(told) == 1 else f"on {days[0]}, and back on {days[1]}"]
        if len(days) == 2
        else []
    )
    told += [f"on {day}" for day in days] if len(days) != 2 else []
    rest = ", ".join(str(value) for value in left.values())
    return f"Let me {' '.join(told)}{f' ({rest})' if rest else ''}."


def _comes_from(key: str, properties: Mapping[str, Any]) -> bool:
    return bool(re.search(r"\b(?:from|origin|source)\b", f"{key} {properties.get(key, {}).get('description', '')}"))


def _parts(description: str) -> list[str]:
    """Its first clause, cut before each preposition; the verb has its object, as in `look for events`."""
    first, *others = _PREPOSITION.split(_clause(description))
    return [f"{first} {others[0]}", *others[1:]] if others and " " not in first else [first, *others]


def _clause(description: str) -> str:
    """Its first clause, said to the person whom it is about."""
    clause = re.split(r"[,.;:\n]", description.strip())[0]
    clause = re.sub(r"\b(?:the person|an? \w+|the \w+)'s\b", "your", clause, count=1)
    return clause[:1].lower() + clause[1:]


def _filled(text: str, left: dict[str, Any], properties: Mapping[str, Any]) -> str:
    """The text with `a city` replaced by the city; what is used is taken out of `left`."""
    for key in list(left):
        noun = spaced(key)
        pattern = rf"\b(?:an?|the|one)(?: \w+)?? {re.escape(noun)}\b"
        if re.search(pattern, text):
            value = day(left[key]) or str(left[key])
            del left[key]
            counted = next(
                (name for name in left if isinstance(left[name], int) and not isinstance(left[name], bool)), ""
            )
            amount = properties.get(key, {}).get("format") == "decimal"
            before = (
                f"{left.pop(counted)} × " if counted else f"{noun} " if re.search(r"\d", value) and not amount else ""
            )
            unit = str(properties.get(key, {}).get("x-currency", "currency" if amount else ""))
            unit = str(left.pop(unit, unit if unit.isupper() else ""))
            after = f" {unit}" if unit else ""
            text = re.sub(pattern, f"{before}{value}{after}".replace("\\", r"\\"), text, count=1)
    return text


def day(value: Any) -> str:
    """A date as people say it; "" for anything else."""
    try:
        day = date.fromisoformat(value) if isinstance(value, str) and len(value) == 10 else None
    except ValueError:
        day = None
    return f"{day.day} {day:%B %Y}" if day else ""


def spaced(name: str) -> str:
    """SearchFlights, search_flights -> search flights."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[_-]+", " ", name).lower()


def interruption(each: Interruption) -> str:
    """One interruption: `Worker 14995 died here; 15507 took over after 6.1 s.`"""
    old, new = _names(each.worker, each.next_worker)
    after = f" after {_seconds(each)}" if each.resumed != EPOCH and each.at != EPOCH else ""
    if each.kind == "failed":
        failed = "An attempt failed" if each.times == 1 else f"{each.times} attempts failed"
        return f"{failed}: {each.reason.rstrip('.')}. The next began{after}." if after else f"{failed}: {each.reason}"
    if each.kind == "lost":
        return f"An attempt was lost here; worker {new} took over." if new else "An attempt was lost here."
    if not new:
        return f"Worker {old} died here."
    if old == new:
        return f"Worker {old} was out of reach here; it went on{after}."
    return f"Worker {old} died here; {new} took over{after}."


def _seconds(each: Interruption) -> str:
    """From the last sign of life to the next attempt."""
    return f"{max(0.0, (each.resumed - each.at).total_seconds()):.1f} s"


def _names(old: str, new: str) -> tuple[str, str]:
    """Process ids are enough where both ran on one machine."""
    (old_pid, _, old_host), (new_pid, _, new_host) = old.partition("@"), new.partition("@")
    return (old_pid, new_pid) if old_host == new_host or not old or not new else (old, new)
