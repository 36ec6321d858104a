"""The data of a conversation: messages, proposals, decisions and results. No Temporal, no I/O.

Every type here is stored in workflow histories: new fields need defaults, and no field changes its meaning.
"""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, Field, SerializerFunctionWrapHandler, model_serializer

from tools.kit.tool import Effect

ChatStatus = Literal["thinking", "running", "deciding", "waiting", "ending", "ended"]

ListedIn = Literal["", "memo", "attributes"]
"""Where a chat keeps what a list of chats shows of it, see agent/visibility.py; "": nowhere."""

Json = Any
"""A JSON value; pydantic's own JsonValue costs a recursive check on every copy."""

MESSAGE_LIMIT = 8_000
"""The longest message a person may send, in characters."""

TITLE_LIMIT = 80
"""The longest title of a chat, in characters."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Record(BaseModel):
    """A pydantic model that serializes only what differs from its defaults, so that histories stay small."""

    _defaults: ClassVar[dict[str, Any]] = {}

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        fields = cls.model_fields.items()
        optional = {name: field for name, field in fields if name != "kind" and not field.is_required()}
        cls._defaults = {name: field.get_default(call_default_factory=True) for name, field in optional.items()}

    @model_serializer(mode="wrap")
    def _compact(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        defaults, own = self._defaults, self.__dict__
        return {
            name: value for name, value in handler(self).items() if name not in defaults or own[name] != defaults[name]
        }


class ArgumentSpec(Record):
    name: str
    type: str = "string"
    description: str = ""


class ToolSpec(Record):
    """A tool as a goal names it. A worker that has the tool uses its own definition instead."""

    name: str
    description: str = ""
    arguments: list[ArgumentSpec] = []


class GoalSpec(Record):
    """What a chat is to reach, and with which tools. `name` finds the worker's own goal file, if it has one.

    client_fields: fields of the client's goal that mean nothing to us; the query get_agent_goal returns them.
    """

    name: str
    title: str = ""
    description: str = ""
    starter_prompt: str = ""
    example: str = ""
    tools: list[ToolSpec] = []
    client_fields: dict[str, Json] = {}


class Interruption(Record):
    """An attempt of an activity that came to nothing, and the one that took over.

    kind: `died` its worker was heard last `at`; `failed` it failed then, for this reason; `lost` nothing is known of it.
    attempt: its number; of several alike (`times`) the last one's. worker: pid@host. resumed: EPOCH = nobody took over.
    """

    kind: Literal["died", "failed", "lost"] = "lost"
    attempt: int = 1
    times: int = 1
    worker: str = ""
    at: datetime = EPOCH
    reason: str = ""
    next_worker: str = ""
    resumed: datetime = EPOCH


class ModelUse(Record):
    """Which model answered a call, why it was not the first one, and what it used.

    cost_usd is a decimal number as text; None means the price is unknown, never zero.
    """

    model: str
    note: str = ""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cost_usd: str | None = None
    seconds: float = 0.0

    def plus(self, other: "ModelUse") -> "ModelUse":
        """Both calls as one: the later one's model, the sum of their usage."""
        known = self.cost_usd is not None and other.cost_usd is not None
        return other.model_copy(
            update={
                "prompt_tokens": (self.prompt_tokens or 0) + (other.prompt_tokens or 0),
                "completion_tokens": (self.completion_tokens or 0) + (other.completion_tokens or 0),
                "cost_usd": str(Decimal(self.cost_usd or 0) + Decimal(other.cost_usd or 0)) if known else None,
                "seconds": self.seconds + other.seconds,
            }
        )


