"""The scripted model's summary of a chat: lines that it can read again itself."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from agent.llm.scripted.story import DONE, FACT, REFUSAL, Called, read

_FIRST = 8
"""Statements at the beginning of a chat that outlive later ones."""


def summarize(messages: Sequence[Mapping[str, Any]], summary: str, limit: int = 4_000) -> str:
    """What the person stated, with the question it answers, and the newest result of each tool: a line each.

    What was refused as not fitting is left out; of too many statements the first and the newest stay.
    """
    story = read(messages, summary)
    answers = {at: str(message.get("content")) for at, message in enumerate(messages) if message["role"] == "assistant"}
    facts = []
    for said in story.said:
        if not answers.get(said.at + 1, "").startswith(REFUSAL):
            question = re.split(r"(?<=[.!])\s", said.asked)[-1]
            facts.append((said.at, f"{FACT}{question[-120:]} => {said.text[:300]}".replace("\n", " ")))
    newest = {called.tool: called for called in story.called if called.done}
    done = [(called.at, DONE + _line(called)) for called in newest.values() if len(_line(called)) <= limit // 2]
    while facts and sum(len(text) + 1 for _, text in facts + done) > limit:
        del facts[min(_FIRST, len(facts) - 1)]
    while sum(len(text) + 1 for _, text in done) > limit:
        del done[0]
    return "\n".join(text for _, text in sorted(facts + done))


def _line(called: Called) -> str:
    done = {"tool": called.tool, "arguments": called.arguments, "result": _short(called.outcome.get("result"))}
    return json.dumps(done, ensure_ascii=False, separators=(",", ":"))


def _short(value: Any) -> Any:
    """Long texts are cut; nothing is picked or looked up by them."""
    if isinstance(value, dict):
        return {name: _short(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_short(part) for part in value]
    return f"{value[:30]}…" if isinstance(value, str) and len(value) > 60 else value
