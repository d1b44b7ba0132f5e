"""What a workbook hides, has not computed or keeps beside its cells is left out or told, never lost silently."""

import re

import pytest
from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.worksheet.worksheet import Worksheet

from pentad.memory.documents.formats.office import sheets
from pentad.memory.documents.formats.parse import parse
from pentad.memory.documents.structure import ParsedDocument
from tests.unit.memory.documents.formats.office.make import replace_part, save

MAYBE_NONE = "values of formulas may be none yet: the file asks for computing them when it is opened"


def make(rows: int = 3) -> tuple[Workbook, Worksheet]:
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = "D"
    sheet.append(["item", "qty", "price"])
    for row in range(1, rows + 1):
        sheet.append([f"i{row}", row, f"p{row}"])
    return book, sheet


def read(book: Workbook) -> ParsedDocument:
    return parse(save(book.save), name="a.xlsx", media_type="")


def test_formulas_without_values_are_told() -> None:
    book, sheet = make()
    sheet["D1"] = "total"
    for row in range(2, 5):
        sheet[f"D{row}"] = f"=B{row}*2"
    assert read(book).notes == ("sheet 'D': 3 formulas without a value: let a program compute and save it",)


def test_formulas_with_values_are_read_and_those_of_a_file_that_asks_for_computing_are_doubted() -> None:
    book, sheet = make(1)
    sheet["D2"] = "=B2*2"
    computed = replace_part(
        save(book.save), "xl/worksheets/sheet1.xml", lambda xml: xml.replace(b"<v></v>", b"<v>0</v>")
    )
    computed = replace_part(computed, "xl/worksheets/sheet1.xml", lambda xml: xml.replace(b"<v />", b"<v>0</v>"))
    assert parse(computed, name="a.xlsx", media_type="").notes == (MAYBE_NONE,)
    final = replace_part(computed, "xl/workbook.xml", lambda xml: xml.replace(b'fullCalcOnLoad="1"', b""))
    parsed = parse(final, name="a.xlsx", media_type="")
    assert parsed.notes == ()
    assert "0" in parsed.text


def test_hidden_columns_and_rows_are_left_out_and_told() -> None:
    book, sheet = make()
    sheet.column_dimensions["B"].hidden = True
    sheet.row_dimensions[3].hidden = True
    sheet["B2"] = "SECRETCOLUMN"
    sheet["A3"] = "SECRETROW"
    parsed = read(book)
    assert "SECRET" not in parsed.text
    assert "p1" in parsed.text
    assert "p3" in parsed.text
    assert parsed.notes == ("sheet 'D': what is hidden was left out: 1 column and 1 row",)


def test_groups_of_hidden_columns_are_left_out_whole() -> None:
    book, sheet = make(1)
    sheet.append([*"abcdefgh"])
    sheet.column_dimensions.group("C", "F", hidden=True)
    parsed = read(book)
    assert parsed.notes == ("sheet 'D': what is hidden was left out: 4 columns",)
    assert not set("cdef") & set(parsed.text.split("\n")[-1].replace("|", " ").split())


def test_rows_that_a_filter_hides_are_read_and_told() -> None:
    book, sheet = make()
    sheet.auto_filter.ref = "A1:C4"
    sheet.row_dimensions[3].hidden = True
    parsed = read(book)
    assert "p2" in parsed.text
    assert parsed.notes == ("sheet 'D': rows that its filter hides were read",)


def test_spans_and_hidden_rows_are_found_across_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    book, sheet = make(400)
    for row in range(5, 400, 7):
        sheet.row_dimensions[row].hidden = True
        sheet[f"D{row - 1}"] = "=1+1"
    whole = read(book)
    for size in (1500, 1501, 1999, 2048):
        monkeypatch.setattr(sheets, "_PIECE_BYTES", size)
        parsed = read(book)
        assert parsed.text == whole.text
        assert parsed.notes[:2] == whole.notes[:2]
    assert "57 rows" in " ".join(whole.notes)
    assert "57 formulas" in " ".join(whole.notes)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b'hidden="1"', b"hidden='true'"),
        (b'hidden="1"', b'hidden = "1"'),
        (b'hidden="1"', b'ht="0" customHeight="1"'),
        (b' r="2"', b""),
    ],
)
def test_hidden_rows_are_found_however_they_are_written(before: bytes, after: bytes) -> None:
    book, sheet = make()
    sheet["A3"] = "SECRETROW"
    sheet.row_dimensions[3].hidden = True

    def change(xml: bytes) -> bytes:
        if before == b' r="2"':  # numbers of rows and cells may be left out
            return re.sub(rb' r="[A-Z]*\d+"', after, xml)
        assert before in xml
        return xml.replace(before, after)

    parsed = parse(replace_part(save(book.save), "xl/worksheets/sheet1.xml", change), name="a.xlsx", media_type="")
    assert "SECRET" not in parsed.text and "p1" in parsed.text and "p3" in parsed.text
    assert parsed.notes == ("sheet 'D': what is hidden was left out: 1 row",)


