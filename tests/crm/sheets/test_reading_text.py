"""Text files with delimiters, as people have them: what is seen, and that no line is lost without a word."""

from __future__ import annotations

import pytest

from crm.sheets import reading
from crm.sheets.formats import Unreadable
from tests.crm.sheets import reading_here
from tests.crm.sheets.reading_here import seen


@pytest.fixture
def file(tmp_path):
    def made(content, name="people.csv", encoding="utf-8"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return path

    return made


def read(path, look=None):
    return reading_here.read(path, look)[0]


PEOPLE = "Name,Email\nAnn,ann@x.de\nBob,bob@x.de\n"


def test_a_plain_file_is_seen_and_read(file):
    path = file(PEOPLE)

    look = seen(path)

    assert (look.format, look.encoding, look.delimiter, look.header_row) == ("csv", "utf-8", ",", 1)
    assert look.headings == ("Name", "Email")
    assert look.samples == (("Ann", "ann@x.de"), ("Bob", "bob@x.de"))
    assert read(path, look) == [(2, ["Ann", "ann@x.de"], ""), (3, ["Bob", "bob@x.de"], "")]


def test_a_look_comes_back_from_the_database_as_it_was(file):
    import json

    look = seen(file(PEOPLE))

    assert reading.Look.from_json(json.loads(json.dumps(look.as_json()))) == look


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_the_delimiter_is_found(file, delimiter):
    path = file(PEOPLE.replace(",", delimiter))

    assert seen(path).delimiter == delimiter
    assert [row.cells for row in read(path)] == [["Ann", "ann@x.de"], ["Bob", "bob@x.de"]]


def test_decimal_commas_do_not_hide_semicolons(file):
    path = file("Name;Umsatz;Rabatt\nAnn;1.200,50;0,5\nBob;7,00;0,0\n")

    assert seen(path).delimiter == ";"


def test_excel_may_say_its_delimiter_in_the_first_line(file):
    path = file("sep=|\r\nName|Email\r\nAnn, Dr.|ann@x.de\r\n")

    look = seen(path)

    assert (look.delimiter, look.header_row) == ("|", 2)
    assert read(path, look) == [(3, ["Ann, Dr.", "ann@x.de"], "")]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"])
def test_the_encoding_is_found(file, encoding):
    path = file("Name;Ort\nJürgen Müller;Köln\nZoë Peña;Málaga\n", encoding=encoding)

    assert read(path)[0].cells == ["Jürgen Müller", "Köln"]
    assert seen(path).headings == ("Name", "Ort")


def test_titles_and_remarks_above_the_headings_are_left_out_with_a_word(file):
    path = file("# made by hand\nCustomers of 2024,,\n,,\nName,Email,City\nAnn,ann@x.de,Bonn\n")

    look = seen(path)

    assert look.header_row == 4
    assert look.notes == ("2 rows above the headings (1 to 2) were left out, the first: “# made by hand”.",)


def test_a_file_without_headings_has_columns_a_and_b(file):
    path = file("ann@x.de,Ann\nbob@x.de,Bob\n")

    look = seen(path)

    assert (look.header_row, look.headings) == (0, ("A", "B"))
    assert [row.number for row in read(path, look)] == [1, 2]


def test_every_guess_can_be_overruled(file):
    path = file("Ann|x,1\nBob|y,2\n".encode("cp1252"))

    look = seen(path, delimiter="|", header_row=0, encoding="latin-1")

    assert (look.headings, look.encoding) == (("A", "B"), "iso8859-1")
    assert read(path, look)[0].cells == ["Ann", "x,1"]


@pytest.mark.parametrize(
    ("overruled", "said"),
    [
        ({"encoding": "klingon"}, "klingon"),
        ({"delimiter": "ab"}, "cannot separate"),
        ({"header_row": 50}, "Row 50"),
        ({"header_row": 1_000_000}, "first 1,000 rows"),
    ],
)
def test_what_cannot_be_overruled_is_said(file, overruled, said):
    with pytest.raises(Unreadable, match=said):
        seen(file(PEOPLE), **overruled)


def test_a_second_heading_of_the_same_name_is_numbered_and_none_has_its_letter(file):
    look = seen(file("Email,Name,Email,,Email (2)\na@x.de,A,b@x.de,5,c@x.de\n"))

    assert look.headings == ("Email", "Name", "Email (2)", "Column D", "Email (2) (2)")


def test_blank_rows_count_and_are_told(file):
    path = file("Name,Email\n\nAnn,ann@x.de\n , \nBob,bob@x.de\n")

    rows, notes = reading_here.read(path)

    assert [row.number for row in rows] == [3, 5]
    assert notes == ["2 blank rows were left out: 2, 4."]


def test_a_cell_of_several_lines_is_one_row(file):
    path = file('Name,Address\nAnn,"1 Main St\nApt 4"\nBob,Bonn\n')

    assert read(path) == [(2, ["Ann", "1 Main St\nApt 4"], ""), (3, ["Bob", "Bonn"], "")]


def test_a_short_row_is_filled_up_and_a_long_one_refused_with_its_reason(file):
    path = file("Name,Email\nAnn\nBob,bob@x.de,,\nCy,cy@x.de,1\n")

    short, padded, long = read(path)

    assert (short.cells, padded.cells) == (["Ann", ""], ["Bob", "bob@x.de"])
    assert "column C, which has no heading" in long.wrong
    assert long.cells == ["Cy", "cy@x.de", "1"]


def test_a_quotation_mark_that_is_not_closed_costs_its_own_row_alone(file):
    path = file('Name,Email\nAnn,ann@x.de\n"Bob,bob@x.de\nCy,cy@x.de\n"Di",di@x.de\n')

    rows = read(path)

    assert [row.number for row in rows] == [2, 3, 4, 5]
    assert [bool(row.wrong) for row in rows] == [False, True, False, False]
    assert "quotation mark" in rows[1].wrong and "Bob" in rows[1].cells[0]


def test_quotation_marks_within_quoted_cells_are_understood(file):
    path = file('Name,Email\n"Anna "Annie" Smith",ann@x.de\n"Bob \\"B\\" Lo",bob@x.de\n')

    assert [row.cells[0] for row in read(path)] == ['Anna "Annie" Smith', 'Bob "B" Lo']


def test_a_line_in_another_encoding_is_refused_and_the_others_are_read(file):
    good = "".join(f"Zoë,z{n}@x.de\n" for n in range(40)).encode()
    path = file(b"Name,Email\n" + good + "Jürgen,j@x.de\n".encode("latin-1") + good)

    rows = read(path)

    assert [row.number for row in rows if row.wrong] == [42]
    assert rows[40].wrong == "Letters of “J\ufffdrgen” are not UTF-8, which the rest of the file is."


def test_a_letter_that_was_lost_before_refuses_no_row(file):
    rows = read(file("Name,Email\nJ\ufffdrgen,j@x.de\n"))

    assert [(row.cells[0], row.wrong) for row in rows] == [("J\ufffdrgen", "")]


def test_the_headings_once_more_in_the_middle_are_no_person(file):
    path = file("Name,Email\nAnn,ann@x.de\nName,Email\nBob,bob@x.de\n")

    assert [row.wrong for row in read(path)] == ["", "These are the headings once more.", ""]


def test_zero_bytes_are_left_out(file):
    path = file(b"Name,Email\nAn\0n,ann@x.de\n")

    assert read(path)[0].cells == ["Ann", "ann@x.de"]


def test_line_ends_of_old_macs_are_line_ends(file):
    assert len(read(file(PEOPLE.replace("\n", "\r")))) == 2


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf\r\n \r\n", "nothing in it|empty"),
        (b"<!DOCTYPE html><table><tr><td>Name</td></tr></table>", "web page"),
        (b"%PDF-1.7 ...", "PDF"),
    ],
)
def test_what_is_no_table_is_refused_in_words(file, content, said):
    with pytest.raises(Unreadable, match=said):
        seen(file(content))


def test_the_process_that_reads_tells_the_same_as_it_would_here(file):
    path = file('Name,Email\n\nAnn,ann@x.de\n"Bob,bob@x.de\nJü,j@x.de\n')

    look = reading.look(path, "people.csv")
    rows = reading.rows(path, look)

    assert look == seen(path)
    assert (list(rows), list(rows.notes)) == reading_here.read(path)


def test_what_is_refused_there_is_said_here(file):
    with pytest.raises(reading.Unreadable, match="web page"):
        reading.look(file("<html>"), "people.csv")


def test_a_file_that_is_gone_is_said_to_be_gone(file):
    path = file(PEOPLE)
    look = seen(path)
    path.unlink()

    with pytest.raises(reading.Unreadable, match="not there any more"):
        list(reading.rows(path, look))


def test_the_process_that_reads_ends_when_nobody_reads_on(file):
    path = file(PEOPLE * 20_000)
    rows = reading.rows(path, seen(path))
    next(rows)

    rows.close()

    assert list(rows) == []
