"""What a tool needs, as its JSON schema says it: kind, question, choices."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from agent.demo.words import words_of
from agent.sentences import phrase, spaced
from tools.kit.schema import resolve

Kind = Literal["choice", "date", "number", "email", "code", "place", "text"]


@dataclass(frozen=True, eq=False)
class Argument:
    """about: name, title and description, lowercase. origin: its value is said after "from"."""

    tool: str
    name: str
    kind: Kind
    question: str
    about: str
    type: str
    required: bool
    choices: tuple[str, ...]
    examples: tuple[str, ...]
    origin: bool


@dataclass(frozen=True, eq=False)
class Function:
    """A tool as the model is offered it."""

    name: str
    description: str
    arguments: tuple[Argument, ...]

    @property
    def words(self) -> frozenset[str]:
        """What it is about: the words of its name and description."""
        return words_of(f"{spaced(self.name)} {self.description}")

    def shall(self, about: str = "") -> str:
        return f"Shall I {phrase(self.description)}{about}?"


def function_of(function: Mapping[str, Any]) -> Function:
    """From OpenAI's shape. Arguments that are not required are taken where they are said, and never asked for."""
    name, parameters = str(function["name"]), function.get("parameters") or {}
    properties, required = parameters.get("properties") or {}, parameters.get("required") or []
    names = dict.fromkeys([*(one for one in properties if one in required), *properties, *required])
    arguments = tuple(_argument(name, one, resolve(properties.get(one), parameters), one in required) for one in names)
    return Function(name, str(function.get("description") or spaced(name)), arguments)


def _argument(tool: str, name: str, schema: Mapping[str, Any], required: bool) -> Argument:
    title, text = str(schema.get("title") or ""), str(schema.get("description") or "")
    choices, examples = (tuple(map(str, schema.get(key) or [])) for key in ("enum", "examples"))
    about = f"{spaced(name)} {title} {text}".lower()
    told = f" ({text.rstrip('.')})" if text else f" ({', '.join(choices)})" if choices else ""
    return Argument(
        tool=tool,
        name=name,
        kind=_kind(schema, about, examples),
        question=title if title.endswith("?") else f"What is the {(title or spaced(name)).lower()}{told}?",
        about=about,
        type=str(schema.get("type", "string")),
        required=required,
        choices=choices,
        examples=examples,
        origin=re.search(r"\b(?:from|out of)\b", about) is not None,
    )


def _kind(schema: Mapping[str, Any], about: str, examples: Sequence[str]) -> Kind:
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


def listed(items: Sequence[str], last: str = "or") -> str:
    """a, b or c."""
    return f" {last} ".join([", ".join(items[:-1]), items[-1]] if len(items) > 1 else items)


def offered(items: Sequence[str]) -> str:
    """`a`, `b` or `c`: marked as answers that can be picked, as the prompt asks of any model."""
    return listed([f"`{item}`" for item in items])
