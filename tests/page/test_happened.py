"""What happened on the way is told in the transcript, in numbers and words of the facts."""

from datetime import UTC, datetime, timedelta

import pytest

from agent.messages import Interruption, Plan, ToolAnswer
from agent.page.happened import outcome
from agent.sentences import interruption
from tests.page.conftest import Page

THEN = datetime(2030, 3, 1, 12, 0, tzinfo=UTC)
DIED = Interruption(
    kind="died", worker="14995@here", at=THEN, next_worker="15507@here", resumed=THEN + timedelta(seconds=6.1)
)
FAILED = Interruption(
    kind="failed", reason="openai/x is overloaded (503).", at=THEN, resumed=THEN + timedelta(seconds=2), times=3
)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (DIED, "Worker 14995 died here; 15507 took over after 6.1 s."),
        (
            DIED.model_copy(update={"next_worker": "14995@there"}),
            "Worker 14995@here died here; 14995@there took over after 6.1 s.",
        ),
        (
            DIED.model_copy(update={"next_worker": "14995@here"}),
            "Worker 14995 was out of reach here; it went on after 6.1 s.",
        ),
        (Interruption(kind="died", worker="14995@here", at=THEN), "Worker 14995 died here."),
        (FAILED, "3 attempts failed: openai/x is overloaded (503). The next began after 2.0 s."),
        (Interruption(next_worker="15507@here"), "An attempt was lost here; worker 15507 took over."),
    ],
)
def test_an_interruption_is_a_sentence(found: Interruption, words: str) -> None:
    assert interruption(found) == words


def test_what_it_means_depends_on_the_effect() -> None:
    assert outcome([DIED], None) == "Asked again once; nothing done twice."
    assert outcome([DIED, FAILED], "idempotent") == "Tried again 4 times with the same key; nothing done twice."
    assert outcome([DIED, DIED], "read") == "Read again twice; nothing done twice."
    assert outcome([Interruption(kind="died", at=THEN)], "once") == "It was not tried again by itself."


def test_a_death_stays_in_the_transcript(greeted: Page) -> None:
    greeted.say("Hello")
    greeted.chat.conversation.begin_plan(greeted.chat.tick())
    greeted.chat.conversation.finish_plan(Plan(text="Hi again", interruptions=[DIED]), greeted.chat.tick())
    greeted.shows("Hi again")
    assert "Worker 14995 died here; 15507 took over after 6.1 s. Asked again once; nothing done twice." in greeted.text


def test_many_interruptions_are_folded(greeted: Page) -> None:
    greeted.say("Hello")
    greeted.chat.conversation.begin_plan(greeted.chat.tick())
    plan = Plan(text="Hi again", interruptions=[DIED, FAILED, DIED])
    greeted.chat.conversation.finish_plan(plan, greeted.chat.tick())
    greeted.shows("Hi again")
    assert [each.label.replace("\\", "") for each in greeted.app.expander if "Interrupted" in each.label] == [
        ":material/healing: Interrupted 5 times. Asked again 5 times; nothing done twice."
    ]


def test_words_of_a_provider_are_letters_only(greeted: Page) -> None:
    greeted.say("Hello")
    greeted.chat.conversation.begin_plan(greeted.chat.tick())
    evil = FAILED.model_copy(update={"reason": "![x](http://evil.example) :red[no]"})
    greeted.chat.conversation.finish_plan(Plan(text="Hi again", interruptions=[evil]), greeted.chat.tick())
    greeted.shows("Hi again")
    (caption,) = [each.value for each in greeted.app.caption if "attempts failed" in each.value]
    assert "![" not in caption
    assert ":red[" not in caption


def test_a_tool_that_was_run_again_says_so_beside_its_result(proposed: Page) -> None:
    proposed.click(f"confirm-{proposed.card_id}")
    proposed.chat.conversation.begin_tool()
    proposed.chat.conversation.finish_tool(ToolAnswer(result="Done", interruptions=[DIED]), proposed.chat.tick())
    proposed.shows("15507 took over after 6.1 s.")
