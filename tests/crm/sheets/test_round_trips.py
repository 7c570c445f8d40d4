"""Whatever program wrote a table of text: what comes out is what went in."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.crm.sheets.reading_here import read, seen

QUICK = settings(max_examples=40)
LETTERS = "abcXYZ019 ,;|\t\"'\r\nàéßŁøЖЯ東é😀.-+@=#"
CELLS = st.text(LETTERS, max_size=12) | st.text(max_size=6).filter(
    lambda text: text.isprintable() and "\ufffd" not in text
)
TABLES = st.integers(1, 6).flatmap(
    lambda width: st.lists(st.lists(CELLS, min_size=width, max_size=width), min_size=1, max_size=8)
)
DELIMITERS = st.sampled_from([",", ";", "\t", "|"])
QUOTING = st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
LINE_ENDS = st.sampled_from(["\n", "\r\n", "\r"])
ENCODINGS = st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "gb18030"])


def written(path, table, encoding, **how):
    text = io.StringIO(newline="")
    csv.writer(text, **how).writerows(table)
    path.write_bytes(text.getvalue().encode(encoding))
    return path


def kept(table):
    """Rows with anything in them, by their numbers; cells without the white space around them."""
    trimmed = [[cell.strip() for cell in row] for row in table]
    return [(number, row) for number, row in enumerate(trimmed, start=1) if any(row)]


def told(path, look):
    rows, _ = read(path, look)
    assert [row.wrong for row in rows] == [""] * len(rows)
    return [(row.number, row.cells) for row in rows]


@QUICK
@given(TABLES, DELIMITERS, QUOTING, LINE_ENDS, ENCODINGS)
def test_any_table_comes_back_whole(tmp_path, table, delimiter, quoting, end, encoding):
    if any("\n" in cell or "\r" in cell for row in table for cell in row):
        quoting = csv.QUOTE_ALL  # The writer itself forgets to quote the line ends it does not write.
    path = written(
        tmp_path / "a.csv", table, encoding, delimiter=delimiter, quoting=quoting, lineterminator=end
    )
    expected = kept(table)
    if not expected:
        return

    look = seen(path, delimiter=delimiter, encoding=encoding, header_row=0)
    width = len(look.headings)

    assert told(path, look) == [(number, row[:width]) for number, row in expected]
    assert all(not any(row[width:]) for _, row in expected)


NAMES = st.sampled_from(
    ["Jürgen", "Zoë", "Anna-María", "O'Hara", "Smith, Jr.", "Dr. No; PhD", 'Eve "E"', "A|B"]
)
PEOPLE = st.lists(st.tuples(NAMES, st.integers(1, 999), NAMES), min_size=3, max_size=20)


@QUICK
@given(PEOPLE, DELIMITERS, QUOTING, LINE_ENDS, st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]))
def test_nobody_needs_to_be_told_how_people_were_written(tmp_path, people, delimiter, quoting, end, encoding):
    table = [["First name", "Email", "Company"]]
    table += [[first, f"p{number}@example.com", company] for first, number, company in people]
    path = written(
        tmp_path / "a.csv", table, encoding, delimiter=delimiter, quoting=quoting, lineterminator=end
    )

    look = seen(path)

    assert (look.delimiter, look.header_row, look.headings) == (delimiter, 1, tuple(table[0]))
    assert told(path, look) == kept(table)[1:]


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Müller;Straße;Größe", "cp1252"),
        ("Müller;Straße;Größe", "mac_roman"),
        ("Müller;Straße;Größe", "cp850"),
        ("Élodie;Société;à côté", "cp1252"),
        ("Muñoz;¿Qué?;Málaga", "mac_roman"),
        ("Dvořák;Příbram;Kateřina", "cp1250"),
        ("Łódź;Wałęsa;Świętokrzyskie", "iso8859_2"),
        ("Győr;Erdős;Szűcs", "cp1250"),
        ("Şişli;Çağrı;Gökçe", "cp1254"),
        ("Žemaitė;Šiauliai;Čiurlionis", "cp1257"),
        ("Иванов;Алексей;Москва", "cp1251"),
        ("ИВАН;ПЕТРОВ;КАЗАНЬ", "cp1251"),
        ("Иванов;Алексей;Москва", "koi8_r"),
        ("Γιώργος;Αθήνα;Ελένη", "cp1253"),
        ("דוד כהן;חיפה;תל אביב", "cp1255"),
        ("محمد;فاطمة;الرياض", "cp1256"),
        ("田中太郎;東京都;カタカナ", "cp932"),
        ("李雷;上海市浦东新区;北京", "gb18030"),
        ("陳大文;香港;電子郵件", "big5"),
        ("김철수;서울;부산광역시", "cp949"),
        ("5 €;“gut” – sehr;½", "cp1252"),
    ],
)
def test_the_encodings_of_old_programs_are_told_apart_by_the_words_they_make(tmp_path, text, encoding):
    path = tmp_path / "a.csv"
    path.write_bytes(f"A;Email;C\n{text}\nAnn;a@x.de;x\n".encode(encoding))

    assert told(path, seen(path))[0] == (2, text.split(";"))
