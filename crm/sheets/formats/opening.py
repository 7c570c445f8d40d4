"""Which format a file has, by what is in it; its name is only a hint."""

from __future__ import annotations

from itertools import islice
from typing import Any

from crm.sheets.formats import Unreadable, packed
from crm.sheets.formats.table import Table
from crm.sheets.formats.text import Text
from crm.sheets.formats.whole import Whole
from crm.sheets.formats.xlsx import Xlsx

_SAVE = "Save the sheet you need as XLSX or CSV (UTF-8) and choose that file."
_FIRST_ROWS = 100
_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_NO_TABLES = (
    (b"%PDF", "This is a PDF, not a spreadsheet."),
    (b"\x1f\x8b", "This is a packed file (gzip). Unpack it and choose the file that was in it."),
    (b"7z\xbc\xaf", "This is a packed file (7z). Unpack it and choose the file that was in it."),
    (b"Rar!", "This is a packed file (RAR). Unpack it and choose the file that was in it."),
    (b"{\\rtf", "This is a text document (RTF), not a spreadsheet."),
    (b"\x89PNG", "This is a picture, not a spreadsheet."),
    (b"\xff\xd8\xff", "This is a picture, not a spreadsheet."),
    (b"SQLite format 3", "This is a database, not a spreadsheet."),
)
_MARKUP = (b"<!doctype", b"<html", b"<table", b"<head", b"<body", b"<?xml", b"<div", b"<style", b"<script")


def is_packed(path: str) -> bool:
    return _start(path).startswith((_ZIP, _OLE))


def sniffed(question: dict[str, Any]) -> Table:
    """The table in a file nobody has looked at yet, by what was asked."""
    start = _start(question["path"])
    if not start.strip(b"\0 \r\n\t"):
        raise Unreadable("The file is empty.")
    for magic, reason in _NO_TABLES:
        if start.startswith(magic):
            raise Unreadable(f"{reason} {_SAVE}" if "Unpack" not in reason else reason)
    markup = start.lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    if markup.startswith(_MARKUP):
        raise Unreadable(f"This is a web page or XML, whatever its name says, not a spreadsheet. {_SAVE}")
    if workbook := _workbook(question["path"], start, question["sheet"]):
        return _with_sheet(workbook)
    return Text.sniffed(
        question["path"], question["name"], encoding=question["encoding"], delimiter=question["delimiter"]
    )


def opened(path: str, look: dict[str, Any]) -> Table:
    """The table in a file that was looked at, as it was found or said to be then."""
    if workbook := _workbook(path, _start(path), look["sheet"]):
        return workbook
    return Text.opened(path, encoding=look["encoding"], delimiter=look["delimiter"])


def _workbook(path: str, start: bytes, sheet: str) -> Table | None:
    if start.startswith(_OLE):
        return Whole.of(path, "xls", sheet)
    if not start.startswith(_ZIP):
        return None
    with packed.opened(path) as archive:
        kind = packed.kind(archive)
        if kind == "ods":
            packed.check(archive, "content.xml")
    return Whole.of(path, "ods", sheet) if kind == "ods" else Xlsx.of(path, sheet)


def _with_sheet(table: Table) -> Table:
    """The sheet that was asked for, or the first that has anything in it."""
    if table.sheet:
        if table.sheet not in table.sheets:
            raise Unreadable(f"There is no sheet “{table.sheet}”. There are: {', '.join(table.sheets)}.")
        return table
    for sheet in table.sheets:
        table.sheet = sheet
        if any(any(record.cells) for record in islice(table.records(), _FIRST_ROWS)):
            break
    if len(table.sheets) > 1:
        table.notes.append(f"The sheet “{table.sheet}” was read, one of {len(table.sheets)}.")
    return table


def _start(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read(512)
