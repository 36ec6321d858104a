"""The page's states, over conversations in memory."""

import pytest

from agent import wire
from agent.client import Attempt, ChatClient
from agent.errors import ChatError, NoWorker, ServerUnavailable, SettingsError
from agent.local import LocalStatus
from agent.messages import ModelUse, Plan, ToolAnswer
from agent.page.app import PageApp
from agent.settings import Settings
from tests.page.conftest import Page
from tests.page.fake_client import FakeStack

FLIGHTS = {"origin": "Austin", "destination": "SFO", "date_depart": "2030-03-05", "date_return": "2030-03-07"}
INVOICE = {"amount": "208.73", "currency": "USD", "description": "Flight"}


@pytest.fixture
def greeted(page: Page) -> Page:
    return page.visit().shows("Which city would you like to visit")


@pytest.fixture
def proposed(greeted: Page) -> Page:
    greeted.chat.agent_proposes("CreateInvoice", dict(INVOICE), "Let's create the invoice.")
    return greeted.shows("Let's create the invoice.")


def card(page: Page) -> str:
    """The id of the card that waits."""
    assert page.chat.conversation.proposal is not None
    return page.chat.conversation.proposal.id


# Opening


def test_agent_greets_without_a_click_and_the_address_names_the_chat(greeted: Page) -> None:
    assert greeted.chat_id.startswith("chat-")
    assert len(greeted.calls("start")) == 1
    assert "Waiting for you" in greeted.text


def test_reload_shows_the_same_chat_and_starts_no_other(greeted: Page) -> None:
    greeted.visit(chat=greeted.chat_id).shows("Which city would you like to visit")
    assert len(greeted.calls("start")) == 1


def test_goal_in_the_address_is_the_goal_of_the_chat(page: Page) -> None:
    page.visit(goal="food").shows("Which city would you like to visit")
    assert page.calls("start") == [("food",)]
    assert "#### Order food" in page.text
    assert "goal" not in page.app.query_params


def test_unknown_goal_in_the_address_is_the_default_one(page: Page) -> None:
    page.visit(goal="<script>").shows("Which city would you like to visit")
    assert page.calls("start") == [("event_flight_invoice",)]


def test_another_goal_picked_on_the_first_screen_ends_the_chat_nobody_spoke_in(greeted: Page) -> None:
    first = greeted.chat_id
    greeted.click("pick-food").until(lambda: greeted.chat_id not in ("", first))
    assert greeted.calls("end") == [(first,)]
    assert greeted.calls("start")[1] == ("food",)


def test_new_chat_leaves_a_chat_that_was_spoken_in(greeted: Page) -> None:
    first = greeted.chat_id
    greeted.say("Hello").until(lambda: not greeted.has("pick-food"))
    greeted.click("new-chat").until(lambda: greeted.chat_id not in ("", first))
    assert greeted.calls("end") == []


def test_goals_are_not_offered_once_something_was_said(greeted: Page) -> None:
    assert "Or something else?" in greeted.text
    greeted.say("Hello").until(lambda: "Or something else?" not in greeted.text)


def test_scripted_model_is_called_so_in_one_line(greeted: Page) -> None:
    assert "built-in scripted model, not from an AI" in greeted.text


@pytest.mark.parametrize("chat", ["chat-0", "no such/../chat", "x" * 300, "<b>"])
def test_chat_that_is_not_there_offers_a_new_one(page: Page, chat: str) -> None:
    page.visit(chat=chat).shows("There is no chat at this address")
    assert page.calls("start") == []
    page.click("new-chat").shows("Which city would you like to visit")


def test_page_names_the_step_while_the_server_starts(page: Page) -> None:
    page.local_stack.now = LocalStatus(step="Fetching the Temporal server", since=1.0)
    page.visit()
    assert "Fetching the Temporal server …" in page.text
    assert page.calls("start") == []
    page.local_stack.now = FakeStack().now
    page.shows("Which city would you like to visit")


def test_server_that_cannot_be_started_is_one_sentence(page: Page) -> None:
    page.local_stack.now = LocalStatus(
        phase="failed", problem="There is no Temporal server. Install Go, or set TEMPORAL_CLI_PATH."
    )
    page.visit()
    assert "There is no Temporal server. Install Go, or set TEMPORAL_CLI_PATH." in page.text


