"""Workbooks: what a person sees in a cell is what is read."""

from __future__ import annotations

import datetime
import zipfile

import pytest
from openpyxl import Workbook

from crm.sheets.formats import Unreadable
from tests.crm.sheets import workbooks
from tests.crm.sheets.reading_here import read, seen


@pytest.fixture
def saved(tmp_path):
    def made(*rows, name="people.xlsx", change=lambda book: None):
        book = Workbook()
        for row in rows:
            book.active.append(row)
        change(book)
        book.save(tmp_path / name)
        return tmp_path / name

    return made


def test_a_workbook_is_seen_and_read(saved):
    path = saved(["Name", "Email"], ["Ann", "ann@x.de"], [None, None], ["Bob", "bob@x.de"])

    look = seen(path)
    rows, notes = read(path, look)

    assert (look.format, look.sheet, look.sheets, look.header_row) == ("xlsx", "Sheet", ("Sheet",), 1)
    assert rows == [(2, ["Ann", "ann@x.de"], ""), (4, ["Bob", "bob@x.de"], "")]
    assert notes == ["Row 3 is blank and was left out."]


@pytest.mark.parametrize(
    ("value", "format", "shown"),
    [
        (1500, None, "1500"),
        (1500.0, "#,##0.00", "1500"),
        (0.1 + 0.2, None, "0.3"),
        (12.5, '0.00" kg days"', "12.5"),
        (491701234567, None, "491701234567"),
        (1234, "00000", "01234"),
        (True, None, "TRUE"),
        (datetime.date(2026, 11, 29), "dd/mm/yyyy", "2026-11-29"),
        (datetime.datetime(2026, 11, 29, 14, 30), "yyyy-mm-dd hh:mm", "2026-11-29 14:30:00"),
        (datetime.time(8, 15), "hh:mm", "08:15:00"),
        (45000, "[$-407]d. mmmm yyyy;@", "2023-03-15"),
        (7, '[Red]0;[Blue]"days"0', "7"),
        ("  =1+1 is text ", None, "=1+1 is text"),
        ("01234", None, "01234"),
    ],
)
def test_a_cell_is_what_a_person_sees_in_it(saved, value, format, shown):
    def style(book):
        cell = book.active["B2"]
        cell.value = value
        cell.data_type = "s" if isinstance(value, str) else cell.data_type
        if format:
            cell.number_format = format

    path = saved(["Name", "Value"], ["Ann"], change=style)

    assert read(path)[0][0].cells == ["Ann", shown]


def test_days_of_old_macs_count_from_1904(saved):
    from openpyxl.utils.datetime import CALENDAR_MAC_1904

    def old(book):
        book.epoch = CALENDAR_MAC_1904

    path = saved(["Name", "Born"], ["Ann", datetime.date(1980, 2, 29)], change=old)

    assert read(path)[0][0].cells == ["Ann", "1980-02-29"]


def test_the_first_sheet_with_rows_is_read_unless_another_is_named(saved):
    def more(book):
        book.active.title = "Empty"
        for title in ("Secret", "People", "Others"):
            book.create_sheet(title).append(["Name", "Email"])
            book[title].append([title, "a@x.de"])
        book["Secret"].sheet_state = "hidden"

    path = saved(change=more)

    look, other = seen(path), seen(path, sheet="Others")

    assert (look.sheet, look.sheets) == ("People", ("Empty", "People", "Others"))
    assert look.notes == ("The sheet “People” was read, one of 3.",)
    assert read(path, other)[0][0].cells[0] == "Others"
    with pytest.raises(Unreadable, match="no sheet “Secret”"):
        seen(path, sheet="Secret")


def test_hidden_rows_are_read_and_told(saved):
    def hide(book):
        book.active.row_dimensions[3].hidden = True

    path = saved(["Name", "Email"], ["Ann", "ann@x.de"], ["Bob", "bob@x.de"], change=hide)
    rows, notes = read(path)

    assert len(rows) == 2
    assert notes == ["1 row is hidden in the sheet but not left out."]


def test_titles_above_the_headings_and_columns_before_them_do_no_harm(saved):
    path = saved(
        ["Customers of 2026"], [], [None, "Name", "Email", "City"], [None, "Ann", "ann@x.de", "Bonn"]
    )

    look = seen(path)

    assert (look.header_row, look.headings) == (3, ("Column A", "Name", "Email", "City"))
    assert look.notes == ("Row 1, above the headings, was left out: “Customers of 2026”.",)


def test_names_with_a_prefix_and_how_a_text_is_pronounced(tmp_path):
    sheet = '<x:worksheet xmlns:x="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><x:sheetData>{}</x:sheetData></x:worksheet>'
    row = '<x:row><x:c t="inlineStr"><x:is><x:t>{}</x:t>{}</x:is></x:c></x:row>'
    path = workbooks.xlsx(
        tmp_path / "a.xlsx",
        row.format("Email", "") + row.format("東@x.jp", "<x:rPh><x:t>higashi</x:t></x:rPh>"),
        sheet=sheet,
    )

    assert read(path)[0] == [(2, ["東@x.jp"], "")]


def test_a_sheet_of_libreoffice(tmp_path):
    path = workbooks.ods(
        tmp_path / "leute.ods",
        [
            ["Name", "Email", "Seit", "Umsatz"],
            [
                "Zoë",
                "z@x.de",
                ('office:value-type="date" office:date-value="2026-11-29"', "29.11.26"),
                ('office:value-type="float" office:value="150"', "150,00 €"),
            ],
            [],
            ["Bob", "b@x.de", "", ('office:value-type="boolean" office:boolean-value="true"', "WAHR")],
        ],
    )

    look = seen(path)
    rows, notes = read(path, look)

    assert (look.format, look.sheets) == ("ods", ("Leute",))
    assert rows == [(2, ["Zoë", "z@x.de", "2026-11-29", "150"], ""), (4, ["Bob", "b@x.de", "", "TRUE"], "")]
    assert notes == ["Row 3 is blank and was left out."]


def test_a_file_is_what_is_in_it_whatever_its_name_says(saved, tmp_path):
    workbook = saved(["Name", "Email"], ["Ann", "ann@x.de"], name="people.csv.xlsx")
    text = tmp_path / "people.xlsx"
    text.write_text("Name;Email\nAnn;ann@x.de\n")

    assert (seen(workbook, name="people.csv").format, seen(text).format) == ("xlsx", "csv")


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        (["word/document.xml"], "Word document"),
        (["Index/Document.iwa"], "Apple Numbers"),
        (["xl/workbook.bin"], "XLSB"),
        (["people.csv"], "Unpack it"),
        (["mimetype", "content.xml"], "no spreadsheet"),
        (["xl/styles.xml"], "damaged"),
    ],
)
def test_an_archive_that_is_no_workbook_says_what_it_is(tmp_path, parts, said):
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as archive:
        for part in parts:
            archive.writestr(part, "text")

    with pytest.raises(Unreadable, match=said):
        seen(tmp_path / "a.xlsx")
