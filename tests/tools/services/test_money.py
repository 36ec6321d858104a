import random
from decimal import Decimal

import pytest

from tools import ToolError, Toolset
from tools.services.money import minor_units


def test_10_000_random_amounts_keep_their_cents(toolset: Toolset) -> None:
    """All the way from what a model sends, as text or as a number of JSON, to what Stripe is told."""
    chance = random.Random(7)
    invoice = toolset.tools["CreateInvoice"]
    for _ in range(10_000):
        cents = chance.randrange(1, 99_999_900)
        written = f"{cents // 100}.{cents % 100:02}"
        for sent in (written, float(written)):
            amount = invoice.validate({"amount": sent, "currency": "USD", "description": "x"})["amount"]
            assert minor_units(Decimal(amount), "USD") == cents


@pytest.mark.parametrize(
    ("amount", "currency", "units"),
    [
        ("19.99", "USD", 1999),
        ("100", "EUR", 10000),
        ("1234", "JPY", 1234),
        ("1.5", "KWD", 1500),
        ("0.01", "CAD", 1),
        ("5", "UGX", 500),
        ("5", "ISK", 500),
        ("10.45", "HUF", 1045),
        ("10.45", "TWD", 1045),
        ("999999.99", "USD", 99_999_999),
    ],
)
def test_smallest_units(amount: str, currency: str, units: int) -> None:
    assert minor_units(Decimal(amount), currency) == units


@pytest.mark.parametrize(
    ("amount", "currency"), [("0.5", "JPY"), ("1.005", "USD"), ("0.5", "UGX"), ("40.10", "ISK"), ("5.124", "KWD")]
)
def test_fraction_that_a_currency_has_not_is_refused(amount: str, currency: str) -> None:
    with pytest.raises(ToolError, match="decimal places"):
        minor_units(Decimal(amount), currency)


@pytest.mark.parametrize(("amount", "currency"), [("1000000", "USD"), ("100000", "KWD"), ("1000000", "UGX")])
def test_more_than_eight_digits_are_refused(amount: str, currency: str) -> None:
    with pytest.raises(ToolError, match="eight digits at most"):
        minor_units(Decimal(amount), currency)
