"""From a model's reply to a plan: its tool calls validated against the schemas. Pure, except for the tools' validators."""

import json
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

from agent import prompts, sentences
from agent.messages import GoalSpec, Json, Plan, Proposal, ToolSpec
from agent.model import CalledTool, Reply
from agent.text import are_arguments, sanitize_text
from tools import InvalidArguments, Tool
from tools.kit.tool import BUILT_IN

_UNFIT = "That does not fit what we are doing here."
MOST_CALLS = 8
"""Calls of one answer beyond this are not proposed; the model may call again."""


@dataclass(frozen=True)
class Toolbox:
    """What the model may call in a chat: the goal's tools, those that only the goal describes, and the other goals.

    unavailable: one sentence for each of the goal's servers whose tools are missing now.
    """

    tools: Mapping[str, Tool]
    foreign: Mapping[str, ToolSpec]
    goals: Mapping[str, GoalSpec]
    show_confirm: Literal["true", "effects", "false"] = "true"
    unavailable: Sequence[str] = ()

    def functions(self, *, insisted: bool = False) -> list[dict[str, Any]]:
        """All of them in OpenAI's shape."""
        ours = [prompts.function(tool.name, tool.description, tool.parameters) for tool in self.tools.values()]
        others = [
            prompts.function(spec.name, spec.description, prompts.schema_of(spec)) for spec in self.foreign.values()
        ]
        goals = [(goal.name, goal.title) for goal in self.goals.values()]
        return [*ours, *others, *prompts.built_in(goals, insisted=insisted)]


class InvalidToolCall(Exception):
    """A call that cannot be proposed. missing: argument names; wrong: one sentence for every other problem."""

    def __init__(self, call: CalledTool, missing: list[str], wrong: list[str]) -> None:
        self.call, self.missing, self.wrong = call, missing, wrong
        super().__init__(" ".join([*(f"{name} is missing." for name in missing), *wrong]))


_STOPPED = {
    "length": "{model} reached LLM_MAX_TOKENS, so its reply is cut off.",
    "content_filter": "The content filter of {model}'s provider stopped this reply.",
    "refusal": "{model} declined to answer.",
}
_UNSAID = {
    "length": "I ran out of room before I could answer. Ask for less at once, or set a higher LLM_MAX_TOKENS.",
    "content_filter": "I can't answer that. Please rephrase it, or pick another model.",
    "refusal": "I can't answer that. Please rephrase it, or pick another model.",
}


def interpret(reply: Reply, toolbox: Toolbox) -> Plan:
    """The plan that a reply means; raises InvalidToolCall for the first call that cannot be proposed as it is."""
    if not reply.stopped:
        return _interpret_whole(reply, toolbox)
    if reply.stopped == "length" and reply.calls:
        plan = _interpret_whole(reply, toolbox)
    else:
        plan = Plan(text=reply.text.strip() or _UNSAID[reply.stopped], by=reply.use)
    plan.notice = _STOPPED[reply.stopped].format(model=reply.use.model)
    return plan


def objection(reply: Reply) -> str:
    """The guardrail's sentence when the words do not fit, "" when they do: from its call, else from text (YES or NO)."""
    for call in reply.calls:
        with suppress(InvalidToolCall):
            verdict = _arguments(call)
            fits = str(verdict.get("fits", True)).lower() not in ("false", "no")
            return "" if fits else sanitize_text(str(verdict.get("message") or "")) or _UNFIT
    if reply.stopped in ("content_filter", "refusal"):
        return _UNFIT  # it would not even judge such words
    text = reply.text.strip()
    return (text[2:].lstrip(" ,.:-–—\n") or _UNFIT) if re.match(r"NO\b", text, re.I) else ""