class Proposal(Record):
    """A question that a person decides with confirm or decline. Its id is never used again.

    kind says what is asked: `tool` run this tool with these arguments; `switch_goal` go on with another goal;
    `lost_result` a `once` tool's answer was lost: confirm = try again, decline = treat as done;
    `budget` the chat's budget is spent: confirm = go on; `end` the model would end the chat: confirm = end it.
    schema is the JSON schema of the arguments, for the card; the model is not shown it again.
    """

    id: str = ""
    kind: Literal["tool", "switch_goal", "lost_result", "budget", "end"] = "tool"
    tool: str = ""
    arguments: dict[str, Json] = {}
    text: str = ""
    effect: Effect = "once"
    needs_confirm: bool = True
    timeout: float = 60.0
    parameters: dict[str, Json] = {}
    goal: GoalSpec | None = None
    about: str = ""

    @property
    def name(self) -> str:
        """What is asked about: the tool, else the kind of question."""
        return self.tool or self.kind

    @property
    def runs_tool(self) -> bool:
        """Whether a tool runs once this is confirmed."""
        return self.kind in ("tool", "lost_result")


class _Entry(Record):
    """interruptions: of the model call or the tool that the message comes from."""

    seq: int = 0
    at: datetime = EPOCH
    interruptions: list[Interruption] = []


class UserMessage(_Entry):
    """insist: the person wants it answered although it was judged not to fit the goal."""

    kind: Literal["user"] = "user"
    id: str = ""
    text: str
    who: str = ""
    insist: bool = False


class Instruction(_Entry):
    """An instruction of ours to the model, such as the starter prompt; the page does not show it."""

    kind: Literal["instruction"] = "instruction"
    text: str


class AgentMessage(_Entry):
    """stopped: the person stopped it; the text is what was written by then. replaces: the seq of the reply it replaces."""

    kind: Literal["agent"] = "agent"
    text: str
    next: Literal["question", "done"] = "question"
    off_goal: bool = False
    by: ModelUse | None = None
    stopped: bool = False
    replaces: int = 0


class ProposalMessage(_Entry):
    kind: Literal["proposal"] = "proposal"
    proposal: Proposal
    by: ModelUse | None = None
    replaces: int = 0


class Decision(_Entry):
    """The decision on a proposal; with verdict `confirmed` it is the receipt under which the tool runs, once.

    arguments are as decided (the proposal's message keeps them as proposed). reason: the person's words, if any.
    rule: the id of the person's rule that decided, if one did.
    """

    kind: Literal["decision"] = "decision"
    proposal_id: str
    tool: str = ""
    verdict: Literal["confirmed", "declined", "withdrawn"]
    arguments: dict[str, Json] = {}
    reason: str = ""
    who: str = ""
    rule: str = ""


class Verdict(Record):
    """A decision as it is sent: on which proposal ("" = the one that waits), with which reason or arguments."""

    proposal_id: str = ""
    accepts: bool = True
    arguments: dict[str, Json] | None = None
    reason: str = ""
    who: str = ""


class ToolResult(_Entry):
    """What a tool returned, or why it failed. `unknown` = it may or may not have taken effect."""

    kind: Literal["result"] = "result"
    proposal_id: str
    tool: str = ""
    outcome: Literal["ok", "failed", "unknown"] = "ok"
    result: Json = None
    error: str = ""
    source: str = ""
    view: str = ""


class Notice(_Entry):
    """A sentence of ours to the person: a failure, a change of model, a budget."""

    kind: Literal["notice"] = "notice"
    text: str
    level: Literal["info", "warning", "error"] = "info"


Message = Annotated[
    UserMessage | Instruction | AgentMessage | ProposalMessage | Decision | ToolResult | Notice,
    Field(discriminator="kind"),
]


class Accepted(Record):
    """A proposal that was accepted together with others, and the receipt under which it will run."""

    proposal: Proposal
    receipt: Decision


class Rule(Record):
    """What the person lets a chat do without asking: proposals of this tool; agent/rules.py says which of them.

    most: the largest amount of each, a decimal number as text, in `currency`; "" = any. until, revoked: EPOCH = never.
    """

    id: str
    tool: str
    most: str = ""
    currency: str = ""
    until: datetime = EPOCH
    created: datetime = EPOCH
    revoked: datetime = EPOCH
    who: str = ""


LinkKind = Literal["read", "owner", "decide"]


