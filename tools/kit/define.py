"""`@tool`: a typed function becomes a tool. The function itself stays what it was, to be called and tested."""

import asyncio
import inspect
import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from tools.kit.arguments import Arguments
from tools.kit.threads import blocked_loop_watchdog, in_thread
from tools.kit.tool import RESERVED, Effect, Report, Tool, ToolContext

F = TypeVar("F", bound=Callable[..., Any])

_MARK = "__tool__"


def tool(*, effect: Effect, timeout: float = 60.0, name: str = "") -> Callable[[F], F]:
    """Make a tool of a sync or async function; its name is derived (find_events -> FindEvents) unless given.

    A sync one runs in a thread of its own; an async one shares its loop with the whole worker and must never block it.
    Raises TypeError where no tool can be made of it; discovery turns that into a sentence with file and line.
    """

    def define(function: F) -> F:
        setattr(function, _MARK, _define(function, effect, timeout, name or derived_name(function.__name__)))
        return function

    return define


def tool_of(value: object) -> Tool | None:
    """The tool that `@tool` made of a function, if it did."""
    found = getattr(value, _MARK, None) if inspect.isfunction(value) else None
    return found if isinstance(found, Tool) else None


def derived_name(name: str) -> str:
    """find_events -> FindEvents."""
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


def refuse_name(name: str) -> str:
    """Why a tool cannot have this name, or nothing."""
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]{0,63}", name):
        return f"the name {name!r} must be 1 to 64 letters, digits, - or _, and begin with a letter"
    if _alike(name) in map(_alike, RESERVED):
        return f"the name {name} is reserved for the agent; choose another"
    return ""


def _alike(name: str) -> str:
    """SwitchGoal and switch-goal -> switchgoal."""
    return re.sub("[_-]", "", name).lower()


def _define(function: Callable[..., Any], effect: Effect, timeout: float, name: str) -> Tool:
    if refused := refuse_name(name):
        raise TypeError(refused)
    if effect not in ("read", "idempotent", "once"):
        raise TypeError(f"the effect of {name} must be read, idempotent or once")
    arguments = Arguments(name, function)

    async def call(checked: dict[str, Any], context: ToolContext) -> object:
        values = arguments.values(checked)
        if inspect.iscoroutinefunction(function):
            if arguments.context_name:
                values[arguments.context_name] = context
            with blocked_loop_watchdog(name):
                return await function(**values)
        if arguments.context_name:
            values[arguments.context_name] = replace(context, report=_from_thread(context.report))
        return await in_thread(partial(function, **values))

    return Tool(
        name=name,
        description=arguments.description,
        parameters=arguments.parameters,
        effect=effect,
        timeout=timeout,
        check=arguments.check,
        call=call,
    )


def _from_thread(report: Report) -> Report:
    loop = asyncio.get_running_loop()

    def hand_over(text: str, fraction: float | None) -> None:
        loop.call_soon_threadsafe(lambda: report(text, fraction))

    return hand_over
