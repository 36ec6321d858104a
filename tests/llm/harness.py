"""A chat with a model and the real tools, without Temporal: what a person types in, what the agent does out."""

import json
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from agent import prompts
from agent.llm.scripted import Move, Script
from tools import ToolContext, ToolError, Toolset


@dataclass
class Chat:
    """say() gives the agent's answer; a proposal waits in `proposed` until confirm(), decline() or other words."""

    toolset: Toolset
    goal_name: str
    home: Path = Path()
    messages: list[dict[str, Any]] = field(default_factory=list)
    proposed: Move | None = None
    finished: bool = False
    ran: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)

    def begin(self) -> str:
        goal = self.toolset.goals[self.goal_name]
        self.messages.append({"role": "user", "content": f"### {goal.starter_prompt}"})
        return self.turn()

    def say(self, text: str) -> str:
        if self.proposed:
            self._decide({"withdrawn": True})
        self.messages.append({"role": "user", "content": text})
        return self.turn()

    def decline(self, reason: str = "") -> str:
        self._decide({"declined": True, "reason": reason})
        return self.turn()

    async def confirm(self) -> str:
        assert self.proposed
        move = self.proposed
        tool = self.toolset.tools[move.tool]
        try:
            context = ToolContext(idempotency_key=f"chat/{len(self.messages)}", home=self.home)
            arguments = tool.validate(move.arguments)
            self.ran.append((move.tool, arguments))
            outcome = {"ok": True, "result": (await tool.run(arguments, context)).result}
        except ToolError as error:
            outcome = {"ok": False, "error": str(error)}
        self._decide(outcome)
        return self.turn()

    async def play(self, *lines: str) -> str:
        """Say each line, confirming whatever is proposed in between."""
        text = self.begin()
        for line in lines:
            text = self.say(line)
            while self.proposed:
                text = await self.confirm()
        return text

    def turn(self) -> str:
        move = Script(self.messages, self.tools(), self.about()).move()
        self.moves.append(move)
        if move.tool in ("finish", "off_goal"):
            text = str(move.arguments["message"])
            self.finished = move.tool == "finish"
            self.messages.append({"role": "assistant", "content": text})
            return text
        if move.tool:
            self.proposed = move
            return prompts.proposal_sentence(move.tool, move.arguments)
        self.messages.append({"role": "assistant", "content": move.text})
        return move.text

    def _decide(self, outcome: dict[str, Any]) -> None:
        assert self.proposed
        call_id = f"p{len(self.messages)}"
        function = {"name": self.proposed.tool, "arguments": json.dumps(self.proposed.arguments)}
        text = prompts.proposal_sentence(self.proposed.tool, self.proposed.arguments)
        self.messages += [
            {
                "role": "assistant",
                "content": text,
                "tool_calls": [{"id": call_id, "type": "function", "function": function}],
            },
            {"role": "tool", "tool_call_id": call_id, "content": json.dumps(outcome)},
        ]
        self.proposed = None

    def tools(self) -> list[dict[str, Any]]:
        goal = self.toolset.goals[self.goal_name]
        ours = [self.toolset.tools[name] for name in goal.tools]
        others = [(other.name, other.title) for other in self.toolset.goals.values() if other.name != goal.name]
        return [
            *(prompts.function(tool.name, tool.description, tool.parameters) for tool in ours),
            *prompts.built_in(others),
        ]

    def about(self) -> dict[str, Any]:
        goal = self.toolset.goals[self.goal_name]
        return {
            "name": goal.name,
            "title": goal.title,
            "description": goal.description,
            "tools": goal.tools,
            "hints": goal.model_dump()["hints"],
            "summary": "",
            "today": date.today().isoformat(),
        }
