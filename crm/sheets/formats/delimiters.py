"""What separates the cells of a text file, and what a line means that breaks the rules."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Sequence

_CANDIDATES = (",", ";", "\t", "|")
_SAYS = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)
_DECIMALS = re.compile(r"[-+]?[\d.,]*\d\s?\W?")


def sniffed(lines: Sequence[str], name: str) -> str:
    """The delimiter by which most rows have the same number of cells. A comma if there is one cell a row."""
    if lines and (said := _SAYS.fullmatch(lines[0])):
        return said[1]
    if name.lower().endswith((".tsv", ".tab")) and any("\t" in line for line in lines):
        return "\t"
    return max(_CANDIDATES, key=lambda delimiter: _fits(lines, delimiter))


def lenient(line: str, delimiter: str) -> tuple[list[str], bool]:
    """The cells of a line with quotation marks inside quoted cells, and whether all of them fit."""
    apart = re.escape(delimiter)
    quoted = rf'"((?:[^"]|"(?! *(?:{apart}|$)))*)" *(?={apart}|$)'
    found = re.findall(rf"(?:^|{apart}) *(?:{quoted}|([^{apart}]*))", line.rstrip("\r\n"))
    cells = [(inner or plain).replace('\\"', '"').replace('""', '"') for inner, plain in found]
    return cells, not any(plain.startswith('"') for _, plain in found)


def _fits(lines: Sequence[str], delimiter: str) -> float:
    """Between 0 and 1: how many rows agree on a width, and how few cells hold another delimiter."""
    if not any(delimiter in line for line in lines):
        return 0
    try:
        rows = [row for row in csv.reader(lines, delimiter=delimiter, skipinitialspace=True) if any(row)]
    except csv.Error:
        return 0
    widths = Counter(len(row) for row in rows)
    width, times = max(widths.items(), key=lambda item: (item[1] * (item[0] > 1), item[0]))
    if width < 2:
        return 0.01
    others = "".join(other for other in _CANDIDATES if other != delimiter)
    odd = re.compile(f"[{re.escape(others)}]")
    cells = [cell for row in rows if len(row) == width for cell in row if cell]
    clean = sum(1 for cell in cells if not odd.search(cell) or _DECIMALS.fullmatch(cell))
    return times / len(rows) * (0.3 + 0.7 * clean / max(1, len(cells)))
