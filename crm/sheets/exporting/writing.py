"""Values as cells of a file: CSV line by line, XLSX from lines kept before, since it takes no more later."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.utils.timezone import is_aware, localtime
from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from crm.kernel.work import stopping
from crm.sheets.plain import plain

ROWS_OF_A_SHEET = 1_048_576
LONGEST_CELL = 32_767

type Cell = str | int | float | Decimal | date | datetime | None


def cell(value: Any) -> Cell:
    """Numbers and dates as such, times as they are in the shop, all else as text that is no formula."""
    if value is None or (isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)):
        return value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return (localtime(value) if is_aware(value) else value).replace(tzinfo=None, microsecond=0)
    if isinstance(value, date):
        return value
    if isinstance(value, timedelta):
        return str(value)
    if isinstance(value, (list, tuple, set)):
        return plain(", ".join(map(str, value)))
    return plain(str(value))


def csv_lines(rows: Sequence[Sequence[Cell]]) -> bytes:
    """Lines of CSV; UTF-8."""
    text = io.StringIO()
    csv.writer(text).writerows([_typed(one) for one in row] for row in rows)
    return text.getvalue().encode()


def kept_lines(rows: Sequence[Sequence[Cell]]) -> bytes:
    """The same as lines that keep what is a number and what a date, for `workbook`."""
    return "".join(f"{json.dumps([_kept(one) for one in row])}\n" for row in rows).encode()


def workbook(lines: Path, into: Path, title: str) -> bool:
    """Write an XLSX of lines that were kept, the first of them headings; sheet after sheet where one is full.
    False where the process was asked to end meanwhile: then nothing is there.
    """
    book: Any = Workbook(write_only=True)
    with lines.open("rb") as kept:
        headings = json.loads(next(kept))
        sheet, place = None, 0
        for number, line in enumerate(kept):
            if sheet is None or place == ROWS_OF_A_SHEET:
                sheet, place = _sheet(book, title, headings), 1
            sheet.append([_read(one) for one in json.loads(line)])
            place += 1
            if number % 5000 == 0 and stopping():
                return False
    if sheet is None:
        _sheet(book, title, headings)
    book.save(into)
    into.chmod(0o600)
    return True


def _sheet(book: Any, title: str, headings: Sequence[str]) -> Any:
    sheet = book.create_sheet(re.sub(r"[\\/*?:\[\]]", " ", title)[:28])
    sheet.freeze_panes = "A2"
    sheet.append(headings)
    return sheet


def _typed(value: Cell) -> Any:
    return value.isoformat(sep=" ") if isinstance(value, datetime) else value


def _kept(value: Cell) -> Any:
    if isinstance(value, date):
        return {"at": value.isoformat()}
    if isinstance(value, Decimal):
        return float(value)
    return value if not isinstance(value, str) else ILLEGAL_CHARACTERS_RE.sub("", value)[:LONGEST_CELL]


def _read(kept: Any) -> Any:
    if isinstance(kept, dict):
        said = kept["at"]
        return datetime.fromisoformat(said) if "T" in said else date.fromisoformat(said)
    return kept
