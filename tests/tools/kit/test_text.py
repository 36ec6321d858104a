from tools.kit.text import as_text


def test_records_are_a_table_with_a_column_for_every_name() -> None:
    assert as_text([{"a": 1, "long name": "x"}, {"a": True, "b": None, "c": [1, 2]}]).splitlines() == [
        "a    long name  b  c",
        "---  ---------  -  ----",
        "1    x",
        "yes                1, 2",
    ]


def test_record_is_told_line_by_line_with_its_lists_as_tables() -> None:
    assert as_text({"note": "two\nlines", "rows": [{"n": 1}]}) == "note: two lines\nrows:\nn\n-\n1"


def test_long_cell_is_cut() -> None:
    assert as_text([{"a": "x" * 100}]).splitlines()[2] == "x" * 43 + "…"


def test_anything_else_is_text() -> None:
    assert [as_text(value) for value in (None, 3, "a", ["a", "b"], [], {"a": {"b": 1}})] == ["", "3", "a", "a\nb", "", "a: b 1"]  # fmt: skip
