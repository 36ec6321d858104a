"""What people read: and what no text can do to the page."""

from datetime import UTC, date, datetime

import pytest

from agent.page import format


def test_images_of_the_model_are_never_fetched() -> None:
    for text in ("![a](http://evil/?d=1)", "\\![a](http://evil)", "`x` ![a][ref]\n\n[ref]: http://evil", "!![a](b)"):
        assert "![" not in format.safe_markdown(text)


def test_dollars_are_not_formulas_and_code_keeps_its_dollar() -> None:
    assert format.safe_markdown("from $5 to $6, `echo $HOME`") == r"from \$5 to \$6, `echo $HOME`"
    assert format.safe_markdown(r"already \$5") == r"already \$5"


def test_colour_and_icon_commands_are_shown_as_text() -> None:
    assert (
        format.safe_markdown(":red[stop] :material/home: at 10:30") == ":\u200bred[stop] :\u200bmaterial/home: at 10:30"
    )


def test_emphasis_lists_and_links_of_the_model_stay() -> None:
    text = "**bold**\n- one\n- [site](https://example.com)"
    assert format.safe_markdown(text) == text


@pytest.mark.parametrize("text", ["a|b", "<b>x</b>", "[x](http://evil)", "![x](http://evil)", "$x$", ":red[x]", "# no"])
def test_literal_text_has_no_live_mark(text: str) -> None:
    shown = format.escape(text)
    assert all(shown[index - 1] == "\\" for index, mark in enumerate(shown) if mark in "|<>[]()!$#`*_:")


def test_literal_text_stays_on_one_line() -> None:
    assert format.escape("a\n\n# b") == r"a \# b"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("SearchFlights", "Search flights"),
        ("date_depart", "Date depart"),
        ("CreatePTORequest", "Create PTO request"),
        ("url", "Url"),
        ("", ""),
    ],
)
def test_identifiers_become_words(name: str, said: str) -> None:
    assert format.humanize(name) == said


@pytest.mark.parametrize(
    ("amount", "currency", "said"),
    [
        ("412.3", "USD", "$412.30"),
        (1234567, "EUR", "€1,234,567.00"),
        ("-5", "USD", "−$5.00"),
        ("1500", "JPY", "¥1,500"),
        ("9.5", "CHF", "CHF\u00a09.50"),
        ("much", "USD", "much"),
        ("NaN", "USD", "NaN"),
    ],
)
def test_money(amount: object, currency: str, said: str) -> None:
    assert format.money(amount, currency) == said


@pytest.mark.parametrize(("cost", "said"), [("0", "$0"), ("0.00231", "$0.0023"), ("1.239", "$1.24")])
def test_costs_have_as_many_places_as_it_takes_to_see_them(cost: str, said: str) -> None:
    assert format.cost(cost) == said


def test_tiny_cost_is_not_called_nothing() -> None:
    assert format.cost("0.00000001") == "less than $0.0001"


def test_days_and_spans() -> None:
    assert format.day(date(2027, 3, 14)).replace("\u00a0", " ") == "Sun 14 Mar 2027"
    spans = {
        ("2027-03-05", "2027-03-07"): "Fri 5 – Sun 7 Mar 2027",
        ("2027-03-30", "2027-04-02"): "Tue 30 Mar – Fri 2 Apr 2027",
        ("2027-12-30", "2028-01-02"): "Thu 30 Dec 2027 – Sun 2 Jan 2028",
        ("2027-03-05", "2027-03-05"): "Fri 5 Mar 2027",
        ("2027-03-05", "soon"): "",
    }
    for (start, end), said in spans.items():
        assert format.day_range(start, end).replace("\u00a0", " ") == said


def test_time_is_in_the_readers_zone() -> None:
    assert format.time_of_day(datetime(2027, 3, 5, 12, 7, tzinfo=UTC), UTC) == "12:07"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("stops", 0, "0"),
        ("seats", 12000, "12,000"),
        ("year", 2027, "2027"),
        ("direct", True, "yes"),
        ("note", None, "—"),
        ("price", "208.73", "$208.73"),
        ("start", "2027-03-05", "Fri 5 Mar 2027"),
        ("start", "2027-03-05T18:30:00", "Fri 5 Mar 2027, 18:30"),
        ("start", "2027-99-05", "2027-99-05"),
        ("tags", ["a", "b"], "a, b"),
        ("guest", {"first_name": "Ann", "age": 3}, "first name Ann, age 3"),
    ],
)
def test_values_in_words(name: str, content: object, said: str) -> None:
    assert format.value(name, content, "USD").replace("\u00a0", " ") == said


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "data:text/html,x", "http://", "http://[", "ftp://x", 5, "http://a b"]
)
def test_only_addresses_of_the_web_become_links(address: object) -> None:
    assert format.web_url(address) == ""


def test_link_cannot_leave_its_markdown() -> None:
    assert format.web_url(
        "https://a.example/x)[y](http://evil"
    ) == "https://a.example/x%29%5By%5D%28http://evil".replace("%28", "%28")
