"""What is asked of a model and what comes back: the types between the activities and the models. No LiteLLM."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from agent.messages import ModelUse


def _ignore(_: str) -> None:
    """For those who do not ask whom they wait for."""


@dataclass(frozen=True)
class ModelRequest:
    """One question to a model.

    messages, tools: in OpenAI's chat shape, the system message first. An instruction is a user message whose text
    begins with `### `; the content of a tool message is JSON: {"ok": true, "result": …}, {"ok": false, "error": …},
    {"declined": true, "reason": …}, {"withdrawn": true} or {"unknown": true}.
    model: the person's pick, one of the configured ones; "" = the first.
    must_call: the tool that has to be called, where the model can be made to; "" = it may answer in text.
    on_wait: gets the name of each model that is asked, and "" when it begins to answer.
    """

    messages: list[dict[str, Any]]
    tools: list[dict[str, Any]] = field(default_factory=list)
    model: str = ""
    must_call: str = ""
    on_wait: Callable[[str], None] = _ignore


@dataclass(frozen=True)
class CalledTool:
    """A tool call as the model gave it; arguments is its raw text, which need not be JSON."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True)
class Reply:
    """A model's whole answer: words, tool calls, or both.

    stopped: why it is not whole, or none: cut at the limit of tokens, stopped by the provider's filter, or declined.
    """

    text: str
    calls: list[CalledTool]
    use: ModelUse
    stopped: Literal["", "length", "content_filter", "refusal"] = ""


class Model(Protocol):
    """What the activities are given. Raises ModelUnavailable, ModelRefused or ContextTooLong."""

    async def reply(self, request: ModelRequest, on_text: Callable[[str], None]) -> Reply:
        """Answer. on_text gets the text so far, from its beginning, each time it grows."""
        ...

    async def summarize(self, request: ModelRequest) -> Reply:
        """Sum up. request.messages: [system, user], where the user message holds the summary so far and what was said
        since, a JSON object a line (see agent.prompts.entries)."""
        ...
