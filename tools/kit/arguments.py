"""The arguments of a typed function: their JSON schema, and the way from what a model sends to what the function takes."""

import inspect
import itertools
import json
import re
import textwrap
from collections.abc import Callable
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from tools.kit.schema import compact_schema
from tools.kit.tool import InvalidArguments, ToolContext

_SECTIONS = ("Args:", "Arguments:", "Returns:", "Raises:", "Yields:", "Examples:")

_CONFIG = ConfigDict(
    str_strip_whitespace=True, coerce_numbers_to_str=True, allow_inf_nan=False, protected_namespaces=(), extra="ignore"
)


class Arguments:
    """The arguments of one function, read once from its signature and docstring.

    Raises TypeError, in a sentence for the author, for a signature that no schema can be made of.
    """

    def __init__(self, tool: str, function: Callable[..., Any]) -> None:
        self.tool = tool
        self.description, about = read_docstring(function)
        if not self.description:
            raise TypeError(f"{tool} needs a docstring: its first lines tell the model what the tool does")
        hints = get_type_hints(function, include_extras=True)
        self.context_name = ""
        self._fields: dict[str, str] = {}
        self._nullable: set[str] = set()  # required, and null is one of the values
        fields: dict[str, Any] = {}
        for name, parameter in inspect.signature(function).parameters.items():
            if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
                raise TypeError(f"{tool} takes *{name}; every argument of a tool has a name and a type")
            if name not in hints:
                raise TypeError(f"the argument {name} of {tool} needs a type")
            if hints[name] is ToolContext:
                self.context_name = name
                continue
            default = ... if parameter.default is parameter.empty else parameter.default
            if default is ... and _allows_none(hints[name]):
                self._nullable.add(name)
            text = _annotated_text(hints[name]) or about.get(name)
            info = Field(default, alias=name, description=text) if text else Field(default, alias=name)
            field = f"field_{len(fields)}"  # a parameter may be called `copy` or `schema`, a field of a model may not
            self._fields[field] = name
            fields[field] = (hints[name], info)
        self._model: type[BaseModel] = create_model(f"{tool}Arguments", __config__=_CONFIG, **fields)
        self.parameters = compact_schema(self._model)
        self._schemas: dict[str, dict[str, Any]] = dict(self.parameters["properties"])
        self.parameters["properties"] |= {name: _or_null(self._schemas[name]) for name in self._nullable}

    def check(self, arguments: object) -> dict[str, Any]:
        """The arguments as plain JSON, coerced; raises InvalidArguments with what is missing and what is wrong."""
        read = self._read(arguments)
        plain: dict[str, Any] = _without_defaults(read.model_dump(mode="json", by_alias=True), read)
        return plain

    def values(self, arguments: object) -> dict[str, Any]:
        """The arguments as the function's own types."""
        read = self._read(arguments)
        return {name: getattr(read, field) for field, name in self._fields.items()}

    def _read(self, arguments: object) -> BaseModel:
        if not isinstance(arguments, dict):
            raise InvalidArguments(self.tool, wrong={"": "its arguments must be one JSON object"})
        missing: list[str] = []
        wrong: dict[str, str] = {}
        given: dict[str, Any] = {}
        for name, schema in self._schemas.items():
            value = arguments.get(name)
            if name in arguments and value is None and name in self._nullable:
                given[name] = None
                continue
            if value is None or (isinstance(value, str) and not value.strip() and not _may_be_blank(schema)):
                if name in self.parameters.get("required", ()):
                    missing.append(name)
                continue
            given[name] = prepare(value, schema)
            if not _looks_like_a_date(given[name], schema):
                wrong[name] = f"{name} must be {_DATES[schema['format']]}"
        if not missing and not wrong:
            try:
                return self._model.model_validate(given)
            except ValidationError as error:
                for detail in error.errors(include_url=False):
                    wrong.setdefault(str(detail["loc"][0]), _sentence(detail))
        raise InvalidArguments(self.tool, missing, wrong)


def read_docstring(function: Callable[..., Any]) -> tuple[str, dict[str, str]]:
    """What a docstring says of the function, and of each argument in its section `Args:`."""
    lines = (inspect.getdoc(function) or "").splitlines()
    titles = [number for number, line in enumerate(lines) if line.strip() in _SECTIONS] + [len(lines)]
    about: dict[str, str] = {}
    for start, end in itertools.pairwise(titles):
        if not lines[start].strip().startswith("Arg"):
            continue
        name = ""
        for line in textwrap.dedent("\n".join(lines[start + 1 : end])).splitlines():
            entry = re.match(r"(\w+)\s*(?:\([^)]*\))?:\s*(.*)", line)
            if entry:
                name = entry[1]
                about[name] = entry[2]
            elif name and line.strip():
                about[name] = f"{about[name]} {line.strip()}".strip()
    return " ".join(" ".join(lines[: titles[0]]).split()), about


