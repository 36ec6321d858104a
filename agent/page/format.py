"""Formats values for people: names, money, dates, times. And text from outside as Markdown that fetches nothing."""

import re
from collections.abc import Mapping
from datetime import date, datetime, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo

_SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "CAD": "CA$", "MXN": "MX$", "AUD": "A$", "JPY": "¥"}
_MONEY = re.compile(
    r"(^|_)(price|amount|total|subtotal|fare|cost|fee|balance|paid|due|money|refund|spent)s?(_|$)", re.IGNORECASE
)
_NOT_MONEY = re.compile(r"(^|_)(currency|date|days?|hours?|count|id|number|status|by|on)(_|$)", re.IGNORECASE)
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d")
_MARKS = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~$:&^=@/\"'])")
_DIRECTIVE = re.compile(r":(?=[a-zA-Z_-]+[\[/:])")
_DOLLAR = re.compile(r"\\*\$")
_CODE = re.compile(r"(```.*?(?:```|$)|`[^`\n]*`)", re.DOTALL)


def escape(text: object) -> str:
    """The text as Markdown that shows exactly these characters, on one line."""
    return _MARKS.sub(r"\\\1", " ".join(str(text).split()))


def safe_markdown(text: str) -> str:
    """Text of the model as Markdown: emphasis, lists and links stay; images, formulas and colour commands do not.

    An image would be fetched by the reader's browser from wherever the text says, with whatever it says in the address.
    """
    pieces = _CODE.split(text)
    for index, piece in enumerate(pieces):
        if index % 2 == 0:
            pieces[index] = _DIRECTIVE.sub(":\u200b", _DOLLAR.sub(r"\\$", piece))
    return "".join(pieces).replace("![", "!\u200b[")


def humanize(name: str) -> str:
    """An identifier as words: `SearchFlights` -> "Search flights", `departure_date` -> "Departure date"."""
    parts = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name).replace("_", " ").split()
    words = [part if part.isupper() and len(part) > 1 else part.lower() for part in parts]
    return " ".join([words[0][:1].upper() + words[0][1:], *words[1:]]) if words else ""


def money(value: object, currency: str = "") -> str:
    """1234.5, "USD" -> "$1,234.50". Without a currency the bare number; what is not a number stays as it is."""
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return str(value)
    if not amount.is_finite():
        return str(value)
    places = 0 if currency.upper() == "JPY" else max(2, -int(amount.as_tuple().exponent))
    number = f"{abs(amount):,.{min(places, 6)}f}"
    symbol = _SYMBOLS.get(currency.upper(), f"{currency.upper()}\u00a0" if currency else "")
    return f"{'−' if amount < 0 else ''}{symbol}{number}"


def cost(usd: str) -> str:
    """What a model call cost, with as many places as it takes to see it: "0.00041" -> "$0.0004"."""
    amount = Decimal(usd)
    if amount == 0:
        return "$0"
    if amount < Decimal("0.0001"):
        return "less than $0.0001"
    return f"${amount:.4f}" if amount < Decimal("0.1") else f"${amount:.2f}"


def day(moment: date) -> str:
    """Sat 14 Mar 2026, never broken over two lines."""
    return f"{moment:%a}\u00a0{moment.day}\u00a0{moment:%b}\u00a0{moment.year}"


def day_range(start: str, end: str) -> str:
    """Two days as one: Fri 5 – Sun 7 Mar 2027. "" if they are not two days."""
    if not _DAY.fullmatch(start) or not _DAY.fullmatch(end):
        return ""
    try:
        first, last = date.fromisoformat(start), date.fromisoformat(end)
    except ValueError:
        return ""
    if first == last:
        return day(first)
    year = "" if first.year == last.year else f"\u00a0{first.year}"
    month = "" if not year and first.month == last.month else f"\u00a0{first:%b}{year}"
    return f"{first:%a}\u00a0{first.day}{month}\u00a0– {day(last)}"


def time_of_day(moment: datetime, zone: tzinfo | None = None) -> str:
    """14:02, in the reader's time zone."""
    return f"{moment.astimezone(zone):%H:%M}"


def reader_zone(name: str | None) -> tzinfo | None:
    """The time zone of this name, the reader's browser's; None = that of this machine."""
    try:
        return ZoneInfo(name) if name else None
    except (KeyError, ValueError):
        return None


def duration(seconds: float) -> str:
    """So long, in the largest unit: 3 s, 4 min, 2 h."""
    if seconds < 60:
        return f"{max(0.0, seconds):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 3600 else f"{seconds / 3600:.0f} h"


def is_money(name: str, value: object) -> bool:
    """Whether a field of this name and value is an amount of money."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        return False
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name)
    if not _MONEY.search(spaced) or _NOT_MONEY.search(spaced):
        return False
    try:
        return Decimal(str(value)).is_finite()
    except InvalidOperation:
        return False


def web_url(value: object) -> str:
    """The address, fit for a Markdown link, if the value is one of the web; else ""."""
    if not isinstance(value, str) or not value.startswith(("http://", "https://")) or " " in value.strip():
        return ""
    try:
        return quote(value.strip(), safe=":/?#@!$&'*+,;=%~-._") if urlsplit(value).hostname else ""
    except ValueError:
        return ""


def value(name: str, content: Any, currency: str = "") -> str:
    """One value in words. Nested ones are joined; nothing looks like JSON or Python."""
    if content is None or content == "":
        return "—"
    if isinstance(content, bool):
        return "yes" if content else "no"
    if is_money(name, content):
        return money(content, currency)
    if isinstance(content, Mapping):
        inner = str(content.get("currency") or currency)
        shown = [(key, item) for key, item in content.items() if item not in (None, "") and key != "currency"]
        return ", ".join(f"{humanize(str(key)).lower()} {value(str(key), item, inner)}" for key, item in shown) or "—"
    if isinstance(content, list | tuple):
        return ", ".join(value(name, item, currency) for item in content) or "—"
    if isinstance(content, float) and content == int(content):
        return f"{int(content):,}"
    if isinstance(content, int):
        return str(content) if 1900 <= content <= 2100 else f"{content:,}"
    return _moment(content) if isinstance(content, str) else str(content)


def _moment(text: str) -> str:
    try:
        if _DAY.fullmatch(text):
            return day(date.fromisoformat(text))
        if _MOMENT.match(text):
            moment = datetime.fromisoformat(text)
            return f"{day(moment)}, {moment:%H:%M}"
    except ValueError:
        pass
    return text