def test_unusable_settings_name_the_variable_and_work_once_mended(page: Page) -> None:
    broken = [SettingsError("LLM_TIMEOUT must be a number of seconds from 1 to 3600.")]

    def read() -> Settings:
        if broken:
            raise broken[0]
        return Settings()

    working = Page()
    working.visit()
    assert working.page_app is not None
    page.page_app = PageApp(read_settings=read, local_stack=page.local_stack, connect=working.page_app.connect)
    page.client = working.client
    page.visit()
    assert "LLM_TIMEOUT must be a number of seconds" in page.text
    broken.clear()
    page.shows("Which city would you like to visit")


def test_chat_is_opened_once_the_server_answers_and_only_once(page: Page) -> None:
    page.client.trouble = ServerUnavailable("The Temporal server does not answer.")
    page.visit().shows("The Temporal server does not answer.")
    page.client.trouble = None
    page.shows("Which city would you like to visit")
    assert len(page.client.chats_by_id) == 1


def test_certificate_that_cannot_be_read_names_its_variable(page: Page) -> None:
    async def connect(_settings: Settings, _address: str) -> ChatClient:
        raise SettingsError("TEMPORAL_TLS_CLIENT_CERT_PATH names no file.")

    page.page_app = PageApp(read_settings=Settings, local_stack=page.local_stack, connect=connect)
    page.visit().shows("TEMPORAL_TLS_CLIENT_CERT_PATH names no file.")


# Saying


def test_own_words_show_at_once_and_are_never_markdown(greeted: Page) -> None:
    greeted.say("![x](http://evil) **bold**")
    assert "![x](http://evil) **bold**" in [text.value for text in greeted.app.text]


def test_words_of_the_model_cannot_fetch_an_image(greeted: Page) -> None:
    greeted.chat.agent_says("Look: ![x](http://evil/?d=1)")
    greeted.shows("Look:")
    assert not any("![" in markdown.value for markdown in greeted.app.markdown)


@pytest.mark.parametrize("text", ["   ", "x" * 8001])
def test_refused_message_stays_in_the_box(greeted: Page, text: str) -> None:
    greeted.say(text)
    assert len(greeted.app.warning) == 1
    assert greeted.app.chat_input(key="message").value == text
    assert "refused" not in greeted.text


def test_message_that_could_not_be_sent_stays_in_the_box_and_is_said_once(greeted: Page) -> None:
    greeted.client.trouble = ServerUnavailable("The Temporal server does not answer.")
    greeted.say("Austin in May")
    assert greeted.app.chat_input(key="message").value == "Austin in May"
    greeted.client.trouble = None
    greeted.say("Austin in May")
    (_, _, first), (_, _, second) = greeted.calls("send")
    assert first == second
    assert not greeted.app.warning


def test_message_to_an_ended_chat_is_refused_and_a_new_chat_offered(greeted: Page) -> None:
    greeted.chat.run_status = "completed"
    greeted.say("Hello?")
    assert "This chat has ended" in greeted.text
    greeted.until(lambda: greeted.has("again"))


def test_queued_words_say_that_they_wait(greeted: Page) -> None:
    greeted.chat.conversation.begin_plan(greeted.chat.tick())
    greeted.say("One more thing").shows("queued")
    assert [text.value for text in greeted.app.text].count("One more thing") == 1


# Deciding


def test_card_shows_the_arguments_in_words(proposed: Page) -> None:
    assert "Create invoice" in proposed.text
    assert ":gray[Amount]\u2002 $208.73" in proposed.text
    assert "{" not in proposed.text


def test_confirm_decides_the_card_once_however_often_it_is_clicked(proposed: Page) -> None:
    key = card(proposed)
    proposed.click(f"confirm-{key}")
    assert not proposed.has(f"confirm-{key}") or proposed.app.button(key=f"confirm-{key}").disabled
    proposed.shows("confirmed by you")
    assert proposed.calls("confirm") == [(key, None)]


def test_decline_goes_to_the_chat(proposed: Page) -> None:
    key = card(proposed)
    proposed.click(f"decline-{key}").shows("declined by you")
    assert proposed.calls("decline") == [(key, "")]


