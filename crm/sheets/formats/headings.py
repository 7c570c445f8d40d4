"""Which row of a table names its columns, and what the columns are called."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Protocol

from crm.sheets.vocabulary import WORDS, spelled

_CANDIDATES = 40
_LONGEST_HEADING = 120
_YEARS = 3
_YEAR = re.compile(r"(19|20)\d\d")
_DATA = re.compile(
    r"""
      [^\s@]+@[^\s@]+\.[^\s@]+                          # an address
    | (https?://|www\.)\S+                              # a page
    | [+-]?[^\w\s]?\s?[\d.,'\s]*\d\s?[%€$£]?            # a number, an amount
    | \+?[\d\s()/.-]{5,}                                # a telephone number, a date in figures
    | \d{4}-\d\d-\d\d.*                                 # a date, with a time perhaps
    | [0-9a-f]{8}-[0-9a-f]{4}-.*|[0-9a-f]{20,}          # a number only machines read
    | (true|false|yes|no|ja|nein|oui|non|sí|nee)
    """,
    re.VERBOSE | re.IGNORECASE,
)


class _Numbered(Protocol):
    @property
    def number(self) -> int: ...
    @property
    def cells(self) -> list[str]: ...


def found(rows: Sequence[_Numbered]) -> int:
    """The number of the row of headings among the filled rows a file begins with; 0 if there is none."""
    candidates = [row for row in rows[:_CANDIDATES] if not _is_remark(row.cells)]
    if not candidates:
        return 0
    width = _usual_width(rows)
    best, best_known = None, 1
    for row in candidates:
        known = _known(row.cells)
        if known > best_known and _data(row.cells) <= known // 3:
            best, best_known = row, known
    if best is not None:
        return best.number
    for row in candidates:
        if _filled(row.cells) * 2 <= width:
            continue  # A title.
        if _data(row.cells):
            return 0
        if not _repeats(row, rows):
            return row.number
    return 0


def named(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """What each column is called, every name once. Beyond the last heading a column begins only where most
    rows have a value: a value here and there is of a row that went wrong."""
    width = max((at + 1 for at, head in enumerate(heads) if head), default=0)
    filled = Counter(at for row in rows for at, cell in enumerate(row) if cell and at >= width)
    enough = len(rows) / 2 if heads else 0
    width = max((at + 1 for at, times in filled.items() if times > enough), default=width)
    taken: Counter[str] = Counter()
    names: list[str] = []
    for at in range(width):
        name = " ".join(heads[at].split())[:_LONGEST_HEADING] if at < len(heads) else ""
        if not name:
            name = f"Column {letters(at)}" if heads else letters(at)
        taken[name] += 1
        unique = name if taken[name] == 1 else f"{name} ({taken[name]})"
        while unique in names:
            taken[name] += 1
            unique = f"{name} ({taken[name]})"
        names.append(unique)
    return names


def repeated(heads: Sequence[str]) -> str:
    """The headings that stand more than once, to be read out."""
    several = [name for name, times in Counter(head for head in heads if head).items() if times > 1]
    return ", ".join(f"“{name}”" for name in several[:5])


def letters(at: int) -> str:
    """The letters of a column, counted from 0: A, B … Z, AA."""
    name = ""
    at += 1
    while at:
        at, rest = divmod(at - 1, 26)
        name = chr(ord("A") + rest) + name
    return name


def _is_remark(cells: Sequence[str]) -> bool:
    first = next((cell for cell in cells if cell), "")
    return (
        first.startswith(("#", "//"))
        and len(first) > 1
        and first[1:].strip(" #/") != ""
        and not _known(cells)
    )


def _usual_width(rows: Sequence[_Numbered]) -> int:
    """How many cells are filled in the rows, titles and gaps apart."""
    counts = sorted(_filled(row.cells) for row in rows)
    return counts[len(counts) * 3 // 4]


def _filled(cells: Sequence[str]) -> int:
    return sum(1 for cell in cells if cell)


def _known(cells: Sequence[str]) -> int:
    return sum(1 for cell in cells if cell and spelled(cell) in WORDS)


def _data(cells: Sequence[str]) -> int:
    """How many cells are no headings. Years are, where several stand side by side."""
    data = [cell for cell in cells if len(cell) > _LONGEST_HEADING or _DATA.fullmatch(cell)]
    years = {cell for cell in data if _YEAR.fullmatch(cell)}
    return len(data) - len(years) if len(years) >= _YEARS else len(data)


def _repeats(row: _Numbered, rows: Sequence[_Numbered]) -> bool:
    """Headings do not stand right under themselves; the cells of a table without headings may."""
    return any(list(below.cells) == list(row.cells) for below in rows[rows.index(row) + 1 :][:1])
