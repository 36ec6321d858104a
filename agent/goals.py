"""From a goal file to the goal that a chat carries: by value, so that any worker and any client can read it."""

from agent.messages import ArgumentSpec, GoalSpec, ToolSpec
from tools import Goal, Tool, Toolset

DEFAULT = "event_flight_invoice"
"""The goal of a chat for which none is named."""


def goal_for(toolset: Toolset, name: str) -> GoalSpec:
    """The goal of this name with its tools described; KeyError when there is none."""
    goal = toolset.goals[name]
    return GoalSpec(
        name=goal.name,
        title=goal.title,
        description=goal.description,
        starter_prompt=goal.starter_prompt,
        example=goal.example,
        tools=[_spec(toolset.tools[tool]) for tool in goal.tools],
    )


def welcome(goal: Goal) -> str:
    """What the agent says before there is a chat."""
    return goal.welcome or f"Hello! This chat is about one thing: {goal.title}. How can I help?"


def _spec(tool: Tool) -> ToolSpec:
    arguments = [
        ArgumentSpec(name=name, type=str(schema.get("type", "string")), description=str(schema.get("description", "")))
        for name, schema in tool.parameters.get("properties", {}).items()
    ]
    return ToolSpec(name=tool.name, description=tool.description, arguments=arguments)