def _interpret_whole(reply: Reply, toolbox: Toolbox) -> Plan:
    known = [call for call in reply.calls if call.name not in BUILT_IN]
    if known:
        proposals = [_proposal(call, toolbox) for call in known[:MOST_CALLS]]
        proposals[0].text = reply.text.strip() or proposals[0].text
        return Plan(proposals=proposals, by=reply.use)
    for call in reply.calls:
        arguments = _arguments(call)
        text = sanitize_text(str(arguments.get("message") or "")) or reply.text.strip()
        if call.name == "finish":
            stops = arguments.get("reason") == prompts.PERSON_STOPS
            return Plan(text=text or "All done. Goodbye!", next="done", stop_requested=stops, by=reply.use)
        if call.name == "off_goal":
            return Plan(text=text or _UNFIT, off_goal=True, by=reply.use)
        return Plan(proposals=[_switch(call, arguments, text, toolbox)], by=reply.use)
    return Plan(text=reply.text.strip() or "I have no answer to that. Please rephrase it.", by=reply.use)


def ask_person(error: InvalidToolCall, reply: Reply) -> Plan:
    """The model failed twice: ask the person for exactly what is missing."""
    return Plan(text=prompts.ask_for(error.call.name, error.missing, error.wrong), by=reply.use)


def correction(reply: Reply, error: InvalidToolCall) -> list[dict[str, Any]]:
    """The invalid answer and what is wrong with it, for a second try of the model. Broken JSON is not sent back."""
    calls = [
        {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": _safe(call)}}
        for call in reply.calls
    ]
    answers = [
        {
            "role": "tool",
            "tool_call_id": call.id,
            "content": prompts.complaint([str(error)] if call is error.call else ["Not done."]),
        }
        for call in reply.calls
    ]
    return [{"role": "assistant", "content": reply.text, "tool_calls": calls}, *answers]


def _proposal(call: CalledTool, toolbox: Toolbox) -> Proposal:
    arguments = _arguments(call)
    if tool := toolbox.tools.get(call.name):
        try:
            checked = tool.validate(arguments)
        except InvalidArguments as error:
            raise InvalidToolCall(call, list(error.missing), list(error.wrong.values())) from None
        effect, timeout, parameters, about = tool.effect, tool.timeout, tool.parameters, tool.description
        harmless = effect == "read" and tool.vouched
    elif spec := toolbox.foreign.get(call.name):
        missing = [argument.name for argument in spec.arguments if arguments.get(argument.name) in (None, "")]
        if missing:
            raise InvalidToolCall(call, missing, [])
        checked, effect, timeout, parameters, about = arguments, "once", 60.0, prompts.schema_of(spec), spec.description
        harmless = False
    else:
        names = ", ".join([*toolbox.tools, *toolbox.foreign, *BUILT_IN])
        raise InvalidToolCall(call, [], [f"There is no tool {call.name[:80]}. There are: {names}."])
    return Proposal(
        tool=call.name,
        arguments=checked,
        text=sentences.proposal(call.name, about, parameters, checked),
        effect=effect,
        needs_confirm=toolbox.show_confirm == "true" or (toolbox.show_confirm == "effects" and not harmless),
        timeout=timeout,
        parameters=parameters,
    )


def _switch(call: CalledTool, arguments: dict[str, Json], text: str, toolbox: Toolbox) -> Proposal:
    goal = toolbox.goals.get(str(arguments.get("goal")))
    if goal is None:
        raise InvalidToolCall(call, [], [f"There is no such goal. There are: {', '.join(toolbox.goals)}."])
    return Proposal(
        kind="switch_goal",
        tool="switch_goal",
        arguments={"goal": goal.title or goal.name},
        text=text or f"Shall we go on with “{goal.title}” instead?",
        effect="read",
        goal=goal,
    )


def _arguments(call: CalledTool) -> dict[str, Json]:
    try:
        arguments: dict[str, Json] = json.loads(call.arguments or "{}")
    except (ValueError, RecursionError):
        raise InvalidToolCall(call, [], [f"The arguments of {call.name[:80]} are not JSON."]) from None
    if not are_arguments(arguments):
        raise InvalidToolCall(
            call, [], [f"The arguments of {call.name[:80]} are not a JSON object of a usable size and depth."]
        )
    return arguments


def _safe(call: CalledTool) -> str:
    try:
        return json.dumps(_arguments(call))
    except InvalidToolCall:
        return "{}"
