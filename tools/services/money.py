"""Amounts of money as Stripe counts them: whole numbers of a currency's smallest unit.

The special cases are those of https://docs.stripe.com/currencies.
"""

from decimal import Decimal

from tools.kit.tool import ToolError

_WHOLE = frozenset(
    ["BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"]
)
_WHOLE_IN_HUNDREDTHS = frozenset(["ISK", "UGX"])
"""No fractions are charged in them, and still 5 UGX are sent as 500."""

_TENS_OF_THOUSANDTHS = frozenset(["BHD", "JOD", "KWD", "OMR", "TND"])
"""They have three decimal places, and the last one has to be 0."""

MOST = 99_999_999
"""An amount has at most eight digits."""


def minor_units(amount: Decimal, currency: str) -> int:
    """19.99 USD -> 1999; raises ToolError for an amount that cannot be charged. Never by way of a float."""
    places = 0 if currency in _WHOLE | _WHOLE_IN_HUNDREDTHS else 2
    if amount != round(amount, places):
        raise ToolError(
            f"{amount} {currency} cannot be charged: Stripe takes {currency} with {places or 'no'} decimal places."
        )
    units = int(amount.scaleb(0 if currency in _WHOLE else 3 if currency in _TENS_OF_THOUSANDTHS else 2))
    if units > MOST:
        raise ToolError(f"{amount} {currency} cannot be charged: Stripe takes eight digits at most. Split the amount.")
    return units
