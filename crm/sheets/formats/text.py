"""Text with delimiters: CSV, TSV and what calls itself so. One line at a time, whatever the file's length."""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any, TextIO

from crm.sheets.formats import LONGEST, Unreadable, delimiters, encodings
from crm.sheets.formats.table import Record, Table

_SAMPLE_LINES = 400
_SAMPLE_LETTERS = 200_000
_MOST_LINES = 5000
_MOST_MENDED = 200
_BROKEN = re.compile("[\ud800-\udfff]")
# What decoders of UTF-16 and UTF-32 put for what is none. Elsewhere a letter was lost before, or typed so.
_LOST = re.compile("\ufffd")
_SAYS_DELIMITER = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)


class _TooLong(Exception):
    """A line that does not end."""


class _NotClosed(Exception):
    """A quotation mark opened and nothing closed it."""


@dataclass
class Text(Table):
    """A text file with what is known of how to read it."""

    path: str = ""

    @classmethod
    def sniffed(cls, path: str, name: str, *, encoding: str, delimiter: str) -> Text:
        notes: list[str] = []
        encoding = encodings.checked(encoding) if encoding else encodings.sniffed(path, notes)
        with _opened(path, encoding) as file:
            lines = _sample(file)
        if not delimiter:
            delimiter = delimiters.sniffed(lines, name)
        elif len(delimiter) != 1 or delimiter in '"\r\n':
            raise Unreadable(
                f"“{delimiter}” cannot separate cells. Choose one character, such as ; or a tab."
            )
        return cls._made(path, encoding, delimiter, notes)

    @classmethod
    def opened(cls, path: str, *, encoding: str, delimiter: str) -> Text:
        return cls._made(path, encoding, delimiter, [])

    @classmethod
    def _made(cls, path: str, encoding: str, delimiter: str, notes: list[str]) -> Text:
        format = "tsv" if delimiter == "\t" else "csv"
        return cls(format=format, encoding=encoding, delimiter=delimiter, notes=notes, path=path)

    def records(self) -> Iterator[Record]:
        with _opened(self.path, self.encoding) as file:
            yield from _Records(file, self).read()


class _Records:
    """Lines made into rows, by the rules of CSV where they hold and by what was meant where they do not.

    A quotation mark that nothing closes would swallow every row after it. So a row of several lines has a
    limit; where it is passed, the line with the mark is refused and reading goes on with the next.
    """

    def __init__(self, file: TextIO, table: Text) -> None:
        self.file, self.table = file, table
        self.pending: list[str] = []
        self.again: deque[str] = deque()
        self.odd = _LOST if encodings.errors(table.encoding) == "replace" else _BROKEN
        self.broken = False
        self.mended = 0
        self.width = 0

    def read(self) -> Iterator[Record]:
        number = 0
        rules: dict[str, Any] = {"delimiter": self.table.delimiter, "skipinitialspace": True, "strict": True}
        csv.field_size_limit(LONGEST * 2)
        reader = csv.reader(self._lines(), **rules)
        pending = self.pending
        while True:
            pending.clear()
            try:
                cells = next(reader)
            except StopIteration:
                return
            except (csv.Error, _NotClosed, _TooLong) as trouble:
                number += 1
                yield self._mended(number, trouble)
                reader = csv.reader(self._lines(), **rules)
                continue
            number += 1
            cells = [cell.strip() for cell in cells]
            if self.broken:
                self.broken = False
                yield Record(number, *self._unbroken(cells))
            elif number == 1 and len(pending) == 1 and _SAYS_DELIMITER.fullmatch(pending[0]):
                yield Record(1, [], "")
            else:
                self.width = self.width or len(cells)
                yield Record(number, cells, "")

    def _lines(self) -> Iterator[str]:
        readline = partial(self.file.readline, LONGEST)
        pending, again = self.pending, self.again
        while line := again.popleft() if again else readline():
            if not line.isascii() and self.odd.search(line):
                self.broken = True
            if "\0" in line:
                line = line.replace("\0", "")
            pending.append(line)
            if len(pending) > 1 and (
                len(pending) > _MOST_LINES or (len(pending) % 16 == 0 and sum(map(len, pending)) > LONGEST)
            ):
                raise _NotClosed
            if len(line) >= LONGEST and line[-1] not in "\r\n":
                self._skip_line()
                raise _TooLong
            yield line

    def _skip_line(self) -> None:
        """The rest of a line is passed over, piece by piece."""
        while (piece := self.file.readline(LONGEST)) and piece[-1] not in "\r\n":
            continue

    def _mended(self, number: int, trouble: Exception) -> Record:
        """The first of the lines that make no row, by itself; the others are read again."""
        self.broken = False
        first, *others = self.pending
        self.again.extendleft(reversed(others))
        self.mended += 1
        if isinstance(trouble, _TooLong) and not others:
            if number == 1:
                raise Unreadable(
                    f"Its first line has more than {LONGEST:,} letters: this is no table, or lost its lines."
                    " Save it again as CSV or XLSX."
                )
            return Record(number, [first[:200]], f"The line has more than {LONGEST:,} letters.")
        if self.mended > _MOST_MENDED:
            raise Unreadable(
                f"More than {_MOST_MENDED} rows have quotation marks that do not match, up to row {number:,}."
                " Check the delimiter and how the file was made, or save it as XLSX."
            )
        found, fits = delimiters.lenient(first, self.table.delimiter)
        cells = [_clean(cell) for cell in found]
        if fits and len(cells) == self.width and not self.odd.search(first):
            return Record(number, cells, "")
        return Record(number, cells, "A quotation mark in this line opens or closes where none can.")

    def _unbroken(self, cells: list[str]) -> tuple[list[str], str]:
        odd = next((cell for cell in cells if self.odd.search(cell)), "")
        return [_clean(cell) for cell in cells], (
            f"Letters of “{_clean(odd)[:60]}” are not {encodings.label(self.table.encoding)},"
            " which the rest of the file is."
        )


def _clean(cell: str) -> str:
    return _BROKEN.sub("\ufffd", cell).strip()


def _opened(path: str, encoding: str) -> TextIO:
    return open(path, encoding=encoding, errors=encodings.errors(encoding), newline="")


def _sample(file: TextIO) -> list[str]:
    lines, letters = [], 0
    for line in islice(iter(partial(file.readline, LONGEST), ""), _SAMPLE_LINES):
        lines.append(line.replace("\0", ""))
        letters += len(line)
        if letters > _SAMPLE_LETTERS:
            break
    return lines
