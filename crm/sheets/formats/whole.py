"""XLS and ODS, which are read as a whole: by calamine, within the memory this process may have."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

from crm.sheets.formats import MOST_COLUMNS, Unreadable, headings, numbers, packed
from crm.sheets.formats.table import Record, Table


@dataclass
class Whole(Table):
    """A workbook of old Excel or of LibreOffice."""

    path: str = ""

    @classmethod
    def of(cls, path: str, format: str, sheet: str) -> Whole:
        with _workbook(path) as workbook:
            sheets = [
                one.name
                for one in workbook.sheets_metadata
                if one.typ == SheetTypeEnum.WorkSheet and one.visible == SheetVisibleEnum.Visible
            ]
        if not sheets:
            raise Unreadable("The workbook has no sheets with cells.")
        return cls(format=format, sheet=sheet, sheets=tuple(sheets), path=path)

    def records(self) -> Iterator[Record]:
        if self.sheet not in self.sheets:
            raise Unreadable(f"There is no sheet “{self.sheet}” in this workbook any more.")
        with _workbook(self.path) as workbook:
            sheet = workbook.get_sheet_by_name(self.sheet)
            for number, cells in enumerate(sheet.iter_rows(), start=1):
                wrong = ""
                if len(cells) > MOST_COLUMNS and any(cell != "" for cell in cells[MOST_COLUMNS:]):
                    wrong = (
                        f"There is a value beyond column {headings.letters(MOST_COLUMNS - 1)};"
                        f" at most {MOST_COLUMNS:,} are read."
                    )
                yield Record(number, [_shown(cell) for cell in cells[:MOST_COLUMNS]], wrong)


@contextmanager
def _workbook(path: str) -> Iterator[CalamineWorkbook]:
    try:
        yield CalamineWorkbook.from_path(path)
    except PasswordError as error:
        raise Unreadable("The workbook is protected by a password. Save it without one.") from error
    except (CalamineError, OSError) as error:
        raise Unreadable(packed.DAMAGED) from error


def _shown(cell: Any) -> str:
    if isinstance(cell, str):
        return cell.replace("\0", "").strip()
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, datetime):
        return numbers.told(cell.replace(microsecond=0))
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, timedelta):
        return numbers.told(datetime(1900, 1, 1) + cell, only_time=True)
    return numbers.plain(repr(cell))
