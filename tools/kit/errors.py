"""What a tool raises, named for what the caller does next. Each message is one sentence for the person and the model."""

from collections.abc import Mapping, Sequence


class ToolError(Exception):
    """It failed, and the same call will fail again: tell the person and the model, do not retry."""


class TryAgain(Exception):
    """It failed for now: the same call may work later.

    retry_after: seconds to wait first, or None for the caller's own rhythm.
    """

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class InvalidArguments(ToolError):
    """The arguments do not fit the tool. missing: their names; wrong: name -> one sentence that says what it must be."""

    def __init__(self, tool: str, missing: Sequence[str] = (), wrong: Mapping[str, str] | None = None) -> None:
        self.missing = list(missing)
        self.wrong = dict(wrong or {})
        problems = [f"{name} is missing" for name in self.missing]
        problems += [sentence.rstrip(".") for sentence in self.wrong.values()]
        super().__init__(f"{tool} cannot run: {'; '.join(problems)}.")
