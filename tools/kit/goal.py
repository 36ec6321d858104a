"""A goal: what a chat is to reach, and with which tools. One file in tools/goals/ is one goal."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tools.kit.tool import Effect


class Hint(BaseModel):
    """How the built-in offline model finds one argument of one tool; a real model needs none.

    ask: the question to the person; {field} is a field of the preferred item. from_: a field of an earlier result,
    "FindEvents.events.city"; where that is a list, of the item that the person picked. cues: the words that come before
    the value. prefer: the field of a list's items that marks the one a plain "yes" picks.
    """

    model_config = ConfigDict(extra="forbid", populate_by_name=True, serialize_by_alias=True)

    ask: str = ""
    kind: Literal["", "date", "number", "choice", "pick", "text"] = ""
    examples: list[str] = []
    from_: str = Field(default="", alias="from")
    cues: list[str] = []
    prefer: str = ""


class Server(BaseModel):
    """An MCP server whose tools a goal uses: a program that speaks over stdio, or the address of a running one.

    tools: the only ones to use (none named: all). env and headers may name variables: "Bearer ${WIKI_TOKEN}".
    effects: what we know better than the server says, by the tool's name.
    """

    model_config = ConfigDict(extra="forbid")

    name: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,30}$")
    command: list[str] = []
    url: str = ""
    env: dict[str, str] = {}
    headers: dict[str, str] = {}
    tools: list[str] = []
    effects: dict[str, Effect] = {}
    timeout: float = Field(default=30.0, gt=0)

    @model_validator(mode="after")
    def _one_way(self) -> "Server":
        if bool(self.command) == bool(self.url):
            raise ValueError(f"the server {self.name} needs a command or a url, and not both")
        return self


class Goal(BaseModel):
    """description tells the model what to reach; starter_prompt, how to greet; example, how such a chat may go.

    tools are named in the order in which they are usually needed. hints: tool -> argument -> Hint, in the order of asking.
    """

    model_config = ConfigDict(extra="forbid")

    name: str
    title: str
    description: str
    starter_prompt: str = ""
    example: str = ""
    icon: str = ""
    tools: list[str] = []
    servers: list[Server] = []
    hints: dict[str, dict[str, Hint]] = {}

    def hint(self, tool: str, argument: str) -> dict[str, Any]:
        """One hint as a plain dict, {} when there is none."""
        found = self.hints.get(tool, {}).get(argument)
        return found.model_dump() if found else {}
