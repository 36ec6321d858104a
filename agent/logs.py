"""Log lines: sentences for people, or with LOG_FORMAT=json one object each. A line that concerns a chat names it.

LOG_LEVEL is for our own lines. Libraries only warn: what they say besides holds prompts, results and addresses with keys.
"""

import json
import logging
import sys
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from temporalio import activity, workflow

from agent.settings import Settings
from tools.kit.results import redact

OURS = ("agent", "tools", "worker", "__main__")
"""The loggers that LOG_LEVEL is for."""


def set_up(settings: Settings) -> None:
    """Log as the settings say: warnings to stderr, the rest to stdout."""
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    formatter = (_Json if settings.log_format == "json" else _Text)(settings.environment)
    told, warned = logging.StreamHandler(sys.stdout), logging.StreamHandler(sys.stderr)
    told.addFilter(lambda record: record.levelno < logging.WARNING)
    warned.setLevel(logging.WARNING)
    root = logging.getLogger()
    root.handlers[:] = [told, warned]
    root.setLevel(max(level, logging.WARNING))
    for handler in root.handlers:
        handler.setFormatter(formatter)
    for name in OURS:
        logging.getLogger(name).setLevel(level)
    if settings.log_format == "json":
        logging.captureWarnings(True)
        sys.excepthook = lambda kind, error, trace: logging.getLogger("agent").critical(
            "This process failed.", exc_info=(kind, error, trace)
        )
        for logger in list(
            logging.root.manager.loggerDict.values()
        ):  # Streamlit and its server write lines of their own
            if isinstance(logger, logging.Logger) and logger.handlers and not logger.name.startswith("steadfast."):
                logger.handlers.clear()
                logger.propagate = True


def are_json() -> bool:
    """Whether lines are objects now."""
    return any(isinstance(handler.formatter, _Json) for handler in logging.getLogger().handlers)


def message_of(line: str) -> str:
    """The sentence in a line of a log of either format."""
    if line.startswith("{"):
        try:
            return str(json.loads(line)["message"])
        except (ValueError, KeyError):
            pass
    return line.partition(": ")[2] if line.startswith(("WARNING: ", "ERROR: ", "CRITICAL: ")) else line


def chat_of(record: logging.LogRecord) -> str:
    """The id of the chat that a line concerns: given with it, or that of the activity or workflow which writes it; or ""."""
    if chat := getattr(record, "chat", ""):
        return str(chat)
    for name in ("temporal_activity", "temporal_workflow"):
        if chat := getattr(record, name, {}).get("workflow_id"):
            return str(chat)
    if chat := getattr(getattr(record, "temporal_log", None), "fields", {}).get("workflow_id"):
        return str(chat)
    if activity.in_activity():
        return activity.info().workflow_id or ""
    return workflow.info().workflow_id if workflow.in_workflow() else ""


class _Text(logging.Formatter):
    """The sentence; its level where that is worth a look. Who keeps the lines adds the time."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        super().__init__()
        self._environment = environment

    def format(self, record: logging.LogRecord) -> str:
        level = f"{record.levelname}: " if record.levelno >= logging.WARNING else ""
        chat = chat_of(record)
        about = f" (chat {chat})" if chat and chat not in record.getMessage() else ""
        lines = [f"{level}{record.getMessage()}{about}", *_trace(record)]
        return "\n".join(redact(line, self._environment) for line in "\n".join(lines).splitlines())


class _Json(logging.Formatter):
    """One object a line: time, level, logger, message; chat, activity, attempt and error where there are such."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        super().__init__()
        self._environment = environment

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": self._plain(record.getMessage()),
        }
        if chat := chat_of(record):
            line["chat"] = chat
        if activity.in_activity():
            line |= {"activity": activity.info().activity_type, "attempt": activity.info().attempt}
        if error := "\n".join(_trace(record)):
            line["error"] = self._plain(error)
        return json.dumps(line, ensure_ascii=False)

    def _plain(self, text: str) -> str:
        return "\n".join(redact(part, self._environment) for part in text.splitlines())


def _trace(record: logging.LogRecord) -> list[str]:
    return "".join(traceback.format_exception(*record.exc_info)).splitlines() if record.exc_info else []
