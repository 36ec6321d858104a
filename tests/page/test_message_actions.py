"""Stop, Regenerate and End, on the page."""

from agent.client import Attempt
from agent.messages import Plan
from tests.page.conftest import Page


def test_a_reply_that_is_stopped_says_so_and_keeps_its_words(greeted: Page) -> None:
    assert not greeted.has("stop")
    greeted.say("Paris").until(lambda: greeted.chat.conversation.inbox)
    greeted.chat.conversation.begin_plan(greeted.chat.tick())
    greeted.chat.attempt = Attempt("plan", partial="In Paris")
    greeted.until(lambda: greeted.has("stop")).click("stop")
    assert greeted.calls("stop")
    greeted.chat.attempt = None
    greeted.chat.conversation.finish_plan(Plan(text="In Paris", stopped=True), greeted.chat.tick())
    greeted.shows("In Paris").shows("Stopped")
    assert not greeted.has("stop")


def test_a_reply_that_is_written_again_is_folded_once_the_new_one_is_there(greeted: Page) -> None:
    assert not greeted.has("regenerate"), "the greeting is not for it"
    greeted.say("Paris").until(lambda: greeted.chat.conversation.inbox)
    greeted.chat.agent_says("First.")
    greeted.until(lambda: greeted.has("regenerate")).click("regenerate")
    seq = next(m.seq for m in greeted.chat.conversation.messages if m.kind == "agent" and m.text == "First.")
    assert greeted.calls("regenerate")[0][-1] == seq
    greeted.chat.agent_says("Second.")
    greeted.shows("Second.")
    assert [expander.label for expander in greeted.app.expander if "earlier reply" in expander.label]


def test_end_asks_first_and_can_be_taken_back(greeted: Page) -> None:
    greeted.click("end-chat").click("end-not")
    assert not greeted.has("end-now")
    assert not greeted.calls("end")
    greeted.click("end-chat").click("end-now").shows("This chat has ended")
    assert len(greeted.calls("end")) == 1


def test_a_chat_whose_goal_is_reached_says_so_and_takes_more(greeted: Page) -> None:
    greeted.chat.conversation.linger = 60
    greeted.chat.conversation.achieved = True
    greeted.say("Paris").until(lambda: greeted.chat.conversation.inbox)
    greeted.chat.agent_says("All done.", next="done")
    greeted.shows("The goal is reached. Write to go on")
    greeted.say("Thanks").until(lambda: greeted.chat.conversation.inbox)
    greeted.chat.agent_says("You're welcome.")
    greeted.shows("You're welcome.").shows("Waiting for you")


def test_a_chat_is_exported(greeted: Page) -> None:
    greeted.click("open-export").until(lambda: greeted.app.get("download_button"))
    assert [button.proto.label for button in greeted.app.get("download_button")] == ["Markdown", "JSON"]
