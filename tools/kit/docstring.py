"""What a docstring says: of the function, and of each argument."""

import inspect
import itertools
import re
import textwrap
from collections.abc import Callable
from typing import Any

_SECTIONS = ("Args:", "Arguments:", "Returns:", "Raises:", "Yields:", "Examples:")


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