def test_a_column_without_width_is_hidden() -> None:
    book, sheet = make()
    sheet.column_dimensions["B"].width = 13
    data = replace_part(
        save(book.save), "xl/worksheets/sheet1.xml", lambda xml: re.sub(rb'width="13[^"]*"', b"width='0'", xml)
    )
    assert parse(data, name="a.xlsx", media_type="").notes == ("sheet 'D': what is hidden was left out: 1 column",)


def test_what_stands_behind_many_hidden_or_empty_rows_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "_MOST_EMPTY_ROWS", 5)
    book, sheet = make(30)
    for row in range(3, 30):
        sheet.row_dimensions[row].hidden = True
    sheet["A60"] = "TOTAL"
    sheet.row_dimensions[200].height = 30  # formatted and empty
    parsed = read(book)
    assert [line.partition(";")[0] for line in parsed.text.splitlines()] == [
        "item: i1",
        "item: i29",
        "item: i30",
        "item: TOTAL",
    ]


def test_what_begins_in_a_hidden_row_stands_in_the_rows_that_it_spans() -> None:
    book, sheet = make(4)
    sheet.merge_cells("A2:A4")
    sheet["A2"] = "North"
    sheet.row_dimensions[2].hidden = True
    lines = read(book).text.splitlines()
    assert [line.partition(";")[0] for line in lines] == ["item: North", "item: North", "item: i4"]


def test_comments_are_told() -> None:
    book, sheet = make(1)
    sheet["A2"].comment = Comment("ask Bo", "Ann")
    assert read(book).notes == ("comments on cells are not read",)


def rows_of(*rows: list[str | int | None], merged: str = "") -> list[str]:
    book = Workbook()
    sheet = book.worksheets[0]
    for row in rows:
        sheet.append(row)
    for place in merged.split():
        sheet.merge_cells(place)
    return read(book).text.splitlines()


def test_names_in_two_rows_are_the_groups_and_what_is_below_them() -> None:
    groups: list[str | int | None] = ["Region", "2024", None, "2025", None]
    below: list[str | int | None] = [None, "Q1", "Q2", "Q1", "Q2"]
    expected = ["Region: North; 2024 Q1: 1; 2024 Q2: 2; 2025 Q1: 3; 2025 Q2: 4"]
    assert rows_of(groups, below, ["North", 1, 2, 3, 4], merged="A1:A2 B1:C1 D1:E1") == expected
    assert rows_of(groups, below, ["North", 1, 2, 3, 4], merged="B1:C1 D1:E1") == expected
    titled = rows_of(["Sales"], groups, below, ["North", 1, 2, 3, 4], merged="A1:E1 A2:A3 B2:C2 D2:E2")
    assert [line for line in titled if line] == ["Sales", *expected]


def test_a_name_over_two_columns_is_the_name_of_both_and_takes_no_row_of_values() -> None:
    rows: list[list[str | int | None]] = [
        ["Name", "Address", None],
        ["Ann", "Kiel", "Main St"],
        ["Bob", "Bonn", "Side St"],
    ]
    assert rows_of(*rows, merged="B1:C1") == [
        "Name: Ann; Address: Kiel; Address: Main St",
        "Name: Bob; Address: Bonn; Address: Side St",
    ]


def test_a_sheet_that_is_a_chart_is_told_and_the_others_are_read() -> None:
    book, _ = make(1)
    book.create_chartsheet("Growth")
    parsed = read(book)
    assert parsed.text == "item: i1; qty: 1; price: p1"
    assert parsed.notes == ("sheets that are a chart were not read: Growth",)
