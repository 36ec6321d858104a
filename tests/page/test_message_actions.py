"""What can be done with messages and replies: stop, regenerate, copy, edit, fork, retry, end; rename and import."""

import pytest

from agent.client import Attempt
from agent.errors import ServerUnavailable
from agent.export import to_json
from agent.messages import Plan
from agent.page.message_actions import suggested
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


def _choose(page: Page, seq: int, option: str) -> None:
    page.app.menu_button(key=f"menu-{seq}").click(option).run()


def _exchange(page: Page) -> tuple[int, int]:
    """A message and its answer; their sequence numbers."""
    page.say("Paris").until(lambda: page.chat.conversation.inbox)
    page.chat.agent_says("It is lovely in May.")
    page.shows("lovely in May")
    return page.chat.conversation.next_seq - 2, page.chat.conversation.next_seq - 1


def test_a_message_is_copied_as_it_was_written(greeted: Page) -> None:
    _, reply = _exchange(greeted)
    _choose(greeted, reply, "Copy")
    assert greeted.assist["copied"] == {"number": 1, "text": "It is lovely in May."}


def test_a_fork_opens_a_chat_with_what_was_said_so_far(greeted: Page) -> None:
    before = greeted.chat_id
    _, reply = _exchange(greeted)
    _choose(greeted, reply, "Fork from here")
    greeted.until(lambda: greeted.chat_id != before).shows("lovely in May").shows("was said in another chat")
    assert greeted.calls("fork") == [(before, reply, "")]
    assert greeted.box["chat"] == greeted.chat_id


def test_an_edited_message_goes_to_a_new_chat(greeted: Page) -> None:
    before = greeted.chat_id
    message, _ = _exchange(greeted)
    _choose(greeted, message, "Edit and send again")
    greeted.shows("comes in a new chat")
    greeted.click("rewrite-cancel")
    assert not greeted.app.text_area
    _choose(greeted, message, "Edit and send again")
    greeted.app.text_area(key="rewritten").input("Rome")
    greeted.click("rewrite-send").until(lambda: greeted.chat_id != before).shows("Rome")
    assert greeted.calls("fork") == [(before, message - 1, "Rome")]
    assert greeted.app.text_area.len == 0


def test_a_fork_that_cannot_begin_leaves_the_page_where_it_is(greeted: Page) -> None:
    before = greeted.chat_id
    _, reply = _exchange(greeted)
    greeted.client.trouble = ServerUnavailable("The server is away.")
    _choose(greeted, reply, "Fork from here")
    greeted.client.trouble = None
    greeted.shows("Not sent: The server is away.")
    assert greeted.chat_id == before
    _choose(greeted, reply, "Fork from here")
    greeted.until(lambda: greeted.chat_id != before)


def test_an_ended_chat_goes_on_in_a_new_one(greeted: Page) -> None:
    before = greeted.chat_id
    greeted.click("end-chat").click("end-now").shows("This chat has ended")
    greeted.until(lambda: greeted.has("go-on")).click("go-on").until(lambda: greeted.chat_id != before)
    greeted.shows("Waiting for you")


def test_a_step_that_waits_is_tried_at_once(greeted: Page) -> None:
    greeted.say("Paris").until(lambda: greeted.chat.conversation.inbox)
    greeted.chat.conversation.begin_plan(greeted.chat.tick())
    assert not greeted.has("retry-now")
    greeted.chat.attempt = Attempt("plan", 2, error="Overloaded.", next_in=90.0)
    greeted.until(lambda: greeted.has("retry-now")).click("retry-now")
    assert greeted.calls("retry_now") == [(greeted.chat_id,)]


def test_a_chat_is_renamed(greeted: Page) -> None:
    greeted.click("open-rename")
    greeted.app.text_input(key="chat-title").input("Spring trip")
    greeted.click("rename-now").shows("#### Spring trip")
    assert greeted.calls("rename") == [(greeted.chat_id, "Spring trip")]


def test_an_exported_chat_is_imported_and_read(greeted: Page) -> None:
    _exchange(greeted)
    before = greeted.chat_id
    exported = to_json(greeted.page_app.call(lambda client: client.transcript(before))) if greeted.page_app else ""
    greeted.visit().click("open-import")
    assert greeted.app.button(key="import-now").disabled
    greeted.app.file_uploader(key="chat-file").set_value(("chat.json", b"{}", "application/json")).run()
    greeted.click("import-now").shows("This file is not an exported chat")
    assert not greeted.calls("import_chat")
    greeted.app.file_uploader(key="chat-file").set_value(("chat.json", exported.encode(), "application/json")).run()
    greeted.click("import-now").until(lambda: greeted.chat_id not in ("", before)).shows("This chat was imported")
    greeted.shows("lovely in May")
    assert greeted.has("go-on")
    assert not greeted.has("open-rename")


@pytest.mark.parametrize(
    ("text", "answers"),
    [
        ("Which kitchen? You can choose `Pizzeria`, `Grill` or `Noodle bar`.", ["Pizzeria", "Grill", "Noodle bar"]),
        ("Who are you? For example `alex.rivera@example.com`, `alex.rivera@example.com`.", ["alex.rivera@example.com"]),
        ("I ran `rm`. It is done.", []),
        ("Is this right?\n```\n`not this`\n```", []),
        (f"Which one? `{'x' * 100}` or `\n`", []),
        ("Which one? " + " ".join(f"`{n}`" for n in range(20)), [str(n) for n in range(8)]),
    ],
)
def test_what_a_question_marks_can_be_picked(text: str, answers: list[str]) -> None:
    assert suggested(text) == answers


def test_a_suggested_answer_is_sent_by_a_click(greeted: Page) -> None:
    greeted.say("pizza").until(lambda: greeted.chat.conversation.inbox)
    greeted.chat.agent_says("Which kitchen? You can choose `Pizzeria` or `<b>Grill</b>`.")
    seq = greeted.chat.conversation.next_seq - 1
    greeted.until(lambda: greeted.has(f"answer-{seq}-1")).click(f"answer-{seq}-1")
    greeted.until(lambda: greeted.chat.conversation.inbox)
    assert greeted.chat.conversation.inbox[0].text == "<b>Grill</b>"
    assert not greeted.has(f"answer-{seq}-1")
