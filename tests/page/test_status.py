"""The status line and the partial reply."""

from dataclasses import replace

import pytest

from agent.client import Attempt
from agent.errors import ChatError, NoWorker, ServerUnavailable
from tests.page.conftest import Page


def test_growing_reply_and_the_attempt_are_shown(greeted: Page) -> None:
    greeted.say("Hello")
    greeted.chat.conversation.begin_plan(greeted.chat.tick())
    greeted.chat.attempt = Attempt("plan", 2, "Let me thi", error="The model was overloaded.")
    greeted.shows("Let me thi ▍").shows("Writing (attempt 2) — before: The model was overloaded.")


def test_a_model_that_takes_long_to_begin_is_named(greeted: Page) -> None:
    greeted.say("Hello")
    greeted.chat.conversation.begin_plan(greeted.chat.tick())
    greeted.chat.attempt = Attempt("plan", waiting_for="openai/gpt-4o")
    greeted.shows("Thinking: waiting for openai/gpt-4o")


def test_reason_and_time_of_the_next_attempt_are_told(greeted: Page) -> None:
    greeted.say("Hello")
    greeted.chat.attempt = Attempt("plan", 3, error="The key was refused.", next_in=4.2)
    greeted.shows("The model will be retried in 4 s (attempt 3): The key was refused.")


def test_running_tool_is_named_with_its_progress(proposed: Page) -> None:
    proposed.click(f"confirm-{proposed.card_id}")
    proposed.chat.conversation.begin_tool()
    proposed.chat.attempt = Attempt("CreateInvoice", progress="Writing it", fraction=0.5)
    proposed.shows("Running “create invoice”: Writing it")


def test_no_worker_is_a_sentence_with_the_command(greeted: Page) -> None:
    greeted.local_stack.now = replace(greeted.local_stack.now, worker="off")
    greeted.chat.worker = "missing"
    greeted.shows("No worker is running").shows("python worker.py")
    greeted.chat.worker = "alive"
    greeted.shows("Waiting for you")


@pytest.mark.parametrize(
    ("trouble", "told"),
    [
        (ServerUnavailable("The Temporal server does not answer."), "The Temporal server does not answer."),
        (NoWorker("No worker has answered for 5 seconds."), "The worker does not answer."),
        (ChatError("Something else."), "Something else."),
    ],
)
def test_trouble_is_told_and_goes_away_by_itself(greeted: Page, trouble: ChatError, told: str) -> None:
    greeted.chat.trouble = trouble
    greeted.shows(told)
    assert "Which city would you like to visit" in greeted.text
    greeted.chat.trouble = None
    greeted.shows("Waiting for you")


def test_unforeseen_trouble_is_told_and_logged(greeted: Page, caplog: pytest.LogCaptureFixture) -> None:
    greeted.chat.trouble = ZeroDivisionError("secret")  # type: ignore[assignment]
    greeted.shows("This page cannot read the chat; its log says why.")
    assert "secret" not in greeted.text
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize(
    ("status", "told"),
    [
        ("failed", "failed because of an internal error"),
        ("terminated", "terminated from outside"),
        ("timed_out", "reached its time limit"),
        ("canceled", "cancelled from outside"),
    ],
)
def test_closed_chats_say_how_and_offer_a_new_one(greeted: Page, status: str, told: str) -> None:
    greeted.chat.run_status = status  # type: ignore[assignment]
    greeted.shows(told).until(lambda: greeted.has("again"))
    assert not greeted.has("end-chat")


def test_end_button_ends_the_chat(greeted: Page) -> None:
    greeted.click("end-chat").click("end-now").shows("This chat has ended. New chat starts another.")


@pytest.mark.parametrize(
    ("worker", "told"),
    [
        ("starting", "The worker is starting."),
        ("stuck", "The worker has stopped responding. It is being replaced."),
        ("stopping", "it finishes what is under way first"),
        ("failed", "The worker does not start, so nothing is answered. It is tried again by itself. LLM_KEY is wrong."),
    ],
)
def test_what_the_supervisor_says_of_the_worker_is_told(greeted: Page, worker: str, told: str) -> None:
    problem = "LLM_KEY is wrong." if worker == "failed" else ""
    greeted.local_stack.now = replace(greeted.local_stack.now, worker=worker, problem=problem)  # type: ignore[arg-type]
    greeted.chat.worker = "missing"
    greeted.shows(told).shows("Your messages are kept.")