def test_decline_with_a_reason(proposed: Page) -> None:
    key = card(proposed)
    proposed.app.text_input(key=f"reason-{key}").set_value("Too dear")
    proposed.click(f"decline-why-{key}").shows("“Too dear”")
    assert proposed.calls("decline") == [(key, "Too dear")]


@pytest.mark.parametrize(("word", "call"), [("Yes", "confirm"), ("no.", "decline")])
def test_plain_yes_or_no_under_a_card_decides_it(proposed: Page, word: str, call: str) -> None:
    key = card(proposed)
    proposed.say(word)
    assert proposed.calls(call)[0][0] == key
    assert proposed.calls("send") == []


def test_plain_yes_without_a_card_is_a_message(greeted: Page) -> None:
    greeted.say("Yes")
    assert greeted.calls("send")[0][1] == "Yes"


def test_edited_arguments_are_confirmed_and_what_was_proposed_is_kept(proposed: Page) -> None:
    key = card(proposed)
    proposed.click(f"edit-{key}")
    proposed.app.text_input(key=f"edit-{key}-amount").set_value("100")
    proposed.click(f"confirm-edited-{key}").shows("Edited before confirming")
    assert proposed.calls("confirm") == [(key, {**INVOICE, "amount": "100"})]


def test_edited_nonsense_is_refused_and_the_form_stays(proposed: Page) -> None:
    key = card(proposed)
    proposed.click(f"edit-{key}")
    proposed.app.text_input(key=f"edit-{key}-amount").set_value("much")
    proposed.click(f"confirm-edited-{key}")
    assert "Amount must be a number" in proposed.text
    assert proposed.app.text_input(key=f"edit-{key}-amount").value == "much"
    assert proposed.calls("confirm") == []


def test_edit_form_without_changes_confirms_what_was_proposed(proposed: Page) -> None:
    key = card(proposed)
    proposed.click(f"edit-{key}").click(f"confirm-edited-{key}")
    assert proposed.calls("confirm") == [(key, None)]


def test_days_are_edited_as_days(greeted: Page) -> None:
    greeted.chat.agent_proposes("SearchFlights", dict(FLIGHTS), "Let's search.")
    greeted.shows("Let's search.").click(f"edit-{card(greeted)}")
    assert [str(day.value) for day in greeted.app.date_input] == ["2030-03-05", "2030-03-07"]


def test_late_decision_changes_nothing_and_says_so(proposed: Page) -> None:
    key = card(proposed)
    proposed.chat.conversation.decline(proposed.chat.tick(), key)
    proposed.click(f"confirm-{key}").shows("changed nothing")
    assert proposed.chat.conversation.receipt is None


def test_card_decided_in_another_tab_goes_away_by_itself(proposed: Page) -> None:
    key = card(proposed)
    proposed.chat.conversation.decline(proposed.chat.tick(), key)
    proposed.until(lambda: not proposed.has(f"confirm-{key}"))


def test_lost_result_asks_in_its_own_words(proposed: Page) -> None:
    key = card(proposed)
    proposed.click(f"confirm-{key}")
    proposed.chat.conversation.begin_tool()
    proposed.chat.conversation.lose_tool("The worker died while the invoice was made.", proposed.chat.tick())
    proposed.shows("Treat as done").shows("may or may not have taken effect")
    assert "Try again" in proposed.text


# Results


def finish(page: Page, answer: ToolAnswer) -> None:
    page.click(f"confirm-{card(page)}")
    page.chat.conversation.begin_tool()
    page.chat.conversation.finish_tool(answer, page.chat.tick())


def test_invoice_is_a_link_and_a_reference_and_labelled(proposed: Page) -> None:
    finish(proposed, ToolAnswer(result={"reference": "INV-7", "url": "https://pay.example.com/7"}, source="test"))
    proposed.shows("INV-7").shows("test mode")
    assert [(link.proto.label, link.proto.url) for link in proposed.app.get("link_button")][-1] == (
        "Open the invoice",
        "https://pay.example.com/7",
    )


def test_cell_of_a_table_cannot_break_out_of_it(proposed: Page) -> None:
    rows = [{"name": "a | b\n\n![x](http://evil)", "city": "X"}, {"name": "<img src=x>", "city": "Y"}]
    finish(proposed, ToolAnswer(result={"rows": rows}))
    proposed.shows("| Name | City |")
    (table,) = [markdown.value for markdown in proposed.app.markdown if "| Name |" in markdown.value]
    assert len(table.splitlines()) == 4
    assert "![" not in table
    assert "\\<img" in table


