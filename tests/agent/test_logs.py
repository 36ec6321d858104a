"""What a line of the log looks like, which chat it names, and what it never holds."""

import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from temporalio.testing import ActivityEnvironment

from agent import logs
from agent.settings import Settings

_log = logging.getLogger("agent.test")


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Logging is the process's own; other tests find it as it was."""
    root = logging.getLogger()
    before = (list(root.handlers), root.level, [logging.getLogger(name).level for name in logs.OURS], sys.excepthook)
    yield
    root.handlers[:], sys.excepthook = before[0], before[3]
    root.setLevel(before[1])
    for name, level in zip(logs.OURS, before[2], strict=True):
        logging.getLogger(name).setLevel(level)
    logging.captureWarnings(False)


def set_up(**settings: Any) -> None:
    logs.set_up(Settings(environment={"LLM_KEY": "sk-key-of-a-person"}, **settings))


def objects(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_text_is_a_sentence_with_its_level_and_chat(capsys: pytest.CaptureFixture[str]) -> None:
    set_up()
    _log.info("A worker began.")
    _log.warning("A model is slow.", extra={"chat": "chat-1"})
    assert capsys.readouterr() == ("A worker began.\n", "WARNING: A model is slow. (chat chat-1)\n")


def test_json_is_one_object_a_line_whatever_is_in_it(capsys: pytest.CaptureFixture[str]) -> None:
    set_up(log_format="json")
    _log.info('Two\nlines and "quotes"', extra={"chat": "chat-1"})
    try:
        raise ValueError("a cause\nof two lines")
    except ValueError:
        _log.exception("It failed.")
    told, warned = capsys.readouterr()
    [line] = objects(told)
    assert line.pop("time").endswith("+00:00")
    assert line == {"level": "info", "logger": "agent.test", "message": 'Two\nlines and "quotes"', "chat": "chat-1"}
    [failure] = objects(warned)
    assert failure["message"] == "It failed."
    assert failure["error"].startswith("Traceback")
    assert failure["error"].endswith("ValueError: a cause\nof two lines")
    assert "chat" not in failure


async def test_line_of_an_activity_names_its_chat_also_in_a_library(capsys: pytest.CaptureFixture[str]) -> None:
    async def act() -> None:
        _log.warning("A line of ours.")
        logging.getLogger("some.library").warning("A line of a library.")

    set_up(log_format="json")
    environment = ActivityEnvironment()
    await environment.run(act)
    chat = environment.info.workflow_id
    lines = objects(capsys.readouterr().err)
    assert [(line["chat"], line["activity"], line["attempt"]) for line in lines] == [(chat, "unknown", 1)] * 2


def test_level_is_for_our_lines_and_libraries_only_warn(capsys: pytest.CaptureFixture[str]) -> None:
    set_up(log_level="debug")
    _log.debug("ours")
    logging.getLogger("a.library").info("GET https://example.com/?key=secret")
    assert capsys.readouterr() == ("ours\n", "")
    set_up(log_level="error")
    _log.warning("ours")
    logging.getLogger("a.library").warning("theirs")
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_no_line_holds_a_key(log_format: str, capsys: pytest.CaptureFixture[str]) -> None:
    set_up(log_format=log_format)
    key = "-".join(("sk", "key", "of", "a", "person"))  # so that no line of this file holds it
    try:
        raise ValueError(f"refused: {key}")
    except ValueError:
        _log.exception("The key %s was refused.", key)
    written = "".join(capsys.readouterr())
    assert "of-a-person" not in written
    assert written.count("[hidden]") == 2


def test_uncaught_error_is_one_object_too(capsys: pytest.CaptureFixture[str]) -> None:
    set_up(log_format="json")
    sys.excepthook(ValueError, ValueError("unforeseen"), None)
    assert objects(capsys.readouterr().err)[0]["error"] == "ValueError: unforeseen"


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_sentence_is_found_in_either_format(log_format: str, capsys: pytest.CaptureFixture[str]) -> None:
    set_up(log_format=log_format)
    _log.error("LLM_KEY is missing: set it.")
    assert logs.message_of(capsys.readouterr().err.strip()) == "LLM_KEY is missing: set it."
