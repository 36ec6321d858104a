"""A chat with the demo model and the real tools, without Temporal: what a person types in, what the agent does out."""

import json
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from agent import prompts, sentences
from agent.demo.dialogue import Dialogue
from agent.goals import goal_for, welcome
from tools import ToolContext, ToolError, Toolset

BUILT_IN = ("finish", "off_goal", "switch_goal")


@dataclass
class Chat:
    """say() gives the agent's answer; proposals wait in `proposed` until confirm(), decline() or other words.

    ran: what was confirmed; offered: every call that was proposed.
    """

    toolset: Toolset
    goal_name: str
    home: Path = Path()
    today: date = field(default_factory=date.today)
    summary: str = ""
    messages: list[dict[str, Any]] = field(default_factory=list)
    proposed: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    offered: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    finished: bool = False
    off_goal: bool = False
    ran: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def begin(self) -> str:
        """As on the page: the welcome is there, and no model has been asked."""
        text = welcome(self.toolset.goals[self.goal_name])
        self.messages += [{"role": "user", "content": "### Go on."}, {"role": "assistant", "content": text}]
        return text

    def say(self, text: str) -> str:
        while self.proposed:
            self._decide({"withdrawn": True})
        self.messages.append({"role": "user", "content": text})
        return self.turn()

    def decline(self, reason: str = "") -> str:
        self._decide({"declined": True, "reason": reason})
        return self._next()

    async def confirm(self) -> str:
        name, arguments = self.proposed[0]
        tool = self.toolset.tools[name]
        try:
            context = ToolContext(idempotency_key=f"chat/{len(self.messages)}", home=self.home)
            arguments = tool.validate(arguments)
            self.ran.append((name, arguments))
            outcome = {"ok": True, "result": (await tool.run(arguments, context)).result}
        except ToolError as error:
            outcome = {"ok": False, "error": str(error)}
        self._decide(outcome)
        return self._next()

    async def play(self, *lines: str) -> str:
        """Say each line, confirming whatever is proposed in between."""
        text = self.begin()
        for line in lines:
            text = self.say(line)
            while self.proposed and self.proposed[0][0] not in BUILT_IN:
                text = await self.confirm()
        return text

    def turn(self) -> str:
        move = Dialogue(self.request(), self.tools()).move()
        name, arguments = move.calls[0] if move.calls else ("", {})
        self.off_goal = name == "off_goal"
        if name in ("finish", "off_goal"):
            text = str(arguments["message"])
            self.finished = name == "finish"
            self.messages.append({"role": "assistant", "content": text})
            return text
        if move.calls:
            self.proposed = list(move.calls)
            self.offered += move.calls
            return self._sentence()
        self.messages.append({"role": "assistant", "content": move.text})
        return move.text

    def request(self) -> list[dict[str, Any]]:
        goal = goal_for(self.toolset, self.goal_name)
        return [{"role": "system", "content": prompts.system(goal, self.summary, self.today)}, *self.messages]

    def tools(self) -> list[dict[str, Any]]:
        goal = self.toolset.goals[self.goal_name]
        ours = [self.toolset.tools[name] for name in goal.tools]
        others = [(other.name, other.title) for other in self.toolset.goals.values() if other.name != goal.name]
        return [
            *(prompts.function(tool.name, tool.description, tool.parameters) for tool in ours),
            *prompts.built_in(others),
        ]

    def _next(self) -> str:
        return self._sentence() if self.proposed else self.turn()

    def _sentence(self) -> str:
        name, arguments = self.proposed[0]
        if name in BUILT_IN:
            return str(arguments["message"])
        tool = self.toolset.tools[name]
        return sentences.proposal(name, tool.description, tool.parameters, tool.validate(arguments))

    def _decide(self, outcome: dict[str, Any]) -> None:
        name, arguments = self.proposed[0]
        call_id = f"p{len(self.messages)}"
        function = {"name": name, "arguments": json.dumps(arguments)}
        call = {"id": call_id, "type": "function", "function": function}
        self.messages += [
            {"role": "assistant", "content": self._sentence(), "tool_calls": [call]},
            {"role": "tool", "tool_call_id": call_id, "content": json.dumps(outcome)},
        ]
        del self.proposed[0]