def test_failed_tool_is_told_as_failed(proposed: Page) -> None:
    proposed.click(f"confirm-{card(proposed)}")
    proposed.chat.conversation.begin_tool()
    proposed.chat.conversation.fail_tool("The card was refused.", proposed.chat.tick())
    proposed.shows("It did not work. The card was refused.")
    assert len(proposed.app.error) == 1


# Status


def test_growing_reply_and_the_attempt_are_shown(greeted: Page) -> None:
    greeted.say("Hello")
    greeted.chat.conversation.begin_plan(greeted.chat.tick())
    greeted.chat.attempt = Attempt("plan", 2, "Let me thi", error="The model was overloaded.")
    greeted.shows("Let me thi ▍").shows("Writing (attempt 2) — before: The model was overloaded.")


def test_reason_and_time_of_the_next_attempt_are_told(greeted: Page) -> None:
    greeted.say("Hello")
    greeted.chat.attempt = Attempt("plan", 3, error="The key was refused.", next_in=4.2)
    greeted.shows("The model will be retried in 4 s (attempt 3): The key was refused.")


def test_running_tool_is_named_with_its_progress(proposed: Page) -> None:
    proposed.click(f"confirm-{card(proposed)}")
    proposed.chat.conversation.begin_tool()
    proposed.chat.attempt = Attempt("CreateInvoice", progress="Writing it", fraction=0.5)
    proposed.shows("Running “create invoice”: Writing it")


def test_no_worker_is_a_sentence_with_the_command(greeted: Page) -> None:
    greeted.chat.worker = "missing"
    greeted.shows("No worker is running").shows("python worker.py")
    greeted.chat.worker = "alive"
    greeted.shows("Waiting for you")


@pytest.mark.parametrize(
    ("trouble", "told"),
    [
        (ServerUnavailable("The Temporal server does not answer."), "The Temporal server does not answer."),
        (NoWorker("No worker has answered for 5 seconds."), "No worker is running"),
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
    greeted.click("end-chat").shows("This chat has ended. New chat starts another.")


# Models


def test_model_price_and_reason_of_another_model_are_shown(greeted: Page) -> None:
    use = ModelUse(model="openai/gpt-4o", note="It answered because the other is out of credits.")
    use = use.model_copy(update={"prompt_tokens": 800, "completion_tokens": 30, "cost_usd": "0.0031"})
    greeted.say("Hello")
    greeted.chat.conversation.begin_plan(greeted.chat.tick())
    greeted.chat.conversation.finish_plan(Plan(text="Hi", by=use), greeted.chat.tick())
    greeted.shows("openai/gpt-4o · 830 tokens · $0.0031").shows("because the other is out of credits")
    assert "built-in scripted model" not in greeted.text


def test_unknown_price_is_called_unknown(greeted: Page) -> None:
    greeted.say("Hello")
    greeted.chat.conversation.begin_plan(greeted.chat.tick())
    use = ModelUse(model="ollama/x", prompt_tokens=5, cost_usd=None)
    greeted.chat.conversation.finish_plan(Plan(text="Hi", by=use), greeted.chat.tick())
    greeted.shows("ollama/x · 5 tokens · price unknown")


def test_another_model_is_picked(page: Page) -> None:
    page.settings = {"llm_models": ("openai/gpt-4o", "openai/o3")}
    page.visit().shows("Which city would you like to visit")
    page.app.selectbox(key="model").select("openai/o3").run()
    assert page.calls("set_model") == [("openai/o3",)]


def test_wrong_off_goal_of_a_real_model_can_be_overruled(greeted: Page) -> None:
    greeted.say("Two burgers")
    greeted.chat.conversation.begin_plan(greeted.chat.tick())
    plan = Plan(text="That does not fit.", off_goal=True, by=ModelUse(model="openai/gpt-4o"))
    greeted.chat.conversation.finish_plan(plan, greeted.chat.tick())
    greeted.shows("That does not fit.").click("insist")
    assert greeted.calls("send")[-1][1] == "Two burgers"


# The past


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
