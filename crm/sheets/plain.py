"""Cells of files that leave: none is a formula to the program that opens it."""

from __future__ import annotations

import re

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_NUMBER = re.compile(r"[+-]?[\d ().,/-]+")


def plain(cell: str) -> str:
    """A cell that no spreadsheet program takes for a formula; numbers with a sign are none."""
    return f"'{cell}" if cell.startswith(_FORMULA) and not _NUMBER.fullmatch(cell) else cell
