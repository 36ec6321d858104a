"""Results by their shape."""

from agent.page.results import Fields, Link, Table, Text, parts


def test_events_are_a_table_with_one_column_for_the_days_and_the_city_said_once() -> None:
    events = [
        {"name": "Fair", "start": "2027-03-05", "end": "2027-03-07", "city": "Austin"},
        {"name": "Show", "start": "2027-03-13", "end": "2027-03-13", "city": "Austin"},
    ]
    table, note = parts({"events": events, "note": "2 in March."})
    assert isinstance(table, Table)
    assert (table.title, table.headings) == ("Events · Austin", ("Name", "When"))
    assert [cell.replace("\u00a0", " ") for cell in table.rows[0]] == ["Fair", "Fri 5 – Sun 7 Mar 2027"]
    assert note == Text("2 in March.", aside=True)


def test_amounts_stand_beside_the_name_and_what_is_true_of_one_row_is_a_badge() -> None:
    flights = [
        {"airline": "A", "stops": 1, "price": "208.73", "currency": "USD", "cheapest": True},
        {"airline": "B", "stops": 0, "price": "199", "currency": "EUR", "cheapest": False},
    ]
    (table,) = parts({"flights": flights})
    assert isinstance(table, Table)
    assert table.headings == ("Airline", "Price", "Stops")
    assert table.numeric == (False, True, False)
    assert table.rows == (("A", "$208.73", "1"), ("B", "€199.00", "0"))
    assert table.badges == {0: "cheapest"}


def test_row_has_no_badge_unless_the_tool_marks_it() -> None:
    (table,) = parts([{"name": "A", "price": 3}, {"name": "B", "price": 2}])
    assert isinstance(table, Table)
    assert table.badges == {}


def test_invoice_is_fields_and_a_link() -> None:
    invoice = {"reference": "INV-1", "url": "https://pay.example.com/1", "amount": "5", "currency": "USD"}
    assert parts(invoice, "CreateInvoice") == [
        Fields((("Reference", "INV-1"), ("Amount", "$5.00"))),
        Link("Open the invoice", "https://pay.example.com/1"),
    ]


def test_address_that_is_not_of_the_web_is_text() -> None:
    assert parts({"url": "javascript:alert(1)"}) == [Fields((("Url", "javascript:alert(1)"),))]


def test_long_tables_say_how_much_is_left_out() -> None:
    (table,) = parts([{"n": index, "x": str(index)} for index in range(60)])
    assert isinstance(table, Table)
    assert (len(table.rows), table.left_out) == (50, 10)


def test_nested_objects_become_columns() -> None:
    (table,) = parts([{"id": "a", "out": {"at": "08:10", "id": "F1"}}, {"id": "b", "out": {"at": "09:00", "id": "F2"}}])
    assert isinstance(table, Table)
    assert table.headings == ("Id", "At", "Out id")


def test_every_shape_is_drawn_without_python_or_json() -> None:
    shapes = [None, [], {}, "", 5, True, "words", [1, 2], [[1], {"a": 1}], {"a": {"b": {"c": [1, {"d": None}]}}}]
    for shape in shapes:
        assert not any(mark in repr([vars(part) for part in parts(shape)]).replace("'", "") for mark in ("{}", "None,"))
    assert parts([]) == [Text("No results.")]
    assert parts({"events": [], "note": "No events."}) == [Text("Events: none."), Text("No events.", aside=True)]
