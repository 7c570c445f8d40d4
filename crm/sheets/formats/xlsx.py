"""XLSX, row by row out of the archive: memory holds the shared texts and one row, however long the sheet."""

from __future__ import annotations

import posixpath
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field

from crm.sheets.formats import Unreadable, numbers, packed
from crm.sheets.formats.cells import Sheet, Texts
from crm.sheets.formats.table import Record, Table

_WORKBOOK = "xl/workbook.xml"
_RELATIONS = "xl/_rels/workbook.xml.rels"
_TEXTS = "xl/sharedStrings.xml"
_STYLES = "xl/styles.xml"


@dataclass
class Xlsx(Table):
    """A workbook of Excel 2007 or newer, or of whatever else writes XLSX."""

    path: str = ""
    parts: dict[str, str] = field(default_factory=dict)
    """The visible sheets by name, with the part of the archive each is in."""
    starts_1904: bool = False
    _texts: list[str] | None = None

    @classmethod
    def of(cls, path: str, sheet: str) -> Xlsx:
        with packed.opened(path) as archive:
            parts, starts_1904 = _sheets(archive)
        if not parts:
            raise Unreadable("The workbook has no sheets with cells.")
        return cls(
            format="xlsx",
            sheet=sheet,
            sheets=tuple(parts),
            path=path,
            parts=parts,
            starts_1904=starts_1904,
        )

    def records(self) -> Iterator[Record]:
        if self.sheet not in self.parts:
            raise Unreadable(f"There is no sheet “{self.sheet}” in this workbook any more.")
        part = self.parts[self.sheet]
        with packed.opened(self.path) as archive:
            there = {_TEXTS, _STYLES} & set(archive.namelist())
            packed.check(archive, part, *there)
            if self._texts is None:
                self._texts = _texts(archive) if _TEXTS in there else []
            styles = numbers.styles(archive, _STYLES, self.starts_1904) if _STYLES in there else []
            sheet = Sheet(self._texts, styles)
            for _ in packed.parsed(archive, part, sheet.parser):
                yield from sheet.rows
                sheet.rows.clear()
            if sheet.hidden:
                rows = "row is" if sheet.hidden == 1 else "rows are"
                self.notes.append(f"{sheet.hidden:,} {rows} hidden in the sheet but not left out.")


def _sheets(archive: zipfile.ZipFile) -> tuple[dict[str, str], bool]:
    """Where the visible sheets are, and whether days are counted from 1904, as old Macs did."""
    targets: dict[str, str] = {}
    sheets: dict[str, str] = {}
    starts_1904 = False

    def relation(name: str, attributes: dict[str, str]) -> None:
        if name == "Relationship":
            target = posixpath.normpath(posixpath.join("/xl", attributes.get("Target", "")))
            targets[attributes.get("Id", "")] = target.lstrip("/")

    def sheet(name: str, attributes: dict[str, str]) -> None:
        nonlocal starts_1904
        if name == "workbookPr":
            starts_1904 = attributes.get("date1904", "0") in ("1", "true")
        elif name == "sheet" and attributes.get("state", "visible") == "visible":
            named = next((value for key, value in attributes.items() if key.endswith(":id")), "")
            sheets[attributes.get("name", "")] = targets.get(named, "")

    packed.check(archive, _WORKBOOK, _RELATIONS)
    packed.elements(archive, _RELATIONS, relation)
    packed.elements(archive, _WORKBOOK, sheet)
    # A chart may be a sheet of its own; it has no cells.
    there = {name for name in archive.namelist() if "chartsheets" not in name}
    return {name: part for name, part in sheets.items() if part in there}, starts_1904


def _texts(archive: zipfile.ZipFile) -> list[str]:
    texts = Texts()
    for _ in packed.parsed(archive, _TEXTS, texts.parser):
        pass
    return texts.found
