from typing import Any

import pytest

from tools import InvalidArguments, ToolContext, ToolError, Toolset

EMAIL = "alex.rivera@example.com"
MOVE = {"email": EMAIL, "source": "Savings", "target": "Travel fund", "amount": "250"}


async def test_balances_follow_what_is_moved(toolset: Toolset, context: ToolContext) -> None:
    async def balances() -> dict[str, str]:
        told = (await toolset.tools["CheckBalances"].run({"email": EMAIL}, context)).result["accounts"]
        return {account["name"]: account["balance"] for account in told}

    before = await balances()
    moved = await toolset.tools["MoveMoney"].run(MOVE, context)
    assert moved.result["reference"] == "MV-0001"
    assert (moved.result["moved"], moved.result["currency"], moved.source) == ("250.00", "USD", "mock")
    assert before == {"Checking": "2842.10", "Savings": "12650.00", "Travel fund": "618.75"}
    assert await balances() == before | {"Savings": "12400.00", "Travel fund": "868.75"}


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        (
            {"amount": "5000.01"},
            r"^5,000\.01 USD is more than can be moved at a time\. Choose at most 5,000\.00 USD\.$",
        ),
        ({"target": "Savings"}, r"^The money is already in Savings\."),
        ({"source": "Checking", "amount": "2842.11"}, r"^There are only 2842\.10 USD in Checking\."),
    ],
)
async def test_limit_is_kept(toolset: Toolset, context: ToolContext, changed: Any, sentence: str) -> None:
    with pytest.raises(ToolError, match=sentence):
        await toolset.tools["MoveMoney"].run(MOVE | changed, context)


async def test_customer_has_their_own_accounts(toolset: Toolset, context: ToolContext) -> None:
    mei = {"email": "mei.tanaka@example.com"}
    told = (await toolset.tools["CheckBalances"].run(mei, context)).result["accounts"]
    assert [account["balance"] for account in told] == ["905.40", "22000.00"]
    with pytest.raises(ToolError, match=r"^There is no account Travel fund\. The accounts are: Checking, Savings\.$"):
        await toolset.tools["MoveMoney"].run(MOVE | mei, context)
    with pytest.raises(ToolError, match=r"^No account belongs to me@example\.com\."):
        await toolset.tools["CheckBalances"].run({"email": "me@example.com"}, context)


@pytest.mark.parametrize("changed", [{"amount": "-1"}, {"amount": "0.001"}, {"source": "My neighbour's"}])
def test_what_cannot_be_moved_is_refused_before_it_is_confirmed(toolset: Toolset, changed: dict[str, str]) -> None:
    with pytest.raises(InvalidArguments):
        toolset.tools["MoveMoney"].validate(MOVE | changed)
