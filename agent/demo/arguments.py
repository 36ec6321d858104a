"""What a tool needs, as its JSON schema says it: kind, question, choices, and which earlier result may hold it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from agent.sentences import spaced
from tools.kit.schema import resolve

Kind = Literal["choice", "date", "number", "email", "code", "place", "text"]

_GENERIC = frozenset("the a an of to in for and or on as it is by with from such".split())  # noqa: SIM905


@dataclass(frozen=True)
class Argument:
    """origin: its value is said after "from". about: name and description, lowercase."""

    tool: str
    name: str
    kind: Kind
    question: str
    about: str
    type: str = "string"
    required: bool = True
    choices: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    origin: bool = False

    def typed(self, value: Any) -> Any:
        """The value as the schema wants it."""
        try:
            return {"integer": int, "number": float}[self.type](value) if isinstance(value, str) else value
        except (KeyError, ValueError):
            return value

    @property
    def tool_words(self) -> frozenset[str]:
        """The words of the tool's name: `track`, in `track 1047`."""
        return words_of(spaced(self.tool))

    @property
    def offer(self) -> str:
        """The choices or examples, in words."""
        if self.choices:
            return f"You can choose {listed(self.choices)}."
        return f"For example {listed(self.examples[:4])}." if self.examples else ""


@dataclass(frozen=True)
class Function:
    """A tool as the model is offered it."""

    name: str
    description: str
    arguments: tuple[Argument, ...]

    @property
    def words(self) -> frozenset[str]:
        """What it is about: the words of its name and description."""
        return words_of(f"{spaced(self.name)} {self.description}")


def function_of(function: Mapping[str, Any]) -> Function:
    """From OpenAI's shape. Arguments that are not required are taken where they are said, and never asked for."""
    name, parameters = str(function["name"]), function.get("parameters") or {}
    properties, required = parameters.get("properties") or {}, parameters.get("required") or []
    names = [*(one for one in properties if one in required), *(one for one in properties if one not in required)]
    names += [one for one in required if one not in properties]
    arguments = tuple(_argument(name, one, resolve(properties.get(one), parameters), one in required) for one in names)
    return Function(name, str(function.get("description") or spaced(name)), arguments)


def _argument(tool: str, name: str, schema: Mapping[str, Any], required: bool) -> Argument:
    title, text = str(schema.get("title") or ""), str(schema.get("description") or "")
    choices = tuple(str(value) for value in schema.get("enum") or [])
    examples = tuple(str(value) for value in schema.get("examples") or [])
    such_as = re.search(r"such as ([^\s,;]+)", text)
    about = f"{spaced(name)} {title} {text}".lower()
    return Argument(
        tool=tool,
        name=name,
        kind=_kind(name, schema, about, examples or ((such_as[1].rstrip("."),) if such_as else ())),
        question=_question(name, title, text, choices),
        about=about,
        type=str(schema.get("type", "string")),
        required=required,
        choices=choices,
        examples=examples or ((such_as[1].rstrip("."),) if such_as else ()),
        origin=re.search(r"\b(?:from|out of)\b", about) is not None,
    )


def _kind(name: str, schema: Mapping[str, Any], about: str, examples: tuple[str, ...]) -> Kind:
    if schema.get("enum"):
        return "choice"
    if schema.get("format") == "date":
        return "date"
    if schema.get("type") in ("number", "integer") or schema.get("format") == "decimal":
        return "number"
    if schema.get("format") == "email" or re.search(r"\be-?mail\b", about) or any("@" in one for one in examples):
        return "email"
    if re.search(r"\b(?:city|town|airport|place)\b", about):
        return "place"
    return "code" if any(re.fullmatch(r"(?=.*\d)[\w-]+", one) for one in examples) else "text"


def _question(name: str, title: str, text: str, choices: tuple[str, ...]) -> str:
    if title.endswith("?"):
        return title
    told = f" ({text.rstrip('.')})" if text else f" ({', '.join(choices)})" if choices else ""
    return f"What is the {(title or spaced(name)).lower()}{told}?"


def words_of(text: str) -> frozenset[str]:
    """The words of a text, lowercase and singular."""
    return frozenset(singular(word) for word in re.findall(r"[^\W\d_]{2,}", text.lower()) if word not in _GENERIC)


def singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def listed(items: tuple[str, ...] | list[str], last: str = "or") -> str:
    """a, b or c."""
    return f" {last} ".join([", ".join(items[:-1]), items[-1]] if len(items) > 1 else items)