class Link(Record):
    """A link to a chat, see agent/links.py. who: made it. proposal_id: of a link that decides. over: why it is no more."""

    id: str
    kind: LinkKind
    expires: datetime
    proposal_id: str = ""
    who: str = ""
    over: Literal["", "used", "revoked"] = ""


class Handover(Record):
    """By this link, the chat belongs to this visitor from now on; attribute: the server lists chats by ChatVisitor."""

    link: str
    owner: str
    who: str = ""
    attribute: bool = False


class Notification(Record):
    """The input of the `notify` activity: what waits, in which chat, and the link that decides it."""

    tool: str
    title: str
    link: Link


class Plan(Record):
    """The outcome of one model call: text, and the tools it proposes, one after another.

    stop_requested: with next=done, the person asked to stop. stopped: the call was; text is what was written by then.
    """

    text: str = ""
    proposals: list[Proposal] = []
    next: Literal["question", "done"] = "question"
    off_goal: bool = False
    stop_requested: bool = False
    stopped: bool = False
    notice: str = ""
    by: ModelUse | None = None
    interruptions: list[Interruption] = []


class PlanRequest(Record):
    """What the model is sent of a chat: the input of the `plan` activity.

    tokens, cost_usd: spent so far; extensions: how often the person agreed to go on past the budget.
    """

    goal: GoalSpec
    summary: str = ""
    messages: list[Message] = []
    model: str = ""
    tokens: int = 0
    cost_usd: str | None = "0"
    extensions: int = 0


class SummaryRequest(Record):
    """The input of the `summarize` activity: fold messages into the summary so far. Its output is a Plan's text."""

    goal: GoalSpec
    summary: str = ""
    messages: list[Message] = []
    model: str = ""


class ToolCall(Record):
    """The input of a tool's activity: one receipt."""

    proposal_id: str
    tool: str
    arguments: dict[str, Json] = {}
    idempotency_key: str
    effect: Effect = "once"


class ToolAnswer(Record):
    """The output of a tool's activity. source: mock, test or live; view: how the tool wants it drawn."""

    result: Json = None
    source: str = ""
    view: str = ""
    interruptions: list[Interruption] = []


class PastCall(Record):
    """A tool that ran in the part of a run which a repair took back, and what is known of its outcome."""

    call: ToolCall
    timeout: float = 60.0
    outcome: Literal["ok", "failed", "unknown"] = "unknown"
    answer: ToolAnswer = ToolAnswer()
    error: str = ""


class Repair(Record):
    """What a repaired run must know of the part that was taken back: its tools, and how many proposals it made."""

    calls: list[PastCall] = []
    proposals: int = 0


class Dropped(Record):
    """Ignored input, for the page to mention: how often so far, and the last reason."""

    count: int = 0
    reason: str = ""
    at: datetime = EPOCH


class ChatView(Record):
    """The answer of the query get_chat(since): everything a page draws, newest state, one page of messages.

    messages: those of this run with seq > since, oldest first, cut to a size that a query can carry; `more` says that
    others follow. Earlier runs are read by walking previous_run_id backwards.
    closes_at: when a chat whose goal is reached closes by itself; EPOCH = it does not.
    waiting: what the person is to decide; `beside`: further proposals of the same answer, on the same card.
    title: given by the person, "" if none was.
    """

    goal: GoalSpec
    status: ChatStatus = "waiting"
    revision: int = 0
    messages: list[Message] = []
    more: bool = False
    first_seq: int = 1
    next_seq: int = 1
    waiting: Proposal | None = None
    beside: list[Proposal] = []
    rules: list[Rule] = []
    links: list[Link] = []
    queued: list[UserMessage] = []
    running: str = ""
    dropped: Dropped = Dropped()
    previous_run_id: str = ""
    model: str = ""
    ended: str = ""
    closes_at: datetime = EPOCH
    tokens: int = 0
    cost_usd: str | None = "0"
    title: str = ""

    @property
    def deciding(self) -> list[Proposal]:
        """Everything that waits for a decision, in order."""
        return [self.waiting, *self.beside] if self.waiting else []
