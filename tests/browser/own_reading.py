"""Spreadsheets as the standard library and openpyxl have them: what a test holds our own reader against."""

from __future__ import annotations

import csv
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import openpyxl

_ADDRESS = re.compile(r"[^\s@,;/<>]+@[^\s@,;/<>]+\.[a-z]{2,}", re.IGNORECASE)
_QUOTED = re.compile(r"“(.*?)”", re.DOTALL)


@dataclass(frozen=True)
class Sheet:
    """`rows` are the filled ones below the headings, by number; `blank` is how many between them are not."""

    headings: list[str]
    rows: dict[int, list[str]]
    blank: int


def read(path: Path, *, encoding: str, delimiter: str, header_row: int) -> Sheet:
    """A file by what somebody who looked into it knows of it."""
    if path.suffix == ".xlsx":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            rows = [
                ["" if cell is None else str(cell).strip() for cell in row]
                for row in openpyxl.load_workbook(path).worksheets[0].iter_rows(values_only=True)
            ]
    else:
        with path.open(encoding=encoding, newline="") as file:
            reader = csv.reader(file, delimiter=delimiter, skipinitialspace=True)
            rows = [[cell.strip() for cell in row] for row in reader]
    below = dict(enumerate(rows[header_row:], start=header_row + 1))
    filled = {number: cells for number, cells in below.items() if any(cells)}
    last = max(filled, default=header_row)
    blank = sum(1 for number in below if number not in filled and number < last)
    headings = rows[header_row - 1] if header_row else []
    while headings and not headings[-1]:
        headings.pop()
    return Sheet(headings, filled, blank)


def is_true(reason: str, cells: Sequence[str], said: dict[str, str], sheet: Sheet, refused: set[int]) -> bool:
    """Whether what is said of a refused row is so. `said`: its cells by what their columns are."""
    quoted = _QUOTED.search(reason)
    value = quoted[1].removesuffix("\ufffd") if quoted else ""
    handles = [
        said.get(name, "") for name in ("E-mail address", "Telephone number", "Their number elsewhere")
    ]
    if reason.startswith("E-mail “"):
        return said["E-mail address"].startswith(value) and not _ADDRESS.fullmatch(said["E-mail address"])
    if reason.startswith("Every row needs"):
        return not any(handles)
    if reason.startswith("Telephone “"):
        return (
            said["Telephone number"] == value and not value.startswith("+") and not (handles[0] or handles[2])
        )
    if reason.startswith("Stage “"):
        there = reason.rpartition("definition: ")[2].removesuffix(".").split(", ")
        return said["Stage"] == value and value not in there
    if reason.startswith("There is a value in column"):
        return any(cells[len(sheet.headings) :])
    if reason.startswith("These are the headings once more"):
        return list(cells) == sheet.headings
    if found := re.match(r"Row (\d+) of the same", reason):
        return int(found[1]) in refused
    if reason.startswith("Every company needs a name"):
        return not said["Name"]
    if found := re.match(r"One company has (\d+) lines at most", reason):
        name = said["Name"].casefold()
        return sum(1 for row in sheet.rows.values() if name in map(str.casefold, row)) > int(found[1])
    return False