def _annotated_text(hint: Any) -> str:
    """What `Annotated[str, "the text"]` or `Annotated[str, Field(description="the text")]` says of an argument."""
    for part in get_args(hint)[1:] if get_origin(hint) is Annotated else ():
        text = part.description if isinstance(part, FieldInfo) else part
        if isinstance(text, str):
            return text
    return ""


def _allows_none(hint: Any) -> bool:
    """Whether None is one of a type's values: `X | None`, with or without `Annotated`."""
    parts = get_args(hint)
    return _allows_none(parts[0]) if get_origin(hint) is Annotated else hint is type(None) or type(None) in parts


def _may_be_blank(schema: dict[str, Any]) -> bool:
    """Whether a blank text is an answer. It is one where the type says so; else it is a field that was left empty."""
    return schema.get("minLength") == 0 or "" in schema.get("enum", ())


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    about = {key: value for key, value in schema.items() if key in ("title", "description", "examples")}
    return {"anyOf": [{key: value for key, value in schema.items() if key not in about}, {"type": "null"}], **about}


def _without_defaults(plain: Any, read: Any) -> Any:
    """What was dumped of a value, without the nulls of fields that may be left out."""
    if isinstance(read, BaseModel):
        fields = {field.alias or name: (field, getattr(read, name)) for name, field in type(read).model_fields.items()}
        return {
            key: _without_defaults(value, fields[key][1]) if key in fields else value
            for key, value in plain.items()
            if value is not None or (key in fields and fields[key][0].is_required())
        }
    if isinstance(read, list | tuple) and isinstance(plain, list):
        return [_without_defaults(*pair) for pair in zip(plain, read, strict=True)]
    if isinstance(read, dict) and isinstance(plain, dict):
        values = zip(plain.items(), read.values(), strict=True)
        return {name: _without_defaults(value, original) for (name, value), original in values}
    return plain


def prepare(value: Any, schema: dict[str, Any]) -> Any:
    """What a model or a person typed, nearer to what the schema asks for."""
    if isinstance(value, str):
        if value in schema.get("enum", ()):
            return value
        for allowed in schema.get("enum", ()):
            if isinstance(allowed, str) and allowed.casefold() == value.strip().casefold():
                return allowed
        if schema.get("type") in ("array", "object") and value.strip()[:1] in ("[", "{"):
            try:
                return json.loads(value)
            except ValueError:
                return value
        if schema.get("type") == "array":
            return [part.strip() for part in value.split(",") if part.strip()]
        if schema.get("format") == "decimal":
            amount = value.strip().lstrip("$€£")
            return amount.replace(",", "") if _THOUSANDS.fullmatch(amount) else amount
    elif schema.get("format") == "decimal" and isinstance(value, float):
        return repr(value)
    return value


_THOUSANDS = re.compile(r"\d{1,3}(,\d{3})+(\.\d+)?")

_DATES = {
    "date": "a date such as 2027-03-15",
    "date-time": "a date and time such as 2027-03-15T09:30",
}


def _looks_like_a_date(value: Any, schema: dict[str, Any]) -> bool:
    """False for what pydantic would take for seconds since 1970."""
    if schema.get("format") not in _DATES:
        return True
    return isinstance(value, str) and re.match(r"\s*\d{4}-\d\d-\d\d", value) is not None


def _sentence(detail: ErrorDetails) -> str:
    """One of pydantic's complaints, as a sentence for the person."""
    name = ".".join(str(part) for part in detail["loc"])
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "missing":
        return f"{name} is missing"
    if kind in ("literal_error", "enum"):
        allowed = str(context["expected"]).replace(" or ", ", ").replace("'", "")
        return f"{name} must be one of: {allowed}"
    if kind.startswith("datetime"):
        return f"{name} must be {_DATES['date-time']}"
    if kind.startswith("date_"):
        return f"{name} must be {_DATES['date']}"
    if kind.startswith("decimal_max_places"):
        return f"{name} may have at most {context['decimal_places']} decimal places"
    if kind in ("decimal_parsing", "decimal_type", "float_parsing", "float_type", "finite_number"):
        return f"{name} must be a number such as 19.99"
    if kind.startswith("int_"):
        return f"{name} must be a whole number"
    if kind.startswith("bool_"):
        return f"{name} must be yes or no"
    if kind == "value_error":
        return f"{name} {context['error']}"
    message = detail["msg"]
    return f"{name}: {message[:1].lower()}{message[1:]}"
