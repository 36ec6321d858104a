"""A goal: what a chat is to reach, and with which tools. One file in tools/goals/ is one goal."""

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tools.kit.tool import Effect


class Server(BaseModel):
    """An MCP server whose tools a goal uses: a program that speaks over stdio, or the address of a running one.

    tools: the only ones to use (none named: all). env and headers may name variables: "Bearer ${WIKI_TOKEN}".
    effects: what we know better than the server says, by the tool's name. trusted: a tool that the server calls
    read-only need not ask where only effects are asked about.
    """

    model_config = ConfigDict(extra="forbid")

    name: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,30}$")
    command: list[str] = []
    url: str = ""
    env: dict[str, str] = {}
    headers: dict[str, str] = {}
    tools: list[str] = []
    effects: dict[str, Effect] = {}
    trusted: bool = False
    timeout: float = Field(default=30.0, gt=0)

    @model_validator(mode="after")
    def _one_way(self) -> "Server":
        if bool(self.command) == bool(self.url):
            raise ValueError(f"the server {self.name} needs a command or a url, and not both")
        return self


class Goal(BaseModel):
    """description tells the model what to reach; starter_prompt, how to greet; example, how such a chat may go.

    What a person sees before there is a chat: title, summary (one line), welcome (the agent's first words), examples (what
    one might say), icon (":material/…:", see fonts.google.com/icons). tools are named in the order in which they are
    usually needed.
    """

    model_config = ConfigDict(extra="forbid")

    name: str
    title: str
    description: str
    starter_prompt: str = ""
    example: str = ""
    summary: str = ""
    welcome: str = ""
    examples: list[str] = []
    icon: str = Field(default=":material/chat:", pattern=r"^:material/[a-z0-9_]+:$")
    tools: list[str] = []
    servers: list[Server] = []
