"""Workbooks are ZIP archives of XML: which kind, and whether it may be opened at all."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from xml.parsers import expat

from crm.sheets.formats import Unreadable

_MOST_PARTS = 1000
_MOST_BYTES = 500_000_000
_MOST_TIMES_SMALLER = 100
_SMALL = 1_000_000
_PIECE = 1 << 18
DAMAGED = (
    "The workbook is damaged or cut off. Open it in a spreadsheet program, save it once more, and choose that"
    " file."
)


@contextmanager
def opened(path: str) -> Iterator[zipfile.ZipFile]:
    """The archive of a workbook. Raises Unreadable, for what goes wrong inside as well."""
    try:
        with zipfile.ZipFile(path) as archive:
            if len(archive.infolist()) > _MOST_PARTS:
                raise Unreadable(f"This archive has more than {_MOST_PARTS:,} parts: it is no spreadsheet.")
            yield archive
    except Unreadable:
        raise
    except (zipfile.BadZipFile, zlib.error, EOFError, LookupError, RuntimeError, ValueError) as error:
        raise Unreadable(DAMAGED) from error


def kind(archive: zipfile.ZipFile) -> str:
    """xlsx or ods. Raises Unreadable with what it is instead."""
    names = set(archive.namelist())
    if "mimetype" in names and "content.xml" in names:
        with archive.open("mimetype") as file:
            if b"spreadsheet" in file.read(200):
                return "ods"
        raise Unreadable("This is a document of OpenOffice or LibreOffice, but no spreadsheet.")
    if "xl/workbook.bin" in names:
        raise Unreadable("This is a binary workbook (XLSB). Save it as XLSX and choose that file.")
    if any(name.startswith("xl/") for name in names):
        return "xlsx"
    if any(name.startswith("word/") for name in names):
        raise Unreadable("This is a Word document, not a spreadsheet.")
    if any(name.endswith(".iwa") for name in names):
        raise Unreadable(
            "This is a spreadsheet of Apple Numbers. Export it as CSV or XLSX and choose that file."
        )
    raise Unreadable("This is a packed file (ZIP). Unpack it and choose the spreadsheet that is in it.")


def check(archive: zipfile.ZipFile, *parts: str) -> None:
    """Refuse parts that would unpack to far more than they are; a size that lies is not read beyond."""
    packed = unpacked = 0
    for part in parts:
        info = archive.getinfo(part)
        packed, unpacked = packed + info.compress_size, unpacked + info.file_size
    if unpacked > _MOST_BYTES or (unpacked > _SMALL and unpacked > packed * _MOST_TIMES_SMALLER):
        raise Unreadable(
            f"The sheet unpacks to {unpacked / 1_000_000:,.0f} MB, more than can be read. Save it as CSV"
            " (UTF-8), which may be of any size, and choose that file."
        )


def parsed(archive: zipfile.ZipFile, part: str, parser: expat.XMLParserType) -> Iterator[None]:
    """Feed a part to a parser whose handlers collect; a turn for every piece. No document types, no
    entities."""
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.buffer_text = True
    try:
        with archive.open(part) as file:
            while piece := file.read(_PIECE):
                parser.Parse(piece, False)
                yield
            parser.Parse(b"", True)
            yield
    except expat.ExpatError as error:
        raise Unreadable(DAMAGED) from error


def elements(archive: zipfile.ZipFile, part: str, seen: Callable[[str, dict[str, str]], Any]) -> None:
    """Tell of every element of a small part, by its name without a prefix."""
    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda name, attributes: seen(name.rpartition(":")[2], attributes)
    for _ in parsed(archive, part, parser):
        pass


def _refuse_doctype(*declared: Any) -> None:
    raise Unreadable("The workbook declares a document type, which no spreadsheet program writes.")
