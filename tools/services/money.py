"""Amounts of money as payment companies count them: whole numbers of a currency's smallest unit."""

from decimal import Decimal

from tools.kit.tool import ToolError

_WHOLE = frozenset(
    ["BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"]
)
_THOUSANDTHS = frozenset(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"])


def digits(currency: str) -> int:
    """How many decimal places a currency has."""
    return 0 if currency in _WHOLE else 3 if currency in _THOUSANDTHS else 2


def minor_units(amount: Decimal, currency: str) -> int:
    """19.99 USD -> 1999; raises ToolError for a fraction that the currency does not have. Never by way of a float."""
    units = amount.scaleb(digits(currency))
    if units != units.to_integral_value():
        raise ToolError(f"{amount} {currency} cannot be paid: {currency} has {digits(currency)} decimal places.")
    return int(units)
