from typing import Any

import pytest

from tools import InvalidArguments, ToolContext, Toolset

ASKED = {"amount": "412.3", "currency": "usd", "description": "Austin to San Francisco"}


async def invoice(toolset: Toolset, key: str) -> Any:
    return await toolset.tools["CreateInvoice"].run(ASKED, ToolContext(key))


async def test_mock_invoice_has_a_link_a_reference_and_the_amount(toolset: Toolset) -> None:
    returned = await invoice(toolset, "chat/1")
    assert returned.source == "mock"
    assert returned.result["reference"].startswith("INV-")
    assert returned.result["url"].endswith(returned.result["reference"])
    assert (returned.result["amount"], returned.result["currency"]) == ("412.30", "USD")


async def test_one_receipt_has_one_reference_and_another_a_fresh_one(toolset: Toolset) -> None:
    first, again, other = [(await invoice(toolset, key)).result["reference"] for key in ("a/1", "a/1", "a/2")]
    assert first == again != other


@pytest.mark.parametrize("name", list(ASKED))
def test_nothing_has_a_silent_default(toolset: Toolset, name: str) -> None:
    with pytest.raises(InvalidArguments) as caught:
        toolset.tools["CreateInvoice"].validate({key: value for key, value in ASKED.items() if key != name})
    assert caught.value.missing == [name]


@pytest.mark.parametrize(
    ("name", "value"), [("amount", "0"), ("amount", "-5"), ("amount", "1.999"), ("currency", "dollars")]
)
def test_wrong_money_is_refused(toolset: Toolset, name: str, value: str) -> None:
    with pytest.raises(InvalidArguments) as caught:
        toolset.tools["CreateInvoice"].validate(ASKED | {name: value})
    assert list(caught.value.wrong) == [name]
