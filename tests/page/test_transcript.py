"""Results and replies in the transcript, and the models behind them."""

from agent.messages import ModelUse, Plan, ToolAnswer
from tests.page.conftest import Page


def finish(page: Page, answer: ToolAnswer) -> None:
    page.click(f"confirm-{page.card_id}")
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
    proposed.click(f"confirm-{proposed.card_id}")
    proposed.chat.conversation.begin_tool()
    proposed.chat.conversation.fail_tool("The card was refused.", proposed.chat.tick())
    proposed.shows("It did not work. The card was refused.")
    assert len(proposed.app.error) == 1


def test_model_price_and_reason_of_another_model_are_shown(greeted: Page) -> None:
    use = ModelUse(model="openai/gpt-4o", note="It answered because the other is out of credits.")
    use = use.model_copy(update={"prompt_tokens": 800, "completion_tokens": 30, "cost_usd": "0.0031"})
    greeted.say("Hello")
    greeted.chat.conversation.begin_plan(greeted.chat.tick())
    greeted.chat.conversation.finish_plan(Plan(text="Hi", by=use), greeted.chat.tick())
    greeted.shows("From here on: openai/gpt-4o")
    greeted.shows("openai/gpt-4o · 830 tokens · $0.0031").shows("because the other is out of credits")
    assert "built-in demo model" not in greeted.text


def test_unknown_price_is_called_unknown(greeted: Page) -> None:
    greeted.say("Hello")
    greeted.chat.conversation.begin_plan(greeted.chat.tick())
    use = ModelUse(model="ollama/x", prompt_tokens=5, cost_usd=None)
    greeted.chat.conversation.finish_plan(Plan(text="Hi", by=use), greeted.chat.tick())
    greeted.shows("ollama/x · 5 tokens · price unknown")


def test_another_model_is_picked(page: Page) -> None:
    page.settings = {"llm_models": ("openai/gpt-4o", "openai/o3")}
    page.greet()
    page.app.selectbox(key="model").select("openai/o3").run()
    assert page.calls("set_model") == [("openai/o3",)]


def test_wrong_off_goal_of_a_real_model_can_be_overruled(greeted: Page) -> None:
    greeted.say("Two burgers")
    greeted.chat.conversation.begin_plan(greeted.chat.tick())
    plan = Plan(text="That does not fit.", off_goal=True, by=ModelUse(model="openai/gpt-4o"))
    greeted.chat.conversation.finish_plan(plan, greeted.chat.tick())
    greeted.shows("That does not fit.").click("insist")
    assert greeted.calls("send")[-1][1] == "Two burgers"
